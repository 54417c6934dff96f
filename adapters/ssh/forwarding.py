"""A bastion connects us to a host behind it, or why it does not: its own fault, or the host's."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any

import asyncssh

from adapters.ssh.dialing import addresses_of
from adapters.ssh.failures import BastionGone, HostGone

SILENT_SECONDS = 1.0
"""So long an address is waited for before the next one is tried beside it."""
UNKNOWN_NAME = ("not known", "no such host", "name resolution", "no address associated")
"""Words of the resolvers of OpenSSH's, Go's and other servers."""
SAYS_NOTHING = ("", "open failed", "connect failed")
NO_FORWARDING = (asyncssh.OPEN_ADMINISTRATIVELY_PROHIBITED, asyncssh.OPEN_UNKNOWN_CHANNEL_TYPE)


def not_forwarded(code: int, reason: str, address: str) -> HostGone:
    """The failure to open a channel to the address (RFC 4254, section 5.1), in words.

    A BastionGone is about the bastion; any other is what would be said without one.
    """
    said = f" ({reason})" if reason else ""
    if code in NO_FORWARDING:
        return BastionGone(
            f"does not forward connections to {address}{said}: allow it in the bastion's "
            "sshd_config (AllowTcpForwarding, PermitOpen, DisableForwarding, Match) and in the "
            "key's line of its authorized_keys (restrict, no-port-forwarding, permitopen)"
        )
    if code == asyncssh.OPEN_RESOURCE_SHORTAGE:
        return BastionGone(f"has no room for another connection{said}")
    words = reason.lower()
    if "connection refused" in words:
        return HostGone("refuses connections")
    if any(known in words for known in UNKNOWN_NAME):
        return HostGone("cannot be reached: its name is not known")
    if words in SAYS_NOTHING:
        return BastionGone(f"cannot connect to {address}{said}")
    return HostGone(f"cannot be reached: {reason}")


class Tunnel:
    """Connects through a bastion, in the form that asyncssh takes for its `tunnel`.

    The bastion looks the name up. sshd tries its addresses one after another, and a dead one for
    minutes: meanwhile we ask for each that we know the name by ourselves, if they are several.
    """

    def __init__(self, bastion: asyncssh.SSHClientConnection) -> None:
        self._bastion = bastion

    def is_closed(self) -> bool:
        """Whether the connection to the bastion has ended."""
        return self._bastion.is_closed()

    async def create_connection(
        self, factory: Callable[[], Any], host: str, port: int
    ) -> tuple[Any, Any]:
        """The first that is opened; how it went with the name is how it went."""

        def attempt(host: str) -> asyncio.Task[tuple[Any, Any]]:
            return asyncio.create_task(self._bastion.create_connection(factory, host, port))

        by_name = attempt(host)
        attempts, waiting = {by_name}, None
        try:
            while True:
                seconds = SILENT_SECONDS if waiting is None or waiting else None
                done, _ = await asyncio.wait(
                    attempts, timeout=seconds, return_when=asyncio.FIRST_COMPLETED
                )
                attempts -= done
                for each in done:
                    if each is by_name or each.exception() is None:
                        return each.result()
                if waiting is None:
                    waiting = await _several_addresses(host, port)
                if waiting:
                    attempts.add(attempt(waiting.popleft()))
        finally:
            for each in attempts:
                each.cancel()
            await asyncio.gather(*attempts, return_exceptions=True)


async def _several_addresses(host: str, port: int) -> deque[str]:
    try:
        known = [str(address[0]) for _, address in await addresses_of(host, port)]
    except HostGone:
        return deque()
    return deque(known if len(known) > 1 else ())

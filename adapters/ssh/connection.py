"""A connection to a host whose key is pinned; nothing secret is said before its key is known."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import NamedTuple

import asyncssh

from adapters.ssh.dialing import Dialed, dial, no_answer, turned_away, unreachable
from adapters.ssh.failures import BastionGone, Failed, HostGone, LoginRefused
from adapters.ssh.forwarding import Tunnel, not_forwarded
from adapters.ssh.keys import described, one_line, pinned_key
from domain.values import host_and_port

HOST_KEY_ALGORITHMS = (
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "rsa-sha2-512",
    "rsa-sha2-256",
)
NO_KNOWN_HOSTS: tuple[list[str], list[str], list[str]] = ([], [], [])
"""The file of the account we run under is none of our business: our own pins count."""


class Address(NamedTuple):
    """Where an SSH server listens; as text it is the name its key is pinned under."""

    host: str
    port: int

    def __str__(self) -> str:
        return host_and_port(self.host, self.port)


class HostKeyUnknown(Exception):
    """First contact: the host showed this key, and none is pinned."""

    def __init__(self, address: Address, key: asyncssh.SSHKey) -> None:
        super().__init__(f"{address} shows {described(key)}")
        self.address = address
        self.line = one_line(key)
        self.fingerprint = key.get_fingerprint()


@dataclass(frozen=True)
class Login:
    """As whom to log in, and how long to wait for it."""

    user: str
    keys: Sequence[asyncssh.SSHKey]
    connect_seconds: float
    keepalive_seconds: float


class _HostKeyCheck(asyncssh.SSHClient):
    def __init__(self, pinned: asyncssh.SSHKey | None) -> None:
        self._pinned = pinned
        self._connection: asyncssh.SSHClientConnection | None = None
        self.offered: asyncssh.SSHKey | None = None

    @property
    def has_spoken(self) -> bool:
        """Whether the server has told its version: what it says before is not of SSH."""
        connection = self._connection
        return connection is not None and bool(connection.get_extra_info("server_version"))

    def connection_made(self, conn: asyncssh.SSHClientConnection) -> None:
        self._connection = conn

    def validate_host_public_key(
        self,
        host: str,  # noqa: ARG002
        addr: str,  # noqa: ARG002
        port: int,  # noqa: ARG002
        key: asyncssh.SSHKey,
    ) -> bool:
        self.offered = key
        return self._pinned is not None and self._pinned.public_data == key.public_data


async def connect(
    address: Address,
    login: Login,
    pins: Mapping[str, str],
    through: Tunnel | None = None,
) -> asyncssh.SSHClientConnection:
    """Log in at the address, which must show the key that is pinned for it.

    Raises HostKeyUnknown when none is pinned, Failed when it is another, HostGone when the host
    does not answer, LoginRefused when it does not let us in, and BastionGone when the connection
    that leads there does not lead there.
    """
    line = pins.get(str(address))
    pinned = pinned_key(line, str(address)) if line else None
    check = _HostKeyCheck(pinned)
    failed: dict[str, HostGone] = {}
    first_words = ""
    try:
        async with asyncio.timeout(login.connect_seconds):
            dialed = None if through else await dial(*address, failed)
            first_words = dialed.first_words if dialed else ""
            return await _log_in(address, login, check, pinned, dialed, through)
    except TimeoutError:
        raise no_answer(failed, login.connect_seconds) from None
    except asyncssh.HostKeyNotVerifiable as error:
        if check.offered is None:
            raise HostGone(f"shows no host key that can be used: {error.reason}") from None
        if pinned is None:
            raise HostKeyUnknown(address, check.offered) from None
        raise Failed(_changed(address, pinned, check.offered)) from None
    except asyncssh.PermissionDenied:
        raise LoginRefused(_refused(login)) from None
    except asyncssh.ChannelOpenError as error:
        raise not_forwarded(error.code, error.reason, str(address)) from None
    except asyncssh.Error as error:
        raise _broken_off(error, check, first_words, through) from None
    except UnicodeError:
        raise HostGone("has no name that can be looked up") from None
    except OSError as error:
        raise unreachable(error) from None


async def _log_in(
    address: Address,
    login: Login,
    check: _HostKeyCheck,
    pinned: asyncssh.SSHKey | None,
    dialed: Dialed | None,
    through: Tunnel | None,
) -> asyncssh.SSHClientConnection:
    return await asyncssh.connect(
        address.host,
        address.port,
        sock=dialed.socket if dialed else None,
        tunnel=through,
        client_factory=lambda: check,
        known_hosts=NO_KNOWN_HOSTS,
        server_host_key_algs=_algorithms(pinned),
        config=None,
        username=login.user,
        client_keys=list(login.keys),
        agent_path=None,
        preferred_auth="publickey",
        gss_host=None,
        login_timeout=login.connect_seconds,
        keepalive_interval=login.keepalive_seconds,
        keepalive_count_max=3,
    )


def _algorithms(pinned: asyncssh.SSHKey | None) -> list[str]:
    """Ask for the pinned key first: a host may have several."""
    wanted = [name.decode() for name in pinned.sig_algorithms] if pinned else []
    return sorted(HOST_KEY_ALGORITHMS, key=lambda name: name not in wanted)


def _changed(address: Address, pinned: asyncssh.SSHKey, offered: asyncssh.SSHKey) -> str:
    return (
        f"The host key of {address} has changed: {described(pinned)} is pinned, "
        f"{described(offered)} is shown. Somebody may be listening in between, or the host was "
        "installed anew. Compare the fingerprint on the host itself (ssh-keygen -l -f "
        "/etc/ssh/ssh_host_ed25519_key.pub); if it is right, forget the pinned key and try again."
    )


def _refused(login: Login) -> str:
    key = login.keys[0]
    return (
        f"does not let user {login.user} in with {described(key)}; "
        f"add this line to the user's ~/.ssh/authorized_keys: {one_line(key)}"
    )


def _broken_off(
    error: asyncssh.Error,
    check: _HostKeyCheck,
    first_words: str,
    through: Tunnel | None,
) -> HostGone:
    if through is not None and through.is_closed():
        return BastionGone("breaks the connection off")
    if isinstance(error, asyncssh.ConnectionLost) and not check.has_spoken:
        return turned_away(first_words)
    return HostGone(f"breaks the connection off: {error.reason}")


async def hang_up(connection: asyncssh.SSHClientConnection) -> None:
    """Close without waiting for the host's consent."""
    connection.abort()
    with suppress(asyncssh.Error, OSError):
        await connection.wait_closed()

"""The way to the hosts: through the bastion, and in their order."""

from collections.abc import Awaitable, Callable, Mapping, Sequence

import asyncssh

from adapters.ssh.connection import Address, HostKeyUnknown, Login, connect, hang_up
from adapters.ssh.failures import BastionGone, Failed, HostGone, TurnedAway
from adapters.ssh.forwarding import Tunnel
from adapters.ssh.outage import Note, Outage
from adapters.ssh.timings import Timings
from application.ports import HostKeyOffered
from domain.installation import Connection, split_host

Offer = Callable[[HostKeyOffered], Awaitable[None]]


class Reach:
    """Connects to hosts. A key that is not pinned is offered, and then pinned."""

    def __init__(
        self,
        where: Connection,
        keys: list[asyncssh.SSHKey],
        pins: Mapping[str, str],
        timings: Timings,
        offer: Offer,
    ) -> None:
        self._where = where
        self._keys = keys
        self._pins = dict(pins)
        self._timings = timings
        self._offer = offer
        self._open: list[asyncssh.SSHClientConnection] = []

    def address(self, host: str) -> Address:
        return Address(*split_host(host, self._where.port))

    def name(self, host: str) -> str:
        """How a person calls the host and the user on it."""
        return f"{self._where.user}@{self.address(host)}"

    async def choose(self, note: Note) -> tuple[str, asyncssh.SSHClientConnection]:
        """The first host that lets us in; hosts that turn us away for the moment are waited for.

        Raises Failed with each host's reason when none does.
        """
        outage = Outage(self._timings)
        while True:
            reasons: list[tuple[str, HostGone]] = []
            for host in self._where.hosts:
                try:
                    return host, await self.dial(host)
                except HostGone as gone:
                    reasons.append((str(self.address(host)), gone))
            busy = [reason for reason in reasons if isinstance(reason[1], TurnedAway)]
            if not busy:
                raise _none_of(reasons)
            try:
                await outage.wait(*busy[0], 0.0, note)
            except HostGone:
                raise _none_of(reasons) from None

    async def dial(self, host: str) -> asyncssh.SSHClientConnection:
        """One try. Raises HostGone, or Failed for a changed key."""
        await self.hang_up()
        bastion = self._where.bastion
        if bastion is None:
            return await self._connect(self.address(host), self._where.user)
        at = Address(bastion.host, bastion.port)
        try:
            through = await self._connect(at, bastion.user)
        except HostGone as gone:
            raise type(gone)(f"is behind the bastion {at}, which {gone}") from None
        try:
            return await self._connect(self.address(host), self._where.user, Tunnel(through))
        except BastionGone as gone:
            raise BastionGone(f"is behind the bastion {at}, which {gone}") from None

    async def hang_up(self) -> None:
        while self._open:
            await hang_up(self._open.pop())

    async def _connect(
        self, address: Address, user: str, through: Tunnel | None = None
    ) -> asyncssh.SSHClientConnection:
        timings = self._timings
        login = Login(user, self._keys, timings.connect_seconds, timings.keepalive_seconds)
        while True:
            try:
                connection = await connect(address, login, self._pins, through)
            except HostKeyUnknown as unknown:
                await self._offer(
                    HostKeyOffered(address.host, address.port, unknown.line, unknown.fingerprint)
                )
                self._pins[str(address)] = unknown.line
            else:
                self._open.append(connection)
                return connection


def _none_of(reasons: Sequence[tuple[str, HostGone]]) -> Failed:
    texts = [f"{address} {gone}" for address, gone in reasons]
    if len(texts) == 1:
        return Failed(f"{texts[0]}.")
    return Failed(f"None of the {len(texts)} hosts can be used: {'; '.join(texts)}.")

"""The way to the hosts: through the bastion, in their order, and again when they went away."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import asyncssh

from adapters.ssh.connection import Address, HostKeyUnknown, Login, connect, hang_up
from adapters.ssh.failures import Failed, HostGone
from adapters.ssh.timings import Timings
from application.ports import HostKeyOffered
from domain.installation import Connection

FIRST_PAUSE_SECONDS = 0.25

Offer = Callable[[HostKeyOffered], Awaitable[None]]
Note = Callable[[str], Awaitable[None]]


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
        return Address(host, self._where.port)

    def name(self, host: str) -> str:
        """How a person calls the host and the user on it."""
        return f"{self._where.user}@{self.address(host)}"

    async def choose(self) -> tuple[str, asyncssh.SSHClientConnection]:
        """The first host that lets us in. Raises Failed with each host's reason when none does."""
        reasons = []
        for host in self._where.hosts:
            try:
                return host, await self.dial(host)
            except HostGone as gone:
                reasons.append(f"{self.address(host)} {gone}")
        if len(reasons) == 1:
            raise Failed(f"{reasons[0]}.")
        raise Failed(f"None of the {len(reasons)} hosts can be used: {'; '.join(reasons)}.")

    async def dial(self, host: str) -> asyncssh.SSHClientConnection:
        """One try. Raises HostGone, or Failed for a changed key."""
        await self.hang_up()
        through = None
        bastion = self._where.bastion
        if bastion:
            at = Address(bastion.host, bastion.port)
            try:
                through = await self._connect(at, bastion.user)
            except HostGone as gone:
                raise HostGone(f"is behind the bastion {at}, which {gone}") from None
        return await self._connect(self.address(host), self._where.user, through)

    async def again(self, host: str, until: float, note: Note) -> asyncssh.SSHClientConnection:
        """Tries until a time of the loop's clock, with longer and longer pauses between.

        Raises HostGone with the last reason.
        """
        now = asyncio.get_running_loop().time
        pause, tries = FIRST_PAUSE_SECONDS, 0
        while True:
            tries += 1
            try:
                connection = await self.dial(host)
            except HostGone as gone:
                if now() + pause > until:
                    raise
                if tries == 1:
                    await note(f"{self.address(host)} {gone}. Trying again.")
                await asyncio.sleep(pause)
                pause = min(pause * 2, self._timings.longest_pause_seconds)
            else:
                if tries > 1:
                    await note(f"{self.address(host)} is back.")
                return connection

    async def hang_up(self) -> None:
        while self._open:
            await hang_up(self._open.pop())

    async def _connect(
        self, address: Address, user: str, through: asyncssh.SSHClientConnection | None = None
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

"""The time in which a host is away, or of no use: what is told of it, and how long it may last."""

import asyncio
from collections.abc import Awaitable, Callable

from adapters.ssh.backoff import ReconnectBackoff
from adapters.ssh.failures import HostGone
from adapters.ssh.timings import Timings

Note = Callable[[str], Awaitable[None]]


class Outage:
    """Losses of one host that follow each other, until it has been well for a while.

    Each reason is told once: who reads the log wants to know what happened, and not how often.
    """

    def __init__(self, timings: Timings) -> None:
        self._timings = timings
        self._backoff = ReconnectBackoff(timings.longest_pause_seconds)
        self._begun_at: float | None = None
        self._until = 0.0
        self._connected_at: float | None = None
        self._told: set[str] = set()
        self._is_return_told = True

    @property
    def seconds(self) -> float:
        """How long nothing was heard of the script."""
        return _now() - self._begun_at if self._begun_at is not None else 0.0

    async def connected(self, address: str, note: Note) -> None:
        """The host lets us in and has the task's folder."""
        self._connected_at = _now()
        if not self._is_return_told:
            self._is_return_told = True
            await note(f"{address} is back.")

    def heard(self) -> None:
        """The script was heard of: the time to wait for the host begins anew."""
        self._begun_at = None

    async def wait(self, address: str, gone: HostGone, phase_until: float, note: Note) -> None:
        """Tell of a loss and wait before the next try. Raises it when there is no time left: the
        phase's is over, and the host was waited for long enough."""
        was_connected, self._connected_at = self._connected_at, None
        if was_connected is not None and _now() - was_connected >= self._timings.steady_seconds:
            self._is_over()
        if self._begun_at is None:
            self._begun_at = _now()
            self._until = max(phase_until, _now() + self._timings.patience_seconds)
        left = self._until - _now()
        if left <= 0:
            raise gone
        await self._tell(address, gone, note, is_first=was_connected is not None)
        pause = self._backoff.next_pause(self.seconds, after_refusal=gone.is_refusal)
        await asyncio.sleep(min(pause, left))

    async def _tell(self, address: str, gone: HostGone, note: Note, *, is_first: bool) -> None:
        text = f"{address} went away: {gone}." if is_first else f"{address} {gone}. Trying again."
        if text not in self._told:
            self._told.add(text)
            self._is_return_told = is_first
            await note(text)

    def _is_over(self) -> None:
        self._backoff.reset()
        self._told.clear()
        self._begun_at = None


def _now() -> float:
    return asyncio.get_running_loop().time()

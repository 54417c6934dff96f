"""A delivery brings the log out of the house: what cannot go is set aside, and goes when it can."""

import asyncio
from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from typing import Generic, Protocol, TypeVar

from application.ports import Mark
from domain.model import Recorded

T = TypeVar("T")

ASK_SECONDS = 2.0
"""How long a delivery with nothing to deliver waits before it looks what it is to try again."""
TRIED_AT_ONCE = 500


class Deliveries(Protocol):
    """Where it is kept how far one reader of the log has delivered it, and what it went past."""

    async def of(self, partitions: Collection[int]) -> Mapping[int, Mark]: ...

    async def save(self, partition: int, mark: Mark) -> None: ...

    async def park(self, position: int, reason: str) -> None:
        """Set one position aside, so that what comes after it goes on; this was one try more."""
        ...

    async def asked(self, limit: int) -> Sequence[int]:
        """The first of those set aside that somebody wants to be tried again, in order."""
        ...

    async def settle(self, positions: Collection[int]) -> None:
        """These were delivered after all."""
        ...


class Log(Protocol):
    """The log, read by position."""

    async def read(self, after: int = 0, limit: int = 500) -> Sequence[Recorded]: ...


async def records_at(log: Log, positions: Sequence[int]) -> Sequence[Recorded]:
    """The records at these positions, in order."""
    return [record for position in positions for record in await log.read(position - 1, 1)]


def end_if_cancelled() -> None:
    """Raise CancelledError where a wait within has swallowed it, as some do before Python 3.12."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


class Waiting(Generic[T]):
    """Pages whose wait may be broken off without a loss.

    `ahead`: the next one is made while one is used. Then what was not used yet comes again after
    the stream's server was away.
    """

    def __init__(self, pages: AsyncGenerator[T, None], *, ahead: bool = False) -> None:
        self._pages = pages
        self._ahead = ahead
        self._next: asyncio.Task[T] | None = None

    async def within(self, seconds: float) -> T | None:
        """The next page; None when there is none in this time."""
        following = self._begun()
        done, _ = await asyncio.wait([following], timeout=seconds)
        if not done:
            return None
        self._next = None
        page = following.result()
        if self._ahead:
            self._begun()
        return page

    async def aclose(self) -> None:
        following, self._next = self._next, None
        while following is not None and not following.done():
            following.cancel()
            # Again, if a wait within has swallowed it.
            await asyncio.wait([following], timeout=1)
        if following is not None and not following.cancelled():
            # Its error, if any: nobody waits for it any more.
            following.exception()
        await self._pages.aclose()

    def _begun(self) -> "asyncio.Task[T]":
        if self._next is None:
            self._next = asyncio.create_task(self._following(), name="a delivery's next page")
        return self._next

    async def _following(self) -> T:
        return await anext(self._pages)

"""What readers have seen and the log has lost; who found it stands still until it is accepted."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg_pool import AsyncConnectionPool

from adapters.postgres.connection import reachable
from application.ports import EventsLost, Unavailable

ASK_SECONDS = 1.0
REMIND_SECONDS = 60.0
FOUND = """
    insert into deliveries.lost_events as known (reader, seen, head, kept) values (%s, %s, %s, %s)
    on conflict (reader) where accepted_at is null do update
    set seen = greatest(known.seen, excluded.seen), kept = least(known.kept, excluded.kept)
"""
OPEN = """
    select reader, seen, head, kept, found_at from deliveries.lost_events
    where accepted_at is null order by found_at, reader
"""
# A mark of a reader whose place counts in the log itself: where it cannot go on, it goes on from
# the log's end.
FORGET_MARKS = """
    update deliveries.marks m
    set position = least(m.position, h.position), next_offset = least(m.position, h.position) + 1,
        leaf_hash = null
    from log.head h where m.source = 'log' and (m.position > h.position
        or m.leaf_hash is distinct from (
            select e.leaf_hash from log.stored_events e where e.notification_id = m.position))
"""
ACCEPT = (
    "update deliveries.lost_events set accepted_at = clock_timestamp() where accepted_at is null"
)
ACCEPTED = """
    select count(*) from deliveries.lost_events where reader = %s and accepted_at is not null
"""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Loss:
    """What one reader found: see EventsLost."""

    reader: str
    seen: int
    head: int
    kept: int | None
    found_at: datetime

    def __str__(self) -> str:
        return (
            f"{self.reader} stands still. {self.lost}"
            " To go on without them, run `quarterdeck accept-loss`."
        )

    @property
    def lost(self) -> EventsLost:
        return EventsLost(self.seen, self.head, self.kept)


class LostEvents:
    """What was found and is not accepted yet. All of it raises Unavailable."""

    def __init__(self, pool: AsyncConnectionPool) -> None:
        self._pool = pool

    async def found(self, reader: str, lost: EventsLost) -> None:
        """Keep what a reader found, until somebody accepts it."""
        with reachable():
            async with self._pool.connection() as connection:
                await connection.execute(FOUND, [reader, lost.seen, lost.head, lost.kept])

    async def open(self) -> Sequence[Loss]:
        """What is not accepted yet, in the order in which it was found."""
        with reachable():
            async with self._pool.connection() as connection:
                cursor = await connection.execute(OPEN)
                return [Loss(*row) for row in await cursor.fetchall()]

    async def accepted(self, reader: str) -> int:
        """How often a loss that this reader found was accepted."""
        with reachable():
            async with self._pool.connection() as connection:
                cursor = await connection.execute(ACCEPTED, [reader])
                (count,) = await cursor.fetchone() or (0,)
        return int(count)

    async def accept(self) -> None:
        """Let every reader go on, one that is ahead of the log from the log's end."""
        with reachable():
            async with self._pool.connection() as connection, connection.transaction():
                await connection.execute(FORGET_MARKS)
                await connection.execute(ACCEPT)

    async def until_accepted(self, reader: str) -> None:
        """Wait while something that this reader found is open, and say so every minute."""
        remind_at = time.monotonic()
        while loss := next((loss for loss in await self.open() if loss.reader == reader), None):
            if time.monotonic() >= remind_at:
                logger.error("%s", loss)
                remind_at = time.monotonic() + REMIND_SECONDS
            await asyncio.sleep(ASK_SECONDS)


class HaltAtLostEvents:
    """A reader's work, which stands still where events were lost until somebody accepts that.

    `forget` lets go of what the work remembers of the log, for another process of this reader may
    have found the loss.
    """

    def __init__(
        self,
        losses: LostEvents,
        reader: str,
        work: Callable[[], Awaitable[None]],
        forget: Callable[[], None] = lambda: None,
    ) -> None:
        self._losses = losses
        self._reader = reader
        self._work = work
        self._forget = forget
        self._lost: EventsLost | None = None
        self._accepted: int | None = None

    async def run(self) -> None:
        """Returns when the work does, and raises what it raises."""
        while True:
            try:
                await self._until_accepted()
            except Unavailable as error:
                logger.warning("%s waits for the database: %s", self._reader, error.detail)
                await asyncio.sleep(ASK_SECONDS)
                continue
            try:
                return await self._work()
            except EventsLost as lost:
                self._lost = lost

    async def _until_accepted(self) -> None:
        if self._lost is not None:
            await self._losses.found(self._reader, self._lost)
            self._lost = None
        await self._losses.until_accepted(self._reader)
        accepted = await self._losses.accepted(self._reader)
        if self._accepted not in (None, accepted):
            self._forget()
        self._accepted = accepted

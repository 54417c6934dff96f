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


async def halt_at_lost_events(
    losses: LostEvents, reader: str, work: Callable[[], Awaitable[None]]
) -> None:
    """Do a reader's work; where events were lost it stands still until somebody accepts that.

    Returns when the work does, and raises what it raises.
    """
    lost: EventsLost | None = None
    while True:
        try:
            if lost is not None:
                await losses.found(reader, lost)
                lost = None
            await losses.until_accepted(reader)
        except Unavailable as error:
            logger.warning("%s waits for the database: %s", reader, error.detail)
            await asyncio.sleep(ASK_SECONDS)
            continue
        try:
            return await work()
        except EventsLost as found:
            lost = found

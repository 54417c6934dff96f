"""Time travel: every query, unchanged, over the read models as they were at an instant."""

from collections import OrderedDict
from collections.abc import AsyncIterator, Collection, Hashable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from psycopg_pool import AsyncConnectionPool

from adapters.postgres.connection import reachable
from adapters.postgres.mapper import COLUMNS
from adapters.postgres.scratch import WAIT_SECONDS, Scratch
from adapters.postgres.stream import Decode
from application.fair_turns import FairTurns
from domain.model import Recorded
from projections.projection import Projection
from projections.reader import Reader, rfc3339

MOST_INSTANTS = 8
MOST_POSITIONS = 1_000
BUILT_AT_ONCE = 1


class TimeMachine:
    """Readers of the past; the instants last asked for are kept, each in a session of its own."""

    def __init__(
        self,
        dsn: str,
        pool: AsyncConnectionPool,
        decode: Decode,
        projections: Collection[Projection],
        instants: int = MOST_INSTANTS,
        wait_seconds: float = WAIT_SECONDS,
    ) -> None:
        self._dsn = dsn
        self._pool = pool
        self._decode = decode
        self._projections = projections
        self._instants = instants
        self._wait_seconds = wait_seconds
        self._turns = FairTurns(BUILT_AT_ONCE)
        self._kept: OrderedDict[int, Scratch] = OrderedDict()
        self._positions: OrderedDict[datetime, int] = OrderedDict()

    @asynccontextmanager
    async def at(self, moment: datetime, tenant: Hashable = None) -> AsyncIterator[Reader]:
        """A reader of the read models as they were at the moment.

        The first query that names a read model builds it, from the part of the log that concerns
        it, in the turn of the tenant who came first. Raises Unavailable, or Overloaded.
        """
        position = await self.position_at(moment)
        if position not in self._kept:
            self._kept[position] = Scratch(
                self._dsn,
                self._decode,
                self._projections,
                position,
                rfc3339(moment),
                partial(self._turns.turn, tenant),
                self._wait_seconds,
            )
        scratch = self._kept[position]
        self._kept.move_to_end(position)
        scratch.users += 1
        try:
            yield scratch
        finally:
            scratch.users -= 1
            await self._forget_the_oldest()

    @property
    def waiting(self) -> int:
        """How many instants wait for their turn to be built."""
        return self._turns.waiting

    async def position_at(self, moment: datetime) -> int:
        """The last position recorded at or before the moment; 0 before the first."""
        if moment not in self._positions:
            head = await self._head()
            position = await self._search(moment, head)
            if position == head:
                # What comes next may still be of that moment.
                return position
            self._positions[moment] = position
            if len(self._positions) > MOST_POSITIONS:
                self._positions.popitem(last=False)
        return self._positions[moment]

    async def _search(self, moment: datetime, high: int) -> int:
        low = 0
        # recorded_at rises with the position, and positions have no holes.
        while low < high:
            middle = (low + high + 1) // 2
            if await self._recorded_at(middle) <= moment:
                low = middle
            else:
                high = middle - 1
        return low

    async def events_until(self, stream_id: UUID, moment: datetime) -> Sequence[Recorded]:
        """The events of one stream up to the moment, to be folded by its aggregate."""
        position = await self.position_at(moment)
        with reachable():
            async with self._pool.connection() as connection:
                cursor = connection.cursor(binary=True)
                await cursor.execute(
                    f"select {COLUMNS} from log.stored_events where originator_id = %s"
                    " and notification_id <= %s order by originator_version".encode(),
                    [stream_id, position],
                )
                return [self._decode(*row) for row in await cursor.fetchall()]

    async def close(self) -> None:
        """Drop every instant."""
        while self._kept:
            _, scratch = self._kept.popitem()
            await scratch.close()

    async def _forget_the_oldest(self) -> None:
        idle = [position for position, scratch in self._kept.items() if not scratch.users]
        for position in idle[: max(0, len(self._kept) - self._instants)]:
            await self._kept.pop(position).close()

    async def _head(self) -> int:
        return int(await self._value("select position from log.head"))

    async def _recorded_at(self, position: int) -> datetime:
        query = "select recorded_at from log.stored_events where notification_id = %s"
        recorded_at: datetime = await self._value(query, position)
        return recorded_at

    async def _value(self, query: str, *parameters: object) -> Any:
        with reachable():
            async with self._pool.connection() as connection:
                cursor = await connection.execute(query.encode(), parameters)
                row = await cursor.fetchone()
        assert row is not None
        return row[0]

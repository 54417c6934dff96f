"""How the system itself is: who follows the log, what is parked, which processes run."""

from collections.abc import Mapping, Sequence
from typing import Any

from psycopg_pool import AsyncConnectionPool

from adapters.postgres.lost_events import LostEvents
from adapters.postgres.marks import Parked, ask_again
from adapters.postgres.marks import parked as parked_deliveries
from adapters.postgres.parked_events import parked_events, replay_parked
from adapters.postgres.processes import seen_processes
from adapters.postgres.reader import PostgresReader
from adapters.postgres.stream import Decode
from domain.model import NotFound
from projections.projection import Projection
from projections.reader import Shown, rfc3339

PROJECTIONS = """
    select b.projection as name, 'projection' as kind, b.version,
           greatest(coalesce(min(p.upto), 0), b.built_to) as position,
           (select count(*) from read_models.parked_events e where e.build = b.build) as parked
    from read_models.builds b left join read_models.positions p using (build)
    where b.is_active group by b.build order by 1
"""
DELIVERIES = """
    select m.reader as name, 'delivery' as kind, null as version,
           min(m.next_offset - 1) as position,
           (select count(*) from deliveries.parked d where d.reader = m.reader) as parked
    from deliveries.marks m where m.source = 'log' group by m.reader order by 1
"""
LAG = """
    select asked.position, coalesce(extract(epoch from clock_timestamp() - (
        select recorded_at from log.stored_events where notification_id = asked.position + 1
    )), 0)::float8 as lag_seconds
    from unnest(%(positions)s::bigint[]) as asked(position)
"""


class PostgresSystem:
    """What operators are shown, and the retry of what was parked."""

    def __init__(
        self,
        dsn: str,
        pool: AsyncConnectionPool,
        reader: PostgresReader,
        decode: Decode,
        projections: Sequence[Projection],
    ) -> None:
        self._dsn = dsn
        self._pool = pool
        self._reader = reader
        self._decode = decode
        self._projections = {projection.name: projection for projection in projections}

    async def readers(self) -> Sequence[Shown]:
        """`name`, `kind`, `version`, `position`, `lag_seconds`, `parked` of all who follow."""
        found = [*await self._reader.rows(PROJECTIONS), *await self._reader.rows(DELIVERIES)]
        positions = sorted({row["position"] for row in found})
        lags = await self._reader.rows(LAG, {"positions": positions})
        lag_at = {row["position"]: row["lag_seconds"] for row in lags}
        return [{**row, "lag_seconds": lag_at[row["position"]]} for row in found]

    async def parked(self) -> Sequence[Shown]:
        """Events that could not be shown, and those that could not be sent."""
        shown = [_not_shown(row) for row in await parked_events(self._reader)]
        sent = await parked_deliveries(self._pool)
        return [*shown, *(_not_sent(each) for each in sent)]

    async def lost(self) -> Sequence[str]:
        """A sentence for each reader that stands still because events were lost."""
        return [str(loss) for loss in await LostEvents(self._pool).open()]

    async def processes(self) -> Sequence[Shown]:
        """`kind`, `name`, `detail`, `seen_at`, `is_alive`."""
        return [
            {**row, "seen_at": rfc3339(row["seen_at"])} for row in await seen_processes(self._pool)
        ]

    async def retry(self, reader: str) -> str:
        """Try again what a reader has parked. Raises NotFound when it has nothing, or is none."""
        projection = self._projections.get(reader)
        if projection is not None:
            done = await replay_parked(self._dsn, self._decode, projection)
            return f"{done.shown} parked events are shown now, {done.left} still cannot be."
        count = await ask_again(self._pool, reader)
        if not count:
            raise NotFound(f"There is nothing that {reader} has parked.")
        what = "One parked event is" if count == 1 else f"{count} parked events are"
        return f"{what} tried again; what cannot be sent stays here."


def _not_shown(row: Mapping[str, Any]) -> Shown:
    return {
        "reader": row["projection"],
        "position": row["position"],
        "topic": row["topic"],
        "reason": row["reason"],
        "tries": row["tries"],
        "parked_at": row["parked_at"],
        "name": None,
        "can_retry": True,
    }


def _not_sent(parked: Parked) -> Shown:
    return {
        "reader": parked.reader,
        "position": parked.position,
        "topic": parked.topic,
        "reason": parked.reason,
        "tries": parked.tries,
        "parked_at": rfc3339(parked.parked_at),
        "name": None,
        "can_retry": True,
    }

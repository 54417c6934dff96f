"""Marks tell how far each reader has delivered the log, and what it had to leave out."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg_pool import AsyncConnectionPool

from adapters.postgres.connection import reachable
from adapters.postgres.continuity import must_continue
from application.ports import Mark

BEGIN = """
    insert into deliveries.marks (reader, source, partition, next_offset, position)
    select %(reader)s, %(source)s, partition, 0, 0 from unnest(%(partitions)s::int[]) as partition
    on conflict do nothing
"""
# What was delivered from another source is not delivered again: there, all is done up to the
# partition that is furthest behind.
READ = """
    select partition, next_offset, greatest(position, done),
           case when position >= coalesce(done, 0) then leaf_hash end
    from deliveries.marks, (
        select max(done) as done from (
            select min(position) as done from deliveries.marks
            where reader = %(reader)s and source <> %(source)s group by source) as each
    ) as others
    where reader = %(reader)s and source = %(source)s and partition = any(%(partitions)s)
"""
# A reader that was replaced while it slept cannot take its successor back.
SAVE = """
    insert into deliveries.marks as kept
        (reader, source, partition, next_offset, position, leaf_hash)
    select %s, %s, %s, %s, %s, %s from set_config('synchronous_commit', %s, true)
    on conflict (reader, source, partition) do update
    set next_offset = excluded.next_offset, position = excluded.position,
        leaf_hash = excluded.leaf_hash,
        saved_at = clock_timestamp()
    where kept.position <= excluded.position
"""
PARK = """
    insert into deliveries.parked as known (reader, position, reason) values (%s, %s, %s)
    on conflict (reader, position) do update
    set reason = excluded.reason, tries = known.tries + 1, asked_at = null
"""
ASKED = """
    select position from deliveries.parked
    where reader = %s and asked_at is not null order by position limit %s
"""
PARKED = """
    select p.reader, p.position, e.topic, p.reason, p.tries, p.parked_at
    from deliveries.parked p left join log.stored_events e on e.notification_id = p.position
    order by p.parked_at desc, p.position desc limit %s
"""


@dataclass(slots=True, frozen=True)
class Parked:
    """What a reader went past, and why."""

    reader: str
    position: int
    topic: str | None
    reason: str
    tries: int
    parked_at: datetime


class PostgresMarks:
    """delivery.Deliveries of one reader in one source; `of` is a ports.Marks.

    With `durable=False` a crash of the database may take back the last half second of saves: for
    readers to whom that is only some duplicates more.
    """

    def __init__(
        self, pool: AsyncConnectionPool, reader: str, source: str = "log", *, durable: bool = True
    ) -> None:
        self._pool = pool
        self._reader = reader
        self._source = source
        self._commit = "on" if durable else "off"

    async def of(self, partitions: Collection[int]) -> Mapping[int, Mark]:
        """The place in each partition. Raises Unavailable, as all of these do."""
        asked = {"reader": self._reader, "source": self._source, "partitions": list(partitions)}
        with reachable():
            async with self._pool.connection() as connection:
                await connection.execute(BEGIN, asked)
                cursor = await connection.execute(READ, asked)
                rows = await cursor.fetchall()
        return {partition: Mark(*place) for partition, *place in rows}

    async def save(self, partition: int, mark: Mark) -> None:
        """Keep the place, unless a later one is kept."""
        place = [self._reader, self._source, partition, mark.offset, mark.position, mark.leaf]
        with reachable():
            async with self._pool.connection() as connection:
                await connection.execute(SAVE, [*place, self._commit])

    async def must_continue(self, seen: Collection[Mark]) -> None:
        """Raise EventsLost unless the log holds what was seen elsewhere."""
        with reachable():
            async with self._pool.connection() as connection:
                await must_continue(connection, seen)

    async def shared_over(self, topic: str) -> int | None:
        """Over how many partitions of a topic the workspaces are shared out; None: not known."""
        with reachable():
            async with self._pool.connection() as connection:
                cursor = await connection.execute(
                    "select partitions from deliveries.topics where name = %s", [topic]
                )
                row = await cursor.fetchone()
        return row[0] if row else None

    async def share_over(self, topic: str, partitions: int) -> None:
        with reachable():
            async with self._pool.connection() as connection:
                await connection.execute(
                    "insert into deliveries.topics values (%s, %s)"
                    " on conflict (name) do update set partitions = excluded.partitions",
                    [topic, partitions],
                )

    async def park(self, position: int, reason: str) -> None:
        """Set one position aside, so that what comes after it goes on; this was one try more."""
        with reachable():
            async with self._pool.connection() as connection:
                await connection.execute(PARK, [self._reader, position, reason])

    async def asked(self, limit: int) -> Sequence[int]:
        """The first of those set aside that are to be tried again, in order."""
        with reachable():
            async with self._pool.connection() as connection:
                cursor = await connection.execute(ASKED, [self._reader, limit])
                return [position for (position,) in await cursor.fetchall()]

    async def settle(self, positions: Collection[int]) -> None:
        """Forget what was set aside and is delivered now."""
        with reachable():
            async with self._pool.connection() as connection:
                await connection.execute(
                    "delete from deliveries.parked where reader = %s and position = any(%s)",
                    [self._reader, list(positions)],
                )


async def parked(pool: AsyncConnectionPool, limit: int = 1000) -> Sequence[Parked]:
    """What was set aside by all readers, the newest first."""
    with reachable():
        async with pool.connection() as connection:
            cursor = await connection.execute(PARKED, [limit])
            return [Parked(*row) for row in await cursor.fetchall()]


async def ask_again(pool: AsyncConnectionPool, reader: str) -> int:
    """Let all that a reader has set aside be tried again; how much that is."""
    with reachable():
        async with pool.connection() as connection:
            cursor = await connection.execute(
                "update deliveries.parked set asked_at = clock_timestamp() where reader = %s",
                [reader],
            )
    return cursor.rowcount

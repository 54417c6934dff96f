"""When each cluster is looked at next and what was found last, one row each."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from psycopg_pool import AsyncConnectionPool

from adapters.postgres.connection import reachable
from application.routine_checks import Look, Plan
from domain.clusters import Found

LOCK = "select pg_try_advisory_xact_lock('samples.routine_checks'::regclass::oid::bigint)"
FORGET = """
    delete from samples.routine_checks planned
    where not exists (
        select from unnest(%s::uuid[]) as wanted (cluster_id)
        where wanted.cluster_id = planned.cluster_id
    )
"""
PLAN = """
    insert into samples.routine_checks as known (cluster_id, every, due_at)
    select wanted.cluster_id, wanted.every, wanted.since + wanted.every
    from unnest(%s::uuid[], %s::interval[], %s::timestamptz[]) as wanted (cluster_id, every, since)
    left join samples.routine_checks planned using (cluster_id)
    where planned.cluster_id is null or planned.every <> wanted.every
        or planned.due_at < wanted.since + wanted.every
    on conflict (cluster_id) do update set
        every = excluded.every,
        due_at = case
            when known.every = excluded.every then greatest(known.due_at, excluded.due_at)
            else greatest(excluded.due_at, known.looked_at + excluded.every)
        end
"""
"""Only rows that change are written: to touch one is to keep it from those who take."""
TAKE = """
    update samples.routine_checks set due_at = %(until)s
    where cluster_id in (
        select cluster_id from samples.routine_checks where due_at <= %(now)s
        order by due_at limit %(limit)s for update skip locked
    )
    returning cluster_id
"""
KEEP = """
    update samples.routine_checks
    set looked_at = %(at)s, found = %(found)s, detail = %(detail)s, due_at = %(at)s + every
    where cluster_id = %(cluster_id)s
"""


class PostgresRoutineChecks:
    """application.routine_checks.RoutineChecks."""

    def __init__(self, pool: AsyncConnectionPool) -> None:
        self._pool = pool

    async def plan(self, plans: Collection[Plan]) -> None:
        """Another who plans at the same time does it for us."""
        ids = [plan.cluster_id for plan in plans]
        columns = [ids, [plan.interval for plan in plans], [plan.since for plan in plans]]
        with reachable():
            async with self._pool.connection() as connection, connection.transaction():
                cursor = await connection.execute(LOCK)
                if await cursor.fetchone() == (True,):
                    await connection.execute(FORGET, [ids])
                    await connection.execute(PLAN, columns)

    async def take(self, now: datetime, patience: timedelta, limit: int) -> Sequence[UUID]:
        with reachable():
            async with self._pool.connection() as connection:
                cursor = await connection.execute(
                    TAKE, {"now": now, "until": now + patience, "limit": limit}
                )
                return [row[0] for row in await cursor.fetchall()]

    async def keep(self, cluster_id: UUID, look: Look) -> None:
        detail = look.detail.replace("\0", "\ufffd")
        given = {"at": look.at, "found": look.found.value, "detail": detail}
        with reachable():
            async with self._pool.connection() as connection:
                await connection.execute(KEEP, {"cluster_id": cluster_id, **given})

    async def give_back(self, cluster_id: UUID, now: datetime) -> None:
        with reachable():
            async with self._pool.connection() as connection:
                await connection.execute(
                    "update samples.routine_checks set due_at = %s where cluster_id = %s",
                    [now, cluster_id],
                )

    async def last(self, cluster_ids: Collection[UUID]) -> Mapping[UUID, Look]:
        with reachable():
            async with self._pool.connection() as connection:
                cursor = await connection.execute(
                    "select cluster_id, looked_at, found, detail from samples.routine_checks"
                    " where cluster_id = any(%s::uuid[]) and looked_at is not null",
                    [list(cluster_ids)],
                )
                rows = await cursor.fetchall()
        return {row[0]: Look(row[1], Found(row[2]), row[3]) for row in rows}

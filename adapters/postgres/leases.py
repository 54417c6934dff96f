"""Leases by the database's clock: who works on what just now."""

from collections.abc import Collection
from datetime import timedelta

from psycopg_pool import AsyncConnectionPool

from adapters.postgres.connection import reachable

RAN_OUT = "held.until not between clock_timestamp() and clock_timestamp() + held.lasts"
"""Also when it ends later than it could: the server's clock was set back."""


class PostgresLeases:
    """ports.Leases."""

    def __init__(self, pool: AsyncConnectionPool) -> None:
        self._pool = pool

    async def hold(self, name: str, holder: str, seconds: float) -> bool:
        with reachable():
            async with self._pool.connection() as connection:
                cursor = await connection.execute(
                    "insert into samples.leases as held"
                    " values (%(name)s, %(holder)s, clock_timestamp() + %(lasts)s, %(lasts)s)"
                    " on conflict (name) do update set"
                    " holder = excluded.holder, until = excluded.until, lasts = excluded.lasts"
                    f" where held.holder = excluded.holder or {RAN_OUT}"
                    " returning true",
                    {"name": name, "holder": holder, "lasts": timedelta(seconds=seconds)},
                )
                return await cursor.fetchone() is not None

    async def release(self, name: str, holder: str) -> None:
        with reachable():
            async with self._pool.connection() as connection:
                await connection.execute(
                    "delete from samples.leases where name = %s and holder = %s", [name, holder]
                )

    async def expired(self, names: Collection[str]) -> Collection[str]:
        with reachable():
            async with self._pool.connection() as connection:
                cursor = await connection.execute(
                    "select asked.name from unnest(%s::text[]) as asked(name)"
                    " left join samples.leases held on held.name = asked.name"
                    f" where held.name is null or {RAN_OUT}",
                    [list(names)],
                )
                return {row[0] for row in await cursor.fetchall()}

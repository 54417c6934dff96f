"""Leases by the database's clock: who works on what just now."""

from collections.abc import Collection

from psycopg_pool import AsyncConnectionPool

from adapters.postgres.connection import reachable


class PostgresLeases:
    """ports.Leases."""

    def __init__(self, pool: AsyncConnectionPool) -> None:
        self._pool = pool

    async def hold(self, name: str, holder: str, seconds: float) -> bool:
        with reachable():
            async with self._pool.connection() as connection:
                cursor = await connection.execute(
                    "insert into samples.leases as held"
                    " values (%(name)s, %(holder)s, clock_timestamp() + %(for)s * interval '1 s')"
                    " on conflict (name) do update"
                    " set holder = excluded.holder, until = excluded.until"
                    " where held.holder = excluded.holder or held.until < clock_timestamp()"
                    " returning true",
                    {"name": name, "holder": holder, "for": seconds},
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
                    " where held.name is null or held.until < clock_timestamp()",
                    [list(names)],
                )
                return {row[0] for row in await cursor.fetchall()}

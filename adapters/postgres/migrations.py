"""The database's schema: numbered SQL files, each applied once, by one process at a time."""

from importlib.resources import files

import psycopg

from adapters.postgres.sessions import connect

LOCK = 0x7175_6172_7465_7265


class DatabaseIsNewer(Exception):
    """The database was made by a newer Quarterdeck than this one."""


def steps() -> list[tuple[int, str, str]]:
    """All steps as (number, name, SQL), in order."""
    found = files("adapters.postgres").joinpath("schema").iterdir()
    named = sorted((f.name, f) for f in found if f.name[:4].isdecimal())
    return [(int(name[:4]), name.removesuffix(".sql"), f.read_text()) for name, f in named]


async def migrate(dsn: str) -> list[str]:
    """Bring the database to this version; the names of the steps that were applied.

    Raises DatabaseIsNewer when it holds steps that this version does not know.
    """
    async with await connect(dsn, name="migrate") as connection:
        await connection.execute("select pg_advisory_lock(%s)", [LOCK])
        return await _apply(connection)


async def _apply(connection: psycopg.AsyncConnection[tuple[object, ...]]) -> list[str]:
    cursor = await connection.execute("select to_regclass('public.quarterdeck_schema')")
    if await cursor.fetchone() == (None,):
        await connection.execute(
            "create table public.quarterdeck_schema"
            " (number int primary key, name text not null, applied_at timestamptz default now())"
        )
    cursor = await connection.execute("select number from public.quarterdeck_schema")
    done = {row[0] for row in await cursor.fetchall()}
    known = steps()
    newer = done - {number for number, _, _ in known}
    if newer:
        raise DatabaseIsNewer(
            f"The database holds schema step {max(newer)}, which this version does not know;"  # type: ignore[type-var]
            " start the newer Quarterdeck, or restore a backup made before it."
        )
    applied = []
    for number, name, sql in known:
        if number not in done:
            async with connection.transaction():
                await connection.execute(sql)
                await connection.execute(
                    "insert into public.quarterdeck_schema values (%s, %s)", [number, name]
                )
            applied.append(name)
    return applied

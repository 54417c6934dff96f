"""A build is one projection's tables at one version: made, filled beside, activated, dropped."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, LiteralString

import psycopg
from psycopg import AsyncConnection
from psycopg.rows import dict_row

from adapters.postgres.sessions import WRITES_READ_MODELS, connect
from projections.projection import Projection, Table
from projections.reader import Reader, Shown

INSTALLING = 0x7175_6172_7465_7266
"""The advisory lock of whoever changes which builds there are: "quarterf"."""

Connection = AsyncConnection[Any]


@dataclass(frozen=True, slots=True)
class Build:
    """The tables of a projection in a schema of their own."""

    id: int
    projection: Projection
    schema: str
    built_to: int = 0
    """Up to here it was filled straight from the log, whatever the stream's partitions."""


async def install(dsn: str, projections: Iterable[Projection], retired: Sequence[str] = ()) -> None:
    """Give every projection that has no active build an empty one, so that it can be read.

    Builds of the `retired` are dropped. Not those of every name that is not known: a process of
    the version before, started again while a newer one comes, does not know the newer one's.
    Run it after `migrate`, before any process reads; it also drops what older builds left.
    """
    async with await connect_to_write(dsn, "install") as connection:
        await connection.execute("select pg_advisory_lock(%s)", [INSTALLING])
        async with connection.transaction():
            await _retire(connection, "projection = any(%s)", [list(retired)])
        for projection in projections:
            if not await _has_active_build(connection, projection.name):
                async with connection.transaction():
                    await activate(connection, await create(connection, projection))
        await sweep(connection)


async def connect_to_write(dsn: str, name: str) -> Connection:
    """A connection for whoever writes read models."""
    return await connect(dsn, name=name, settings=WRITES_READ_MODELS)


async def active_builds(
    connection: Connection, projections: Iterable[Projection]
) -> dict[Projection, Build]:
    """The active builds that are of these projections' own versions."""
    cursor = connection.cursor(row_factory=dict_row)
    await cursor.execute("select * from read_models.builds where is_active")
    rows = {(row["projection"], row["version"]): row for row in await cursor.fetchall()}
    return {
        projection: _build(projection, rows[projection.name, projection.version])
        for projection in projections
        if (projection.name, projection.version) in rows
    }


async def create(connection: Connection, projection: Projection) -> Build:
    """New, empty tables beside those that are read."""
    cursor = await connection.execute(
        "insert into read_models.builds (projection, version, schema_name, tables)"
        " values (%s, %s, gen_random_uuid()::text, %s) returning build",
        [projection.name, projection.version, [table.name for table in projection.tables]],
    )
    (number,) = await cursor.fetchone() or (0,)
    schema = await _free_schema(connection, f"read_{projection.name}_v{projection.version}")
    await connection.execute(
        "update read_models.builds set schema_name = %s where build = %s", [schema, number]
    )
    await connection.execute("select read_models.add_schema(%s)", [schema])
    await create_tables(connection, f'"{schema}".', projection.tables)
    return Build(number, projection, schema)


async def create_tables(
    connection: Connection, prefix: str, tables: Iterable[Table], kind: str = ""
) -> None:
    """The tables with their keys and indexes; `prefix` is the schema with its dot."""
    for table in tables:
        columns = ", ".join(f'"{name}" {type_}' for name, type_ in table.columns.items())
        key = ", ".join(f'"{name}"' for name in table.key)
        # Rows are changed in place where their page has room for the next version of them.
        room = 100 if table.as_of else 80
        await connection.execute(
            f'create {kind} table {prefix}"{table.name}" ({columns}, primary key ({key}))'
            f" with (fillfactor = {room})".encode()
        )
        for index in table.indexes:
            await connection.execute(f'create index on {prefix}"{table.name}" {index}'.encode())


async def activate(connection: Connection, build: Build) -> None:
    """Let the views show this build and nothing of the one before, which is dropped from the list.

    Within one transaction: readers see the one or the other. Its schema is dropped by `sweep`.
    """
    await _retire(connection, "projection = %s and is_active", [build.projection.name])
    for table in build.projection.tables:
        await connection.execute(
            f'create view read."{table.name}" as'
            f' select * from "{build.schema}"."{table.name}"'.encode()
        )
    await connection.execute(
        "update read_models.builds set is_active = true, built_to = %s where build = %s",
        [build.built_to, build.id],
    )


async def _retire(
    connection: Connection, which: LiteralString, parameters: Sequence[object]
) -> None:
    """Take builds off the list, and the views that showed them away."""
    cursor = await connection.execute(
        f"delete from read_models.builds where {which} returning is_active, tables", parameters
    )
    for is_active, tables in await cursor.fetchall():
        for table in tables if is_active else []:
            await connection.execute(f'drop view read."{table}"'.encode())


async def outdated(reader: Reader, projections: Iterable[Projection]) -> list[str]:
    """The projections whose build that is read is older than theirs: it is being replaced."""
    rows = await reader.rows("select projection, version from read_models.builds where is_active")
    read = {row["projection"]: row["version"] for row in rows}
    return [each.name for each in projections if read.get(each.name, 0) < each.version]


async def progress(reader: Reader) -> list[Shown]:
    """How far each read model is: `behind` in events, `lag_seconds` since the first not shown.

    `building` is the version that is made beside, if one is, and `building_position` its place.
    """
    return await reader.rows(PROGRESS)


PROGRESS = """
    select b.projection, b.version, b.schema_name, coalesce(p.upto, b.built_to) as position,
           h.position - coalesce(p.upto, b.built_to) as behind, p.moved_at,
           coalesce(extract(epoch from clock_timestamp() - e.recorded_at), 0)::float8
               as lag_seconds,
           (select count(*) from read_models.parked_events where build = b.build) as parked,
           n.version as building, n.position as building_position
    from read_models.builds b
    cross join log.head h
    left join lateral (
        select min(upto) as upto, max(moved_at) as moved_at from read_models.positions
        where build = b.build
    ) p on true
    left join log.stored_events e on e.notification_id = coalesce(p.upto, b.built_to) + 1
    left join lateral (
        select n.version, coalesce(max(q.upto), 0) as position
        from read_models.builds n left join read_models.positions q using (build)
        where n.projection = b.projection and not n.is_active group by n.build, n.version limit 1
    ) n on true
    where b.is_active order by b.projection
"""


async def discard(connection: Connection, build: Build) -> None:
    """Drop a build that is not read."""
    await connection.execute(
        "delete from read_models.builds where build = %s and not is_active", [build.id]
    )
    await sweep(connection)


async def sweep(connection: Connection) -> None:
    """Drop the schemas of builds that are no more; one that is still read is left for later."""
    cursor = await connection.execute(
        r"select nspname from pg_namespace where nspname ~ '^read_.*_v\d+(_\d+)?$'"
        " and nspname not in (select schema_name from read_models.builds)"
    )
    for (schema,) in await cursor.fetchall():
        await _drop_schema(connection, schema)


async def _drop_schema(connection: Connection, schema: str) -> None:
    try:
        async with connection.transaction():
            await connection.execute("set local lock_timeout = '1s'")
            await connection.execute(f'drop schema if exists "{schema}" cascade'.encode())
    except psycopg.errors.LockNotAvailable:
        return


async def _has_active_build(connection: Connection, name: str) -> bool:
    cursor = await connection.execute(
        "select 1 from read_models.builds where projection = %s and is_active", [name]
    )
    return await cursor.fetchone() is not None


async def _free_schema(connection: Connection, wanted: str) -> str:
    cursor = await connection.execute(
        "select nspname from pg_namespace where starts_with(nspname, %s)", [wanted]
    )
    taken = {name for (name,) in await cursor.fetchall()}
    names = [wanted, *(f"{wanted}_{n}" for n in range(2, len(taken) + 3))]
    return next(name for name in names if name not in taken)


def _build(projection: Projection, row: Mapping[str, Any]) -> Build:
    return Build(row["build"], projection, row["schema_name"], row["built_to"])

"""A comparison sets a copy of a read model, taken at one position, beside a rebuilt one."""

import asyncio
from dataclasses import dataclass
from typing import Any

from adapters.postgres.feeding import Connection
from adapters.postgres.read_models import Build, active_builds
from projections.projection import Projection, Table

COPY = "pg_temp"
MOST_DIFFERENCES = 20
PAUSE_SECONDS = 0.1


class NotSettled(Exception):
    """The read model moves in several partitions at once: there is no position to compare at."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A row that is not the same: its table, its key, and it as it is read and as it came out."""

    table: str
    key: dict[str, Any]
    live: dict[str, Any] | None
    rebuilt: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """A read model and the one built beside it at the same position; hashes by table."""

    projection: str
    position: int
    live: dict[str, str]
    rebuilt: dict[str, str]
    differences: list[Difference]

    @property
    def is_equal(self) -> bool:
        return self.live == self.rebuilt


async def copy_live(connection: Connection, projection: Projection, tries: int) -> int:
    """Copy the active build into temporary tables; the position it stands at.

    Raises NotSettled, or LookupError when there is no active build of this version.
    """
    for _ in range(tries):
        async with connection.transaction():
            await connection.execute("set transaction isolation level repeatable read")
            live = (await active_builds(connection, [projection])).get(projection)
            if live is None:
                raise LookupError(f"{projection.name} has no active build of this version")
            position = await _settled_at(connection, live)
            if position is not None:
                await _copy(connection, live)
                return position
        await asyncio.sleep(PAUSE_SECONDS)
    raise NotSettled(f"{projection.name} does not come to rest in all its partitions")


async def compare(connection: Connection, rebuilt: Build, position: int) -> Comparison:
    """Compare the copy with a build at the same position."""
    tables = rebuilt.projection.tables
    live_hashes = {table.name: await _hash(connection, COPY, table) for table in tables}
    hashes = {table.name: await _hash(connection, rebuilt.schema, table) for table in tables}
    changed = [table for table in tables if live_hashes[table.name] != hashes[table.name]]
    rows = [row for table in changed for row in await _differences(connection, rebuilt, table)]
    return Comparison(rebuilt.projection.name, position, live_hashes, hashes, rows)


async def _settled_at(connection: Connection, live: Build) -> int | None:
    """The position up to which all partitions have been seen and beyond which none is."""
    cursor = await connection.execute(
        "select distinct upto from read_models.positions where build = %s", [live.id]
    )
    positions = [upto for (upto,) in await cursor.fetchall()] or [live.built_to]
    return positions[0] if len(positions) == 1 else None


async def _copy(connection: Connection, live: Build) -> None:
    for table in live.projection.tables:
        await connection.execute(
            f'create temporary table "{table.name}" as'
            f' select * from "{live.schema}"."{table.name}"'.encode()
        )


async def _hash(connection: Connection, schema: str, table: Table) -> str:
    """SHA-256 over all rows in the order of their keys, with all their columns."""
    key = ", ".join(f't."{name}"' for name in table.key)
    cursor = await connection.execute(
        "select encode(sha256(coalesce(string_agg("
        f"sha256(convert_to(t::text, 'UTF8')), ''::bytea order by {key}), '')), 'hex')"
        f' from "{schema}"."{table.name}" t'.encode()
    )
    (digest,) = await cursor.fetchone() or ("",)
    return str(digest)


async def _differences(connection: Connection, rebuilt: Build, table: Table) -> list[Difference]:
    same = " and ".join(f'l."{name}" = r."{name}"' for name in table.key)
    cursor = await connection.execute(
        "select to_jsonb(l), to_jsonb(r)"
        f' from "{COPY}"."{table.name}" l full join "{rebuilt.schema}"."{table.name}" r'
        f" on {same} where to_jsonb(l) is distinct from to_jsonb(r)"
        f" limit {MOST_DIFFERENCES}".encode()
    )
    return [
        Difference(table.name, {name: (live or other)[name] for name in table.key}, live, other)
        for live, other in await cursor.fetchall()
    ]

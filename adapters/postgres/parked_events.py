"""Parked events could not be shown; when the rule is mended they are replayed."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from adapters.postgres.feeding import Connection, rows_after
from adapters.postgres.mapper import COLUMNS
from adapters.postgres.patience import describe
from adapters.postgres.read_models import Build, active_builds, connect_to_write
from adapters.postgres.stream import Decode
from domain.model import Recorded
from projections.projection import Projection
from projections.reader import Reader, Shown

PARKED = f"""
    select {COLUMNS} from log.stored_events where notification_id in (
        select position from read_models.parked_events
        where build = %s and (%s::uuid is null or stream_id = %s)
    ) order by notification_id
"""


@dataclass(frozen=True, slots=True)
class Replayed:
    """How many parked events are shown now, and how many still cannot be."""

    shown: int
    left: int


async def replay_parked(
    dsn: str, decode: Decode, projection: Projection, stream_id: UUID | None = None
) -> Replayed:
    """Try the parked events of a projection again, in order; in a stream, until one fails.

    All or those of one stream. The projector stands still for this projection meanwhile, and then
    reads anew what is parked.
    """
    async with await connect_to_write(dsn, "replay of parked events") as connection:
        build = (await active_builds(connection, [projection])).get(projection)
        if build is None:
            return Replayed(0, 0)
        async with connection.transaction():
            await _stop_feeding(connection, build)
            return await _replay(
                connection, build, await _parked(connection, build, stream_id, decode)
            )


async def _stop_feeding(connection: Connection, build: Build) -> None:
    await connection.execute(
        "update read_models.positions set epoch = epoch + 1 where build = %s", [build.id]
    )


async def _parked(
    connection: Connection, build: Build, stream_id: UUID | None, decode: Decode
) -> Sequence[Recorded]:
    cursor = connection.cursor(binary=True)
    await cursor.execute(PARKED, [build.id, stream_id, stream_id])
    return [decode(*row) for row in await cursor.fetchall()]


async def _replay(connection: Connection, build: Build, records: Sequence[Recorded]) -> Replayed:
    failed: set[UUID] = set()
    left = 0
    for recorded in records:
        if recorded.stream_id in failed or not await _show(connection, build, recorded):
            failed.add(recorded.stream_id)
            left += 1
    return Replayed(len(records) - left, left)


async def _show(connection: Connection, build: Build, recorded: Recorded) -> bool:
    key = [build.id, recorded.position]
    try:
        async with connection.transaction():
            await _write(connection, build, recorded)
            await connection.execute(
                "delete from read_models.parked_events where build = %s and position = %s", key
            )
    except Exception as error:
        # A rule may raise anything at all.
        await connection.execute(
            "update read_models.parked_events set tries = tries + 1, reason = %s"
            " where build = %s and position = %s",
            [describe(error), *key],
        )
        return False
    return True


async def _write(connection: Connection, build: Build, recorded: Recorded) -> None:
    rows = await rows_after(connection, build, [recorded])
    for text, arrays in rows.statements(build.schema):
        await connection.execute(text, arrays)


async def parked_events(reader: Reader, projection: str | None = None) -> list[Shown]:
    """Every parked event of the active builds, by projection and position."""
    return await reader.rows(
        "select b.projection, b.version as projection_version, e.position, e.stream_id, e.version,"
        " e.topic, e.reason, e.tries, e.parked_at"
        " from read_models.parked_events e join read_models.builds b using (build)"
        " where b.is_active and (%(name)s::text is null or b.projection = %(name)s)"
        " order by b.projection, e.position",
        {"name": projection},
    )

"""Read models are built anew, compared and switched while they are read and fed."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import pytest

from adapters.postgres.comparison import NotSettled
from adapters.postgres.feeding import Overtaken, load_feeds
from adapters.postgres.mapper import Mapper
from adapters.postgres.parked_events import parked_events
from adapters.postgres.patience import Patience
from adapters.postgres.projector import Projector
from adapters.postgres.read_models import (
    active_builds,
    connect_to_write,
    install,
    outdated,
    progress,
)
from adapters.postgres.rebuild import Rebuilder
from adapters.postgres.stream import LogStream
from adapters.postgres.visibility import Visibility
from application.ports import Unavailable
from domain.model import Recorded
from domain.workspaces import WorkspaceCreated, WorkspaceRenamed
from projections.projection import Change, Projection, Table
from projections.workspaces import workspaces
from tests.projections.scenario import Scenario, scenario

SECONDS = 20.0
SHOUT = "!"
SCHEMAS = r"select nspname from pg_namespace where nspname like 'read\_names%'"


def names(version: int, suffix: str = "", extra: bool = False) -> Projection:
    """A projection of names whose later versions show them otherwise, or in more columns."""
    columns = {"workspace_id": "uuid", "name": "text", **({"length": "integer"} if extra else {})}
    table = Table("names", columns, ["workspace_id"])
    known = Projection("names", version, [table])

    @known.when
    def named(event: WorkspaceCreated | WorkspaceRenamed, recorded: Recorded) -> Iterator[Change]:
        shown = event.name + suffix
        more = {"length": len(shown)} if extra else {}
        yield table.put(recorded.stream_id, name=shown, **more)

    return known


def rebuilder(scene: Scenario) -> Rebuilder:
    return Rebuilder(scene.dsn, Mapper().recorded, Patience(tries=1))


@asynccontextmanager
async def running(scene: Scenario, *projections: Projection) -> AsyncIterator[Visibility]:
    decode = Mapper().recorded
    stream = LogStream(scene.dsn, decode, poll_seconds=0.2)
    projector = Projector(scene.dsn, projections, stream, rebuilder(scene))
    visibility = Visibility(scene.dsn, projections)
    async with at_work(projector.run()), at_work(visibility.run()):
        yield visibility


@asynccontextmanager
async def at_work(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Something that goes on until it is not needed any more."""
    task = asyncio.create_task(work)
    yield
    assert not task.done(), task
    task.cancel()
    await asyncio.wait([task])


@asynccontextmanager
async def written_to(scene: Scenario) -> AsyncIterator[None]:
    """Events all the while; the last one is told of before this ends."""
    is_enough = asyncio.Event()

    async def write_on() -> None:
        for n in itertools.count(1):
            await scene.given(uuid4(), WorkspaceCreated(name=f"more {n}", slug="ab"))
            if is_enough.is_set():
                return

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(write_on())
        try:
            yield
        finally:
            is_enough.set()


async def shown(scene: Scenario) -> list[str]:
    return [row["name"] for row in await scene.reader.rows("select name from names order by name")]


@pytest.fixture
async def scene(database: str) -> AsyncIterator[Scenario]:
    async with scenario(database, [names(1)]) as scene:
        for n in range(30):
            await scene.given(uuid4(), WorkspaceCreated(name=f"w{n:02}", slug="ab"))
        await scene.feed()
        yield scene


async def test_a_rebuild_takes_the_place_of_the_build_before(scene: Scenario) -> None:
    before = await scene.contents()
    build = await rebuilder(scene).rebuild(scene.projections[0])
    assert build.schema == "read_names_v1_2"
    assert await scene.contents() == before
    async with await connect_to_write(scene.dsn, "look") as connection:
        cursor = await connection.execute(SCHEMAS)
        assert await cursor.fetchall() == [("read_names_v1_2",)]


async def test_a_difference_is_found_and_told(scene: Scenario) -> None:
    async with await connect_to_write(scene.dsn, "vandal") as connection:
        await connection.execute(
            "update read_names_v1.names set name = 'forged' where name = 'w07'"
        )
        await connection.execute("delete from read_names_v1.names where name = 'w08'")
    comparison = await rebuilder(scene).check(scene.projections[0])
    assert not comparison.is_equal
    told = {
        ((row.live or {}).get("name"), (row.rebuilt or {}).get("name"))
        for row in comparison.differences
    }
    assert told == {("forged", "w07"), (None, "w08")}


async def test_a_read_model_that_a_newer_version_has_no_more_goes_and_nobody_waits_for_it(
    scene: Scenario,
) -> None:
    (former,) = scene.projections
    await scene.feed()
    await install(scene.dsn, [workspaces], [former.name])
    assert [row["projection"] for row in await progress(scene.reader)] == ["workspaces"]
    with pytest.raises(Unavailable):
        await shown(scene)
    async with await connect_to_write(scene.dsn, "look") as connection:
        cursor = await connection.execute(SCHEMAS)
        assert await cursor.fetchall() == []
    async with running(scene, workspaces) as visibility:
        position = await scene.given(uuid4(), WorkspaceCreated(name="late", slug="ab"))
        assert await visibility.wait_for(position, SECONDS)
    await install(scene.dsn, [workspaces, former])
    async with running(scene, former) as visibility:
        assert await visibility.wait_for(position, SECONDS)
    assert len(await shown(scene)) == 31


async def test_a_version_that_does_not_know_a_read_model_leaves_it_to_the_one_that_does(
    scene: Scenario,
) -> None:
    await install(scene.dsn, [workspaces])
    assert len(await shown(scene)) == 30
    async with running(scene, workspaces) as visibility:
        position = await scene.given(uuid4(), WorkspaceCreated(name="late", slug="ab"))
        assert await visibility.wait_for(position, SECONDS)


async def test_a_process_that_still_has_a_read_model_that_went_builds_it_again(
    scene: Scenario,
) -> None:
    async with running(scene, scene.projections[0], workspaces) as visibility:
        await install(scene.dsn, [workspaces], ["names"])
        position = await scene.given(uuid4(), WorkspaceCreated(name="late", slug="ab"))
        assert await visibility.wait_for(position, SECONDS)
    assert len(await shown(scene)) == 31


async def test_a_check_compares_at_one_position_while_the_projector_works(scene: Scenario) -> None:
    async with running(scene, scene.projections[0]), written_to(scene):
        for _ in range(3):
            comparison = await rebuilder(scene).check(scene.projections[0])
            assert comparison.is_equal, comparison.differences


async def test_a_check_leaves_nothing_behind(scene: Scenario) -> None:
    await rebuilder(scene).check(scene.projections[0])
    async with await connect_to_write(scene.dsn, "look") as connection:
        cursor = await connection.execute("select count(*) from read_models.builds")
        assert await cursor.fetchone() == (1,)


async def test_what_moves_in_two_partitions_has_no_position_to_compare_at(scene: Scenario) -> None:
    async with await connect_to_write(scene.dsn, "second partition") as connection:
        await connection.execute(
            "insert into read_models.positions select build, source, 1, 0, 5, 5, 0"
            " from read_models.positions"
        )
    with pytest.raises(NotSettled):
        await Rebuilder(scene.dsn, Mapper().recorded, tries_to_settle=2).check(scene.projections[0])


async def test_a_rebuild_under_load_loses_nothing(scene: Scenario) -> None:
    async with running(scene, scene.projections[0]) as visibility:
        async with written_to(scene):
            for _ in range(3):
                await rebuilder(scene).rebuild(scene.projections[0])
        position = await scene.store.head()
        assert await visibility.wait_for(position, SECONDS)
    comparison = await rebuilder(scene).check(scene.projections[0])
    assert comparison.is_equal, comparison.differences
    assert len(await shown(scene)) == position


async def test_readers_never_stop_while_a_new_version_is_built_and_switched_to(
    scene: Scenario,
) -> None:
    newer = names(2, SHOUT, extra=True)
    is_switched = asyncio.Event()

    async def read_on() -> int:
        reads = 0
        while not is_switched.is_set() or reads < 50:
            found = await shown(scene)
            assert len(found) >= 30
            assert len({name.endswith(SHOUT) for name in found}) == 1
            reads += 1
        return reads

    readers = [asyncio.create_task(read_on()) for _ in range(4)]
    await install(scene.dsn, [newer])
    async with running(scene, newer) as visibility:
        position = await scene.given(uuid4(), WorkspaceCreated(name="late", slug="ab"))
        while (await progress(scene.reader))[0]["version"] != 2:
            assert await visibility.wait_for(0, SECONDS)
        assert await visibility.wait_for(position, SECONDS)
        is_switched.set()
        assert all(reads >= 50 for reads in await asyncio.gather(*readers))
    rows = await scene.reader.rows("select * from names where name = 'late!'")
    assert [row["length"] for row in rows] == [5]


async def test_what_a_newer_version_reads_is_unavailable_until_it_is_built(scene: Scenario) -> None:
    newer = names(2, extra=True)
    lengths = "select length from names"
    await install(scene.dsn, [newer])
    assert await outdated(scene.reader, [newer]) == ["names"]
    with pytest.raises(Unavailable, match="being built"):
        await scene.reader.rows(lengths)
    async with running(scene, newer):
        while await outdated(scene.reader, [newer]):
            await asyncio.sleep(0)
    assert {row["length"] for row in await scene.reader.rows(lengths)} == {3}
    assert await outdated(scene.reader, scene.projections) == []


async def test_marks_of_another_source_lead_to_a_rebuild(scene: Scenario) -> None:
    decode = Mapper().recorded
    stream = LogStream(scene.dsn, decode)
    projector = Projector(
        scene.dsn, scene.projections, stream, rebuilder(scene), source="kafka:events"
    )
    task = asyncio.create_task(projector.run())
    while {row["schema_name"] for row in await progress(scene.reader)} == {"read_names_v1"}:
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    assert len(await shown(scene)) == 30


async def test_what_cannot_be_shown_is_parked_in_the_new_build_too(scene: Scenario) -> None:
    broken = names(2)
    table = broken.tables[0]
    refusing = Projection("names", 3, [table])

    @refusing.when
    def named(event: WorkspaceCreated, recorded: Recorded) -> Iterator[Change]:
        if event.name == "w03":
            raise ValueError("not this one")
        yield table.put(recorded.stream_id, name=event.name)

    await rebuilder(scene).rebuild(refusing)
    assert len(await shown(scene)) == 29
    assert [row["reason"] for row in await parked_events(scene.reader)] == [
        "ValueError: not this one"
    ]


async def test_feeds_of_a_build_that_was_replaced_meanwhile_are_not_given(scene: Scenario) -> None:
    async with await connect_to_write(scene.dsn, "slow") as connection:
        builds = list((await active_builds(connection, scene.projections)).values())
        await rebuilder(scene).rebuild(scene.projections[0])
        with pytest.raises(Overtaken):
            await load_feeds(connection, builds, "log", [0])

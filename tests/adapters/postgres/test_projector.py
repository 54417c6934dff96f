"""The projector keeps read models up with the log, whatever fails beside it."""

import asyncio
import os
import secrets
import signal
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
import pytest

from adapters.postgres.feeding import Overtaken, load_feeds, write
from adapters.postgres.mapper import Mapper
from adapters.postgres.parked_events import parked_events, replay_parked
from adapters.postgres.patience import Patience
from adapters.postgres.projector import Projector
from adapters.postgres.read_models import active_builds, connect_to_write, progress
from adapters.postgres.rebuild import Rebuilder
from adapters.postgres.stream import LogReader, LogStream
from adapters.postgres.visibility import Visibility
from application.ports import Marks, Page, Unavailable
from domain.model import Recorded
from domain.workspaces import WorkspaceCreated, WorkspaceRenamed
from projections.projection import Change, Projection, Table
from projections.subjects import subjects
from projections.workspaces import all_workspaces, workspaces
from tests.projections.scenario import Scenario, scenario
from tests.support import servers

SECONDS = 20.0
names = Table("names", {"workspace_id": "uuid", "name": "text"}, ["workspace_id"])


class BadName(Exception):
    """What the rule of these tests cannot show."""


def fussy(refused: set[str]) -> Projection:
    """A projection that cannot show some names."""
    known = Projection("fussy", 1, [names])

    @known.when
    def named(event: WorkspaceCreated | WorkspaceRenamed, recorded: Recorded) -> Iterator[Change]:
        if event.name in refused:
            raise BadName(f"{event.name} is no name")
        yield names.put(recorded.stream_id, name=event.name)

    return known


def created(name: str = "Acme") -> WorkspaceCreated:
    return WorkspaceCreated(name=name, slug="acme")


def renamed(name: str) -> WorkspaceRenamed:
    return WorkspaceRenamed(name=name, previous_name="before")


def projector(scene: Scenario, group: str | None = None) -> Projector:
    decode = Mapper().recorded
    patience = Patience(tries=2, first_pause_seconds=0.001)
    return Projector(
        scene.dsn,
        scene.projections,
        LogStream(scene.dsn, decode, group=group, poll_seconds=0.2),
        Rebuilder(scene.dsn, decode, patience),
        patience=patience,
    )


@asynccontextmanager
async def running(
    scene: Scenario, group: str | None = None, seen: Sequence[Projection] = ()
) -> AsyncIterator[Visibility]:
    """A projector at work, and how to wait for what it shows, of all or of some projections."""
    visibility = Visibility(scene.dsn, seen or scene.projections)
    tasks = [
        asyncio.create_task(projector(scene, group).run(), name="projector"),
        asyncio.create_task(visibility.run(), name="visibility"),
    ]
    yield visibility
    for task in tasks:
        assert not task.done(), task
        task.cancel()
    await asyncio.wait(tasks)


async def shown(scene: Scenario) -> list[str]:
    return [row["name"] for row in await scene.reader.rows("select name from names order by name")]


@pytest.fixture
async def scene(database: str) -> AsyncIterator[Scenario]:
    async with scenario(database, [workspaces, subjects]) as scene:
        yield scene


@pytest.fixture
def refused() -> set[str]:
    return {"bad"}


@pytest.fixture
async def fussy_scene(database: str, refused: set[str]) -> AsyncIterator[Scenario]:
    async with scenario(database, [fussy(refused), workspaces, subjects]) as scene:
        yield scene


async def test_what_is_appended_is_shown_to_whom_waits_for_it(scene: Scenario) -> None:
    async with running(scene) as visibility:
        for n in range(5):
            position = await scene.given(uuid4(), created(f"w{n}"))
            assert await visibility.wait_for(position, SECONDS)
            assert len(await all_workspaces(scene.reader)) == n + 1


async def test_nobody_waits_for_ever(scene: Scenario) -> None:
    async with running(scene) as visibility:
        assert not await visibility.wait_for(1_000, 0.05)


async def test_a_projection_that_fails_parks_the_event_and_the_others_go_on(
    fussy_scene: Scenario,
) -> None:
    scene = fussy_scene
    async with running(scene) as visibility:
        await scene.given(uuid4(), created("bad"))
        position = await scene.given(uuid4(), created("good"))
        assert await visibility.wait_for(position, SECONDS)
    assert await shown(scene) == ["good"]
    assert [row["name"] for row in await all_workspaces(scene.reader)] == ["bad", "good"]
    (parked,) = await parked_events(scene.reader)
    assert (parked["projection"], parked["position"], parked["tries"]) == ("fussy", 1, 2)
    assert parked["reason"] == "BadName: bad is no name"


async def test_what_follows_in_a_parked_stream_waits_behind_it(fussy_scene: Scenario) -> None:
    scene, stream_id = fussy_scene, uuid4()
    async with running(scene) as visibility:
        await scene.given(stream_id, created("first"), renamed("bad"), renamed("third"))
        position = await scene.given(stream_id, renamed("fourth"))
        assert await visibility.wait_for(position, SECONDS)
    assert await shown(scene) == ["first"]
    parked = await parked_events(scene.reader, "fussy")
    assert [(row["position"], row["tries"]) for row in parked] == [(2, 2), (3, 0), (4, 0)]


async def test_a_stream_stays_parked_over_a_restart(fussy_scene: Scenario) -> None:
    scene, stream_id = fussy_scene, uuid4()
    async with running(scene) as visibility:
        position = await scene.given(stream_id, created("first"), renamed("bad"))
        assert await visibility.wait_for(position, SECONDS)
    async with running(scene) as visibility:
        position = await scene.given(stream_id, renamed("third"))
        assert await visibility.wait_for(position, SECONDS)
    assert await shown(scene) == ["first"]


async def test_parked_events_are_replayed_in_order_once_the_rule_is_mended(
    fussy_scene: Scenario, refused: set[str]
) -> None:
    scene, stream_id = fussy_scene, uuid4()
    async with running(scene) as visibility:
        position = await scene.given(stream_id, created("bad"), renamed("second"))
        assert await visibility.wait_for(position, SECONDS)
        replayed = await replay_parked(scene.dsn, Mapper().recorded, scene.projections[0])
        assert (replayed.shown, replayed.left) == (0, 2)
        refused.clear()
        replayed = await replay_parked(scene.dsn, Mapper().recorded, scene.projections[0])
        assert (replayed.shown, replayed.left) == (2, 0)
        # The projector at work has heard of it: the stream goes on.
        position = await scene.given(stream_id, renamed("third"))
        assert await visibility.wait_for(position, SECONDS)
    assert await shown(scene) == ["third"]
    assert await parked_events(scene.reader) == []


async def test_an_event_from_the_future_is_parked_where_it_might_have_had_a_rule(
    scene: Scenario,
) -> None:
    async with await connect_to_write(scene.dsn, "future") as connection:
        await connection.execute(
            "insert into log.stored_events"
            " (originator_id, originator_version, topic, state, notification_id)"
            " values (gen_random_uuid(), 1, 'from.the.future', '{}', 1),"
            " (gen_random_uuid(), 1, 'task.claimed', '{}', 2),"
            " (gen_random_uuid(), 1, 'workspace.renamed', '{}', 3)"
        )
        await connection.execute("update log.head set position = 3")
    async with running(scene) as visibility:
        assert await visibility.wait_for(3, SECONDS)
    parked = [(row["projection"], row["position"]) for row in await parked_events(scene.reader)]
    assert parked == [("subjects", 1), ("subjects", 3), ("workspaces", 1), ("workspaces", 3)]


async def test_a_zombie_writes_nothing(scene: Scenario) -> None:
    stream_id = uuid4()
    await scene.given(stream_id, created("first"))
    async with (
        await connect_to_write(scene.dsn, "one") as one,
        await connect_to_write(scene.dsn, "two") as two,
    ):
        feeds = [await _feeds(scene, connection) for connection in (one, two)]
        page = await LogReader(one, Mapper().recorded).page(1)
        assert page is not None
        await write(one, feeds[0], page)
        await scene.given(stream_id, renamed("second"))
        more = await LogReader(two, Mapper().recorded).page(1)
        assert more is not None
        with pytest.raises(Overtaken):
            await write(two, feeds[1], more)
    assert [row["name"] for row in await all_workspaces(scene.reader)] == ["first"]


async def test_a_page_that_comes_again_changes_nothing(scene: Scenario) -> None:
    await scene.given(uuid4(), created("first"))
    async with await connect_to_write(scene.dsn, "again") as connection:
        feeds = await _feeds(scene, connection)
        page = await LogReader(connection, Mapper().recorded).page(1)
        assert page is not None
        await write(connection, feeds, page)
        (build,) = (await active_builds(connection, [workspaces])).values()
        changed = f"update {build.schema}.workspaces set name = 'since then'"
        await connection.execute(changed.encode())
        await write(connection, feeds, page)
    assert [row["name"] for row in await all_workspaces(scene.reader)] == ["since then"]


async def _feeds(scene: Scenario, connection: psycopg.AsyncConnection[object]) -> list[object]:
    builds = await active_builds(connection, scene.projections)
    return list((await load_feeds(connection, list(builds.values()), "log", [0]))[0])


async def test_a_database_that_takes_no_writes_is_waited_for(scene: Scenario) -> None:
    position = await scene.given(uuid4(), created("w"))
    async with await connect_to_write(scene.dsn, "operator") as operator:
        database = operator.info.dbname
        await operator.execute(
            f"alter database {database} set default_transaction_read_only = on".encode()
        )
        async with running(scene) as visibility:
            assert not await visibility.wait_for(position, 1.0)
            await operator.execute(
                f"alter database {database} reset default_transaction_read_only".encode()
            )
            await operator.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where datname = current_database() and pid <> pg_backend_pid()"
            )
            assert await visibility.wait_for(position, SECONDS)
    assert await parked_events(scene.reader) == []


class Stubborn:
    """A stream that answers its end with a fault."""

    def __init__(self) -> None:
        self.is_followed = asyncio.Event()

    async def follow(self, _: Marks) -> AsyncIterator[Page]:
        self.is_followed.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise Overtaken from None
        yield Page(0, [], 0, 0)


async def test_it_ends_when_told_to_also_while_something_fails(scene: Scenario) -> None:
    stream = Stubborn()
    rebuilder = Rebuilder(scene.dsn, Mapper().recorded)
    task = asyncio.create_task(Projector(scene.dsn, [], stream, rebuilder).run())
    await stream.is_followed.wait()
    task.cancel()
    done, _ = await asyncio.wait([task], timeout=SECONDS)
    assert done == {task}


async def test_two_projectors_take_turns(scene: Scenario) -> None:
    async with running(scene, "projector") as visibility, running(scene, "projector"):
        for n in range(20):
            position = await scene.given(uuid4(), created(f"w{n}"))
        assert await visibility.wait_for(position, SECONDS)
    assert len(await all_workspaces(scene.reader)) == 20


async def test_two_projectors_without_a_leader_do_no_harm(scene: Scenario) -> None:
    stream_id = uuid4()
    async with running(scene) as visibility, running(scene):
        position = await scene.given(stream_id, created("w"))
        for n in range(50):
            position = await scene.given(stream_id, renamed(f"w{n}"))
        assert await visibility.wait_for(position, SECONDS)
    assert [row["name"] for row in await all_workspaces(scene.reader)] == ["w49"]


async def test_a_read_model_whose_tables_are_gone_stops_alone_and_parks_nothing(
    fussy_scene: Scenario,
) -> None:
    scene = fussy_scene
    async with await connect_to_write(scene.dsn, "vandal") as connection:
        await connection.execute("drop schema read_fussy_v1 cascade")
    async with running(scene, seen=[workspaces, subjects]) as visibility:
        position = await scene.given(uuid4(), created("w"))
        assert await visibility.wait_for(position, SECONDS)
    assert await parked_events(scene.reader) == []
    behind = {row["projection"]: row["behind"] for row in await progress(scene.reader)}
    assert behind == {"fussy": 1, "workspaces": 0, "subjects": 0}


@pytest.mark.slow
async def test_read_models_survive_a_server_that_is_killed(server_folder: Path) -> None:
    with servers.postgres_under_test(server_folder / f"killed-{secrets.token_hex(4)}") as server:
        async with scenario(server.dsn, [workspaces, subjects]) as scene, running(scene) as seen:
            count = 0
            for _ in range(3):
                for _ in range(20):
                    count += 1
                    position = await until_given(scene, uuid4(), f"w{count}")
                os.kill(server.pid, signal.SIGKILL)
                await asyncio.to_thread(server.stop)
                await asyncio.to_thread(server.start)
            assert await seen.wait_for(position, SECONDS)
            comparison = await Rebuilder(scene.dsn, Mapper().recorded).check(workspaces)
            assert comparison.is_equal, comparison.differences


async def until_given(scene: Scenario, stream_id: UUID, name: str) -> int:
    while True:
        try:
            return await scene.given(stream_id, created(name))
        except Unavailable:
            continue

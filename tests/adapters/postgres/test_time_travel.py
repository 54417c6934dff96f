"""The past is shown by the same queries, exactly as it was."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from adapters.postgres.filling import Filler
from adapters.postgres.mapper import Mapper
from adapters.postgres.read_models import Build, connect_to_write, create_tables
from adapters.postgres.sessions import open_pool
from adapters.postgres.time_travel import TimeMachine
from application.ports import Unavailable
from domain.clusters import Cluster
from domain.model import Recorded
from domain.workspaces import WorkspaceCreated, WorkspaceRenamed
from projections import PROJECTIONS
from projections.cluster_list import ClusterFilter, cluster_list, clusters_where
from projections.history import HistoryFilter, history_where
from projections.projection import Change, Projection, Table
from projections.reader import Reader
from projections.workspaces import all_workspaces
from tests.projections.fleets import Fleet
from tests.projections.scenario import Scenario, scenario

SECONDS = 20.0


@pytest.fixture
async def scene(database: str) -> AsyncIterator[Scenario]:
    async with scenario(database) as scene:
        yield scene


@pytest.fixture
async def machine(scene: Scenario) -> AsyncIterator[TimeMachine]:
    async with open_pool(scene.dsn, name="time travel", size=2) as pool:
        machine = TimeMachine(scene.dsn, pool, Mapper().recorded, PROJECTIONS, instants=2)
        yield machine
        await machine.close()


async def moment_of(scene: Scenario, position: int) -> datetime:
    (recorded,) = await scene.store.read(position - 1, 1)
    return recorded.recorded_at


async def everything(reader: Reader) -> list[Any]:
    clusters = await clusters_where(reader, ClusterFilter())
    history = await history_where(reader, HistoryFilter(), limit=None)
    return [await all_workspaces(reader), clusters.rows, history.rows]


async def test_an_instant_shows_what_was_shown_then(scene: Scenario, machine: TimeMachine) -> None:
    fleet = Fleet(4).live(60)
    then: dict[int, list[Any]] = {}
    for n, (stream_id, event) in enumerate(fleet.facts, 1):
        await scene.given(stream_id, event)
        if n % (len(fleet.facts) // 4) == 0:
            await scene.feed()
            then[n] = await everything(scene.reader)
    await scene.feed()
    for position, shown in then.items():
        async with machine.at(await moment_of(scene, position)) as reader:
            assert await everything(reader) == shown


async def test_before_the_first_event_there_is_nothing(
    scene: Scenario, machine: TimeMachine
) -> None:
    for stream_id, event in Fleet(1).facts:
        await scene.given(stream_id, event)
    await scene.feed()
    async with machine.at(datetime(2020, 1, 1, tzinfo=UTC)) as reader:
        assert await everything(reader) == [[], [], []]


async def test_after_the_last_event_there_is_the_present(
    scene: Scenario, machine: TimeMachine
) -> None:
    for stream_id, event in Fleet(1).live(20).facts:
        await scene.given(stream_id, event)
    await scene.feed()
    async with machine.at(datetime.now(UTC) + timedelta(days=1)) as reader:
        assert await everything(reader) == await everything(scene.reader)


async def test_only_what_a_query_names_is_built(scene: Scenario, machine: TimeMachine) -> None:
    for stream_id, event in Fleet(1).facts:
        await scene.given(stream_id, event)
    tables = "select relname from pg_class where relpersistence = 't' and relkind = 'r'"
    async with machine.at(await moment_of(scene, 1)) as reader:
        assert len(await all_workspaces(reader)) == 1
        assert [row["relname"] for row in await reader.rows(tables)] == ["workspaces"]
        assert (await clusters_where(reader, ClusterFilter())).rows == []
        assert len(await reader.rows(tables)) == 4


async def test_the_past_is_built_on_when_nobody_waits_for_it_any_more(scene: Scenario) -> None:
    for stream_id, event in Fleet(4).live(60).facts:
        await scene.given(stream_id, event)
    await scene.feed()
    moment = await moment_of(scene, await scene.store.head())
    await scene.given(uuid4(), WorkspaceCreated(name="Later", slug="later"))
    decoded: list[int] = []

    def decode(*row: Any) -> Recorded:
        decoded.append(row[0])
        return Mapper().recorded(*row)

    async with open_pool(scene.dsn, name="time travel", size=2) as pool:
        machine = TimeMachine(scene.dsn, pool, decode, PROJECTIONS, wait_seconds=0.2)
        # It is kept, and asks the locked table no more.
        await machine.position_at(moment)
        async with await psycopg.AsyncConnection.connect(scene.dsn) as holding:
            await holding.execute("lock table log.stored_events")
            async with machine.at(moment) as reader:
                with pytest.raises(Unavailable, match="are being built"):
                    await clusters_where(reader, ClusterFilter())
            assert decoded == []
        async with asyncio.timeout(SECONDS):
            while (rows := await clusters_or_none(machine, moment)) is None:
                await asyncio.sleep(0)
        await machine.close()
    assert rows
    assert rows == (await clusters_where(scene.reader, ClusterFilter())).rows
    assert len(decoded) == len(set(decoded)) > 0


async def clusters_or_none(machine: TimeMachine, moment: datetime) -> list[Any] | None:
    try:
        async with machine.at(moment) as reader:
            return (await clusters_where(reader, ClusterFilter())).rows
    except Unavailable:
        return None


async def test_what_is_no_read_model_is_not_there(scene: Scenario, machine: TimeMachine) -> None:
    for stream_id, event in Fleet(1).facts:
        await scene.given(stream_id, event)
    async with machine.at(await moment_of(scene, 1)) as reader:
        with pytest.raises(psycopg.errors.UndefinedTable):
            await reader.rows("select * from anything")


async def test_the_past_cannot_be_changed(scene: Scenario, machine: TimeMachine) -> None:
    for stream_id, event in Fleet(1).facts:
        await scene.given(stream_id, event)
    async with machine.at(await moment_of(scene, 1)) as reader:
        with pytest.raises((psycopg.errors.ReadOnlySqlTransaction, Unavailable)):
            await reader.rows("create table read.forged (id int)")


async def test_few_instants_are_kept(scene: Scenario, machine: TimeMachine) -> None:
    for stream_id, event in Fleet(2).live(10).facts:
        await scene.given(stream_id, event)
    for position in range(1, 6):
        async with machine.at(await moment_of(scene, position)) as reader:
            await all_workspaces(reader)
    query = "select count(*) as n from pg_stat_activity where application_name = 'quarterdeck past'"
    async with asyncio.timeout(SECONDS):
        # A session that was closed ends a little later.
        while (await scene.reader.rows(query))[0]["n"] > 2:
            await asyncio.sleep(0)


async def test_an_instant_is_built_again_when_its_session_was_lost(
    scene: Scenario, machine: TimeMachine
) -> None:
    for stream_id, event in Fleet(1).facts:
        await scene.given(stream_id, event)
    moment = await moment_of(scene, 1)
    async with machine.at(moment) as reader:
        await all_workspaces(reader)
    async with await psycopg.AsyncConnection.connect(scene.dsn, autocommit=True) as connection:
        await connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where application_name = 'quarterdeck past'"
        )
    async with machine.at(moment) as reader:
        assert len(await all_workspaces(reader)) == 1


async def test_one_thing_is_folded_to_an_instant(scene: Scenario, machine: TimeMachine) -> None:
    fleet = Fleet(3).live(60)
    seen: dict[UUID, list[Cluster]] = {}
    positions: dict[UUID, int] = {}
    for stream_id, event in fleet.facts:
        position = await scene.given(stream_id, event)
        if stream_id in fleet.clusters:
            before = seen.setdefault(stream_id, [])
            before.append(Cluster.evolve(before[-1] if before else None, event))
            positions[stream_id] = position
    cluster = max(seen, key=lambda stream_id: len(seen[stream_id]))
    moment = await moment_of(scene, positions[cluster])
    records = await machine.events_until(cluster, moment)
    assert Cluster.fold(r.event for r in records) == seen[cluster][-1]
    earlier = await machine.events_until(cluster, records[1].recorded_at)
    assert Cluster.fold(r.event for r in earlier) == seen[cluster][1]


def test_the_list_of_clusters_is_built_and_not_filtered() -> None:
    assert all(table.as_of is None for table in cluster_list.tables)


FUSSY = Table(
    "fussy", {"workspace_id": "uuid", "name": "text", "size": "smallint"}, ["workspace_id"]
)


def fussy() -> Projection:
    """A projection that cannot show "bad", and whose row cannot be written for "big"."""
    known = Projection("fussy", 1, [FUSSY])

    @known.when
    def named(event: WorkspaceCreated | WorkspaceRenamed, recorded: Recorded) -> Iterator[Change]:
        yield FUSSY.put(recorded.stream_id, name="half of it")
        if event.name == "bad":
            raise ValueError("bad")
        yield FUSSY.put(
            recorded.stream_id, name=event.name, size=2**20 if event.name == "big" else 1
        )

    return known


@pytest.mark.parametrize(("trouble", "later"), [("bad", ["third"]), ("big", [])])
async def test_a_stream_whose_event_cannot_be_shown_ends_there_in_the_past_too(
    database: str, trouble: str, later: list[str]
) -> None:
    known = fussy()
    async with (
        scenario(database, [known]) as scene,
        open_pool(database, name="time travel", size=2) as pool,
    ):
        stream_id = uuid4()
        await scene.given(stream_id, WorkspaceCreated(name="first", slug="ab"))
        for name in [trouble, *later]:
            await scene.given(stream_id, WorkspaceRenamed(name=name, previous_name="before"))
        await scene.given(uuid4(), WorkspaceCreated(name="other", slug="cd"))
        machine = TimeMachine(database, pool, Mapper().recorded, [known])
        async with machine.at(datetime.now(UTC) + timedelta(days=1)) as reader:
            rows = await reader.rows("select name from fussy order by name")
        await machine.close()
    assert [row["name"] for row in rows] == ["first", "other"]


async def test_there_may_be_more_rows_than_memory_likes(
    scene: Scenario, machine: TimeMachine
) -> None:
    fleet = Fleet(6).live(60)
    for stream_id, event in fleet.facts:
        await scene.given(stream_id, event)
    await scene.feed()
    async with await connect_to_write(scene.dsn, "filler") as connection:
        build = Build(0, cluster_list, "pg_temp")
        await create_tables(connection, "", cluster_list.tables, "temporary")
        filler = Filler(connection, build, most_rows=2)
        for recorded in await scene.store.read(0, 10_000):
            await filler.fill([recorded])
        await filler.finish()
        cursor = await connection.execute("select t::text from pg_temp.clusters t order by 1")
        filled = await cursor.fetchall()
        cursor = await connection.execute("select t::text from read.clusters t order by 1")
        assert filled == await cursor.fetchall()


async def test_instants_are_built_for_the_tenants_in_turn(scene: Scenario) -> None:
    for stream_id, event in Fleet(2).live(20).facts:
        await scene.given(stream_id, event)
    moments = [await moment_of(scene, position) for position in range(1, 7)]
    built: list[str] = []

    async def build(machine: TimeMachine, moment: datetime, tenant: str) -> None:
        async with machine.at(moment, tenant) as reader:
            await all_workspaces(reader)
        built.append(tenant)

    async with open_pool(scene.dsn, name="time travel", size=2) as pool:
        machine = TimeMachine(scene.dsn, pool, Mapper().recorded, PROJECTIONS)
        for moment in moments:
            await machine.position_at(moment)
        async with await psycopg.AsyncConnection.connect(scene.dsn) as holding:
            await holding.execute("lock table log.stored_events")
            many = [asyncio.create_task(build(machine, m, "many")) for m in moments[:5]]
            while machine.waiting < 4:
                await asyncio.sleep(0.001)
            one = asyncio.create_task(build(machine, moments[5], "one"))
            while machine.waiting < 5:
                await asyncio.sleep(0.001)
        await asyncio.gather(*many, one)
        await machine.close()
    assert built.index("one") <= 1

"""A topic that is ahead of a log restored from an older backup is not continued, and not read."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from secrets import token_hex
from uuid import uuid4

import pytest

from adapters.kafka.cluster import Cluster, Filled, delete_topic, filled
from adapters.kafka.stream import HistoryIsCut, KafkaStream
from adapters.postgres.event_store import PostgresEventStore
from adapters.postgres.lost_events import HaltAtLostEvents, LostEvents
from adapters.postgres.mapper import Mapper
from adapters.postgres.marks import PostgresMarks
from adapters.postgres.projector import Projector
from adapters.postgres.read_models import install
from adapters.postgres.rebuild import Rebuilder
from adapters.postgres.sessions import open_pool
from adapters.postgres.visibility import Visibility
from application.ports import Append, EventsLost, StreamAppend
from domain.workspaces import WorkspaceCreated
from projections.workspaces import workspaces
from tests.adapters.kafka.conftest import (
    PATIENCE_SECONDS,
    Log,
    messages,
    must_hold,
    running,
)
from tests.support.backup import backup

pytestmark = [pytest.mark.kafka, pytest.mark.slow]


@asynccontextmanager
async def opened(dsn: str) -> AsyncIterator[Log]:
    async with (
        PostgresEventStore(dsn) as store,
        open_pool(dsn, name="marks", size=2) as pool,
    ):
        yield Log(dsn, store, pool)


async def published(log: Log, cluster: Cluster, upto: int) -> None:
    """Relay until the topic reaches a position and its mark is kept."""
    place = PostgresMarks(log.pool, "relay")
    async with running(log.relay(cluster).run()), asyncio.timeout(PATIENCE_SECONDS):
        while (await place.of([0]))[0].position < upto:
            await asyncio.sleep(0.02)


async def restored(dsn: str, cluster: Cluster, kept: int, lost: int) -> None:
    """The topic holds more than the log, which was restored as it was before."""
    async with opened(dsn) as log:
        await published(log, cluster, await log.append(kept))
    with backup(dsn) as restore:
        async with opened(dsn) as log:
            await published(log, cluster, await log.append(lost, name="lost"))
        restore()


@pytest.fixture
async def dsn(log: Log) -> str:
    """The database of an empty log that nobody has opened."""
    await log.store.__aexit__(None, None, None)
    await log.pool.close()
    return log.dsn


def places(topic: Filled) -> dict[int, tuple[int, int]]:
    return {number: (mark.offset, mark.position) for number, mark in topic.ends.items()}


@pytest.mark.parametrize("more", [0, 10, 60])
async def test_the_relay_does_not_continue_a_topic_that_is_ahead_of_the_log(
    dsn: str, cluster: Cluster, more: int
) -> None:
    """Also where the log is as long again, or longer: other events stand at these positions."""
    await restored(dsn, cluster, kept=20, lost=15)
    async with opened(dsn) as log:
        if more:
            await log.append(more)
        before = places(await filled(cluster))
        with pytest.raises(EventsLost) as lost:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await log.relay(cluster).run()
        assert (lost.value.seen, lost.value.head) == (35, 20 + more)
        assert places(await filled(cluster)) == before


async def test_a_relay_that_runs_while_the_log_is_restored_stops(
    dsn: str, cluster: Cluster
) -> None:
    async with opened(dsn) as log:
        await published(log, cluster, await log.append(20))
    with backup(dsn) as restore:
        async with opened(dsn) as log:
            relaying = asyncio.create_task(log.relay(cluster).run())
            await messages(cluster, await log.append(15))
            restore()
            with pytest.raises(EventsLost, match="up to position 35; the log ends at 20"):
                async with asyncio.timeout(PATIENCE_SECONDS):
                    await relaying


async def test_read_models_take_nothing_that_the_log_has_lost_and_go_on_when_it_is_accepted(
    dsn: str, cluster: Cluster
) -> None:
    """Once the topic is deleted, as `accept-loss` does it, it is filled again from the log."""
    await install(dsn, [workspaces])
    async with (
        opened(dsn) as log,
        projecting(log, cluster) as visibility,
        running(log.relay(cluster).run()),
    ):
        assert await visibility.wait_for(await named(log, "kept"), PATIENCE_SECONDS)
    with backup(dsn) as restore:
        async with opened(dsn) as log:
            await published(log, cluster, await named(log, "lost"))
        restore()
    async with opened(dsn) as log:
        losses = LostEvents(log.pool)
        await named(log, "new")
        async with (
            running(HaltAtLostEvents(losses, "relay", log.relay(cluster).run).run()),
            projecting(log, cluster) as visibility,
        ):
            async with asyncio.timeout(PATIENCE_SECONDS):
                while {loss.reader for loss in await losses.open()} != {"relay", "projector"}:
                    await asyncio.sleep(0.02)
            assert await shown(log) == ["kept"]
            await delete_topic(cluster)
            await losses.accept()
            position = await named(log, "newer")
            assert await visibility.wait_for(position, PATIENCE_SECONDS)
            assert await shown(log) == ["kept", "new", "newer"]
        must_hold(await messages(cluster, position), position)
        comparison = await Rebuilder(dsn, Mapper().recorded).check(workspaces)
        assert comparison.is_equal, comparison.differences


async def named(log: Log, name: str) -> int:
    """A workspace of that name."""
    workspace, slug = uuid4(), f"{name}-{token_hex(3)}"
    appended = await log.store.append(
        Append(
            [StreamAppend(workspace, 0, [WorkspaceCreated(name=name, slug=slug)])],
            {"workspace_id": workspace, "workspace": slug},
        )
    )
    return appended.position


async def shown(log: Log) -> list[str]:
    async with log.pool.connection() as connection:
        cursor = await connection.execute("select name from read.workspaces order by 1")
        return [name for (name,) in await cursor.fetchall()]


@asynccontextmanager
async def projecting(log: Log, cluster: Cluster) -> AsyncIterator[Visibility]:
    decode = Mapper().recorded
    projector = Projector(
        log.dsn,
        [workspaces],
        KafkaStream(cluster, "projector", decode, stuck_seconds=5),
        Rebuilder(log.dsn, decode),
        source="kafka",
        cut=HistoryIsCut,
    )
    visibility = Visibility(log.dsn, [workspaces])
    halting = HaltAtLostEvents(LostEvents(log.pool), "projector", projector.run).run()
    async with running(halting), running(visibility.run()):
        yield visibility

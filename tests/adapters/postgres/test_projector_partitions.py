"""A stream of many partitions, with offsets of its own and records that come again."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from random import Random
from uuid import UUID

import pytest

from adapters.postgres.event_store import PostgresEventStore
from adapters.postgres.mapper import Mapper
from adapters.postgres.patience import Patience
from adapters.postgres.projector import Projector
from adapters.postgres.read_models import progress
from adapters.postgres.rebuild import Rebuilder
from adapters.postgres.visibility import Visibility
from application.ports import Marks, Page
from domain.model import Recorded
from projections import PROJECTIONS
from tests.projections.fleets import Fleet
from tests.projections.scenario import Scenario, scenario

SECONDS = 30.0
PARTITIONS = 3
SOURCE = "kafka:test"
Message = tuple[Recorded | None, int]
"""A record, or nothing but the position up to which all has been published."""


class IsCut(Exception):
    """What was not read is gone."""


class PartitionedStream:
    """ports.Stream as Kafka is one: partitions that interleave, watermarks, and repetitions."""

    def __init__(self, store: PostgresEventStore, seed: int) -> None:
        self._store = store
        self._random = Random(seed)
        self._published: list[list[Message]] = [[] for _ in range(PARTITIONS)]
        self._first = [0] * PARTITIONS
        self._last = 0
        self._more = asyncio.Condition()

    async def publish(self) -> None:
        """Bring what is new in the log to the partitions, and now and then some of it twice."""
        records = list(await self._store.read(self._last, 10_000))
        again = self._random.sample(range(len(records)), min(3, len(records)))
        for n, recorded in enumerate(records):
            partition = self._published[recorded.stream_id.int % PARTITIONS]
            partition.append((recorded, recorded.position))
            if n in again:
                partition.extend(partition[-3:])
            self._last = recorded.position
        for partition in self._published:
            partition.append((None, self._last))
        async with self._more:
            self._more.notify_all()

    async def lose(self) -> None:
        """Forget all that was published, as a topic does whose retention is too short."""
        self._first = [len(partition) for partition in self._published]
        async with self._more:
            self._more.notify_all()

    async def follow(self, marks: Marks) -> AsyncIterator[Page]:
        known = await marks(range(PARTITIONS))
        offsets = {p: mark.offset for p, mark in known.items()}
        for p, mark in known.items():
            lost = self._published[p][mark.offset : self._first[p]]
            if any(recorded and upto > mark.position for recorded, upto in lost):
                raise IsCut
            offsets[p] = max(mark.offset, self._first[p])
        while True:
            ready = [p for p in offsets if offsets[p] < len(self._published[p])]
            if not ready:
                async with self._more:
                    await self._more.wait()
                continue
            partition = self._random.choice(ready)
            offset = offsets[partition] + self._random.randint(1, 20)
            messages = self._published[partition][offsets[partition] : offset]
            offsets[partition] += len(messages)
            records = [recorded for recorded, _ in messages if recorded is not None]
            yield Page(partition, records, offsets[partition], max(upto for _, upto in messages))


@pytest.fixture
async def scene(database: str) -> AsyncIterator[Scenario]:
    async with scenario(database) as scene:
        yield scene


def rebuilder(scene: Scenario) -> Rebuilder:
    return Rebuilder(scene.dsn, Mapper().recorded, Patience(tries=1))


@asynccontextmanager
async def projecting(scene: Scenario, stream: PartitionedStream) -> AsyncIterator[Visibility]:
    projector = Projector(
        scene.dsn, PROJECTIONS, stream, rebuilder(scene), source=SOURCE, cut=IsCut
    )
    visibility = Visibility(scene.dsn, scene.projections)
    tasks = [asyncio.create_task(projector.run()), asyncio.create_task(visibility.run())]
    yield visibility
    for task in tasks:
        assert not task.done(), task
        task.cancel()
    await asyncio.wait(tasks)


def parts(facts: list[tuple[UUID, object]], count: int) -> Iterator[list[tuple[UUID, object]]]:
    size = len(facts) // count + 1
    yield from (facts[n : n + size] for n in range(0, len(facts), size))


@pytest.mark.parametrize("seed", range(2))
async def test_read_models_are_equal_to_a_rebuild_after_every_restart(
    scene: Scenario, seed: int
) -> None:
    stream = PartitionedStream(scene.store, seed)
    for part in parts(Fleet(seed).live(80).facts, 3):
        async with projecting(scene, stream) as visibility:
            for stream_id, event in part:
                position = await scene.given(stream_id, event)
            await stream.publish()
            assert await visibility.wait_for(position, SECONDS)
    for projection in PROJECTIONS:
        comparison = await rebuilder(scene).check(projection)
        assert comparison.is_equal, comparison.differences


async def test_a_rebuild_goes_on_in_every_partition_where_it_must(scene: Scenario) -> None:
    stream = PartitionedStream(scene.store, 3)
    first, second = parts(Fleet(3).live(80).facts, 2)
    async with projecting(scene, stream) as visibility:
        for stream_id, event in first:
            await scene.given(stream_id, event)
        await stream.publish()
        # The rebuild stands at the head of the log, and what comes from the stream is behind it.
        for projection in PROJECTIONS:
            await rebuilder(scene).rebuild(projection, SOURCE)
        for stream_id, event in second:
            position = await scene.given(stream_id, event)
        await stream.publish()
        assert await visibility.wait_for(position, SECONDS)
    assert {row["behind"] for row in await progress(scene.reader)} == {0}
    for projection in PROJECTIONS:
        comparison = await rebuilder(scene).check(projection)
        assert comparison.is_equal, comparison.differences


async def test_what_the_stream_has_lost_is_built_from_the_log(scene: Scenario) -> None:
    stream = PartitionedStream(scene.store, 4)
    first, second = parts(Fleet(4).live(40).facts, 2)
    for stream_id, event in first:
        await scene.given(stream_id, event)
    await stream.publish()
    await stream.lose()
    async with projecting(scene, stream) as visibility:
        for stream_id, event in second:
            position = await scene.given(stream_id, event)
        await stream.publish()
        assert await visibility.wait_for(position, SECONDS)
    for projection in PROJECTIONS:
        comparison = await rebuilder(scene).check(projection)
        assert comparison.is_equal, comparison.differences


async def test_a_position_is_seen_only_when_every_partition_has_passed_it(scene: Scenario) -> None:
    stream = PartitionedStream(scene.store, 5)
    async with projecting(scene, stream) as visibility:
        for stream_id, event in Fleet(5).live(10).facts:
            position = await scene.given(stream_id, event)
        assert not await visibility.wait_for(position, 0.05)
        await stream.publish()
        assert await visibility.wait_for(position, SECONDS)
        shown = await scene.reader.rows("select max(position) as last from history")
        assert shown == [{"last": position}]

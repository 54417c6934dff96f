"""Kafka keeps the promises of a stream, and a group's members share it without a loss."""

import asyncio
import gc
import secrets
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any
from uuid import UUID

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from adapters.kafka.cluster import Cluster, delete_topic, ensure_topic
from adapters.kafka.messages import Stored
from adapters.kafka.stream import HistoryIsCut, KafkaStream
from application.ports import Append, Mark, StreamAppend
from domain.workspaces import WorkspaceRenamed
from tests.adapters.contracts.stream import Follower, StreamContract
from tests.adapters.kafka.conftest import (
    PATIENCE_SECONDS,
    Log,
    messages,
    must_hold,
    running,
    until,
)
from tests.support import servers

pytestmark = pytest.mark.kafka


def stream_of(cluster: Cluster, group: str | None = None, **options: Any) -> KafkaStream:
    return KafkaStream(cluster, group or f"readers-{secrets.token_hex(4)}", Stored, **options)


@pytest.fixture
async def relayed(log: Log, cluster: Cluster) -> AsyncIterator[Log]:
    """A log that a relay publishes."""
    async with running(log.relay(cluster).run()):
        yield log


class TestKafkaStream(StreamContract):
    @pytest.fixture
    def stream(self, relayed: Log, cluster: Cluster) -> KafkaStream:
        return KafkaStream(cluster, "readers", relayed.store.mapper.recorded)

    @pytest.fixture
    def write(self, relayed: Log) -> Callable[[UUID, int], Awaitable[None]]:
        async def write(stream_id: UUID, count: int) -> None:
            for version in range(count):
                event = WorkspaceRenamed(name="a", previous_name="b")
                append = StreamAppend(stream_id, version, [event])
                await relayed.store.append(Append([append], {"workspace_id": stream_id}))

        return write


class Group:
    """Followers of one group that keep their marks in one place, as processes do in a database."""

    def __init__(self, cluster: Cluster, **options: Any) -> None:
        self._cluster = cluster
        self._options = options
        self.name = f"readers-{secrets.token_hex(4)}"
        self.marks: dict[int, Mark] = {}
        self.members: list[Follower] = []

    def member(self) -> Follower:
        member = Follower(stream_of(self._cluster, self.name, **self._options))
        member.marks = self.marks
        self.members.append(member)
        return member

    @property
    def positions(self) -> Counter[int]:
        return Counter(r.position for member in self.members for r in member.records)

    async def has_all(self, upto: int) -> None:
        await until(lambda: self.positions.keys() >= set(range(1, upto + 1)))


async def test_all_partitions_are_known_to_reach_the_last_event(
    relayed: Log, cluster: Cluster
) -> None:
    follower = Follower(stream_of(cluster))

    def reaches() -> int:
        upto = dict.fromkeys(range(cluster.partitions), 0)
        upto.update({page.partition: page.upto for page in follower.pages})
        return min(upto.values())

    async with running(follower.run()):
        for n in range(1, 4):
            assert await relayed.append(1, workspace=relayed.workspaces[0]) == n
            await until(lambda goal=n: reaches() >= goal)  # type: ignore[misc]


async def test_a_second_member_takes_its_share_and_gives_it_back(
    relayed: Log, cluster: Cluster
) -> None:
    group = Group(cluster)
    first, second = group.member(), group.member()
    async with running(first.run()):
        last = await relayed.append(600)
        await group.has_all(last)
        async with running(second.run()):
            await until(lambda: bool(second.pages))
            last = await relayed.append(600)
            await group.has_all(last)
            assert {page.partition for page in second.pages} < set(range(cluster.partitions))
        last = await relayed.append(600)
        await group.has_all(last)

    assert {page.partition for page in first.pages} == set(range(cluster.partitions))
    # Marks were kept with each page, so nothing is given twice but what was on its way.
    assert max(group.positions.values()) <= 2


async def test_members_come_and_go_under_load(relayed: Log, cluster: Cluster) -> None:
    group = Group(cluster)
    last = await relayed.append(2_000)
    async with AsyncExitStack() as staying:
        await staying.enter_async_context(running(group.member().run()))
        for _ in range(3):
            async with running(group.member().run()):
                last = await relayed.append(1_000)
                await group.has_all(last - 500)
        await group.has_all(last)


async def test_what_the_broker_remembers_of_a_group_is_not_believed(
    relayed: Log, cluster: Cluster
) -> None:
    last = await relayed.append(300)
    await messages(cluster, last)
    group = Group(cluster)
    consumer = AIOKafkaConsumer(
        cluster.topic, group_id=group.name, enable_auto_commit=False, **cluster.client
    )
    await consumer.start()
    await consumer.commit({p: (await consumer.end_offsets([p]))[p] for p in consumer.assignment()})
    await consumer.stop()

    async with running(group.member().run()):
        await group.has_all(last)


async def test_a_broker_that_comes_back_is_followed_again(
    log: Log, kafka_broker: servers.KafkaBroker
) -> None:
    cluster = Cluster(kafka_broker.address)
    group = Group(cluster, stuck_seconds=5)
    async with (
        running(log.relay(cluster, stuck_seconds=5).run()),
        running(group.member().run()),
        running(group.member().run()),
    ):
        last = await log.append(500)
        await group.has_all(last)
        for stop in (kafka_broker.stop, kafka_broker.kill):
            await asyncio.to_thread(stop)
            last = await log.append(500)
            await asyncio.to_thread(kafka_broker.start)
            await group.has_all(last)


def live_consumer() -> Any:
    (consumer,) = [
        o
        for o in gc.get_objects()
        if isinstance(o, AIOKafkaConsumer) and not o._closed and o._group_id
    ]
    return consumer


def end_its_fetching(consumer: Any) -> None:
    consumer._fetcher._fetch_task.cancel()


def end_its_membership(consumer: Any) -> None:
    """The group waits to be joined again, and nobody joins it: aiokafka's issue 1154."""
    consumer._subscription.begin_reassignment()


@pytest.mark.parametrize("make_ill", [end_its_fetching, end_its_membership])
async def test_a_consumer_that_is_silent_though_there_is_more_is_replaced(
    relayed: Log, cluster: Cluster, make_ill: Callable[[Any], None]
) -> None:
    group = Group(cluster, stuck_seconds=1)
    async with running(group.member().run()):
        last = await relayed.append(100)
        await group.has_all(last)
        gc.collect()
        ill = live_consumer()
        make_ill(ill)
        last = await relayed.append(100)
        await group.has_all(last)
        assert live_consumer() is not ill


async def test_a_topic_that_was_made_anew_is_read_anew(log: Log, cluster: Cluster) -> None:
    group = Group(cluster)
    async with running(log.relay(cluster).run()):
        last = await log.append(500)
        async with running(group.member().run()):
            await group.has_all(last)
    await delete_topic(cluster)
    # There are as many messages again, but at other offsets.
    last = await log.append(1_500)

    async with running(log.relay(cluster).run()):
        await messages(cluster, last)
        async with running(group.member().run()):
            await group.has_all(last)

    assert set(group.positions.values()) == {1}


async def test_a_topic_that_was_replaced_under_a_running_relay_is_made_whole(
    relayed: Log, cluster: Cluster
) -> None:
    group = Group(cluster, stuck_seconds=2)
    last = await relayed.append(300)
    await messages(cluster, last)
    await delete_topic(cluster)
    await ensure_topic(cluster)

    last = await relayed.append(300)
    async with running(group.member().run()):
        await group.has_all(last)

    must_hold(await messages(cluster, last), last)


async def delete_records(cluster: Cluster, upto: dict[int, int]) -> None:
    admin = AIOKafkaAdminClient(**cluster.client)
    await admin.start()
    try:
        await admin.delete_records(
            {cluster.partition(n): RecordsToDelete(before_offset=o) for n, o in upto.items()}
        )
    finally:
        await admin.close()


async def test_a_topic_that_lost_what_was_not_read_is_not_read(
    relayed: Log, cluster: Cluster
) -> None:
    last = await relayed.append(300)
    found = await messages(cluster, last)
    await delete_records(cluster, {n: len(received) // 2 for n, received in found.items()})

    with pytest.raises(HistoryIsCut):
        await asyncio.wait_for(Follower(stream_of(cluster)).run(), PATIENCE_SECONDS)


async def test_a_topic_that_lost_only_what_was_read_is_read_on(
    relayed: Log, cluster: Cluster
) -> None:
    group = Group(cluster)
    async with running(group.member().run()):
        last = await relayed.append(300)
        await group.has_all(last)
    await delete_records(cluster, {n: mark.offset for n, mark in group.marks.items()})
    last = await relayed.append(300)

    async with running(group.member().run()):
        await group.has_all(last)

    assert set(group.positions.values()) == {1}

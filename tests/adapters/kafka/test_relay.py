"""The relay loses nothing and changes no order, whatever ends it, its producer or its broker."""

import asyncio
import gc
import random
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.partitioner import DefaultPartitioner

from adapters.kafka.cluster import Cluster, delete_topic, ensure_topic
from adapters.kafka.messages import position, recorded
from adapters.postgres.leadership import lead_and_work
from adapters.postgres.marks import PostgresMarks
from application.ports import MOST_EVENT_BYTES, Append, StreamAppend, Unavailable
from domain.cluster_templates import ClusterTemplateVersionAdded
from tests.adapters.kafka.conftest import (
    PATIENCE_SECONDS,
    Log,
    first_of_each,
    messages,
    must_hold,
    running,
    until,
)
from tests.support import servers

pytestmark = pytest.mark.kafka
MOST_AHEAD = 2_000


async def published(log: Log) -> int:
    return (await PostgresMarks(log.pool, "relay").of([0]))[0].position


async def test_every_event_is_published_in_order(log: Log, cluster: Cluster) -> None:
    last = await log.append(3_000)

    async with running(log.relay(cluster).run()):
        must_hold(await messages(cluster, last), last)
        last = await log.append(500)
        found = await messages(cluster, last)

    must_hold(found, last)
    assert all(
        len(first_of_each(received)) == len(received) - _watermarks(received)
        for received in found.values()
    )


def _watermarks(received: Iterable[Any]) -> int:
    return sum(m.value is None for m in received)


async def test_a_message_holds_the_stored_event(log: Log, cluster: Cluster) -> None:
    last = await log.append(50)

    async with running(log.relay(cluster).run()):
        found = await messages(cluster, last)

    for m in (m for received in found.values() for m in received if m.value is not None):
        record = recorded(m, log.store.mapper.recorded)
        assert record is not None
        (stored,) = await log.store.read(record.position - 1, 1)
        assert (record.event, record.stream_id, record.version) == (
            stored.event,
            stored.stream_id,
            stored.version,
        )
        assert (record.metadata, record.recorded_at) == (stored.metadata, stored.recorded_at)


async def test_a_workspace_is_where_any_client_looks_for_its_key(
    log: Log, cluster: Cluster
) -> None:
    last = await log.append(len(log.workspaces))

    async with running(log.relay(cluster).run()):
        found = await messages(cluster, last)

    numbers = list(range(cluster.partitions))
    for number, received in found.items():
        for m in received:
            if m.value is not None:
                assert DefaultPartitioner()(m.key, numbers, numbers) == number


async def test_a_quiet_partition_is_told_how_far_the_log_is(log: Log, cluster: Cluster) -> None:
    async with running(log.relay(cluster).run()):
        last = await log.append(1, workspace=log.workspaces[0])
        found = await messages(cluster, last)
        started = time.monotonic()
        for _ in range(20):
            last = await log.append(1, workspace=log.workspaces[0])
        found = await messages(cluster, last)

    quiet = [received for received in found.values() if not first_of_each(received)]
    assert len(quiet) == cluster.partitions - 1
    assert all(position(received[-1]) == last for received in quiet)
    # Telling costs no more than a message each few hundredths of a second.
    told = max(_watermarks(received) for received in quiet)
    assert told <= 4 + (time.monotonic() - started) / 0.02


async def append_big(log: Log, size: int) -> None:
    params = ({"key": "x" * size},)
    big = ClusterTemplateVersionAdded(version_id=uuid4(), number=1, params=params)
    await log.store.append(Append([StreamAppend(uuid4(), 0, [big])], {}))


async def test_an_event_larger_than_a_batch_is_published(log: Log, cluster: Cluster) -> None:
    await log.append(9)
    await append_big(log, 3_000_000)
    last = await log.append(9)

    async with running(log.relay(cluster).run()):
        must_hold(await messages(cluster, last), last)


@asynccontextmanager
async def administering(cluster: Cluster) -> AsyncIterator[Any]:
    admin = AIOKafkaAdminClient(**cluster.client)
    await admin.start()
    try:
        yield admin
    finally:
        await admin.close()


async def settings_of(admin: Any, cluster: Cluster) -> dict[str, str]:
    topic = ConfigResource(ConfigResourceType.TOPIC, cluster.topic)
    (answer,) = await admin.describe_configs([topic])
    return {name: value for name, value, *_ in answer.resources[0][4]}


async def test_the_largest_event_of_the_log_fits_into_a_topic_that_was_made_too_small(
    log: Log, cluster: Cluster
) -> None:
    async with administering(cluster) as admin:
        given = {"max.message.bytes": "1000000", "segment.bytes": "200000000"}
        topic = NewTopic(cluster.topic, cluster.partitions, 1, topic_configs=given)
        await admin.create_topics([topic])
        await log.append(9)
        await append_big(log, MOST_EVENT_BYTES - 1_000)
        last = await log.append(9)

        async with running(log.relay(cluster).run()):
            must_hold(await messages(cluster, last), last)

        settings = await settings_of(admin, cluster)
    assert int(settings["max.message.bytes"]) > MOST_EVENT_BYTES
    assert settings["segment.bytes"] == "200000000"


async def make_topic(admin: Any, cluster: Cluster, **given: str) -> None:
    configs = {name.replace("_", "."): value for name, value in given.items()}
    topic = NewTopic(cluster.topic, cluster.partitions, 1, topic_configs=configs)
    await admin.create_topics([topic])


@pytest.mark.parametrize("policy", ["compact", "compact,delete"])
async def test_an_empty_topic_as_a_broker_makes_it_is_given_the_settings_of_a_log(
    log: Log, cluster: Cluster, policy: str
) -> None:
    async with administering(cluster) as admin:
        await make_topic(admin, cluster, cleanup_policy=policy)
        last = await log.append(30)

        async with running(log.relay(cluster).run()):
            must_hold(await messages(cluster, last), last)

        settings = await settings_of(admin, cluster)
    assert settings["cleanup.policy"] == "delete"
    assert (settings["retention.ms"], settings["retention.bytes"]) == ("-1", "-1")


async def test_a_topic_that_compacts_what_it_holds_is_refused_in_one_sentence(
    log: Log, cluster: Cluster, caplog: pytest.LogCaptureFixture
) -> None:
    last = await log.append(30)
    async with running(log.relay(cluster).run()):
        await messages(cluster, last)
    async with administering(cluster) as admin:
        topic = ConfigResource(
            ConfigResourceType.TOPIC, cluster.topic, configs={"cleanup.policy": "compact"}
        )
        await admin.alter_configs([topic])

        async with running(log.relay(cluster).run()):
            await until(lambda: f"{cluster.topic} has cleanup.policy=compact" in caplog.text)
            await admin.delete_topics([cluster.topic])
            must_hold(await messages(cluster, last), last)


async def test_a_retention_that_somebody_gave_the_topic_stays_and_is_told(
    log: Log, cluster: Cluster, caplog: pytest.LogCaptureFixture
) -> None:
    async with administering(cluster) as admin:
        await make_topic(admin, cluster, retention_ms="604800000")
        last = await log.append(9)
        async with running(log.relay(cluster).run()):
            must_hold(await messages(cluster, last), last)
        assert (await settings_of(admin, cluster))["retention.ms"] == "604800000"
    assert "retention.ms=604800000" in caplog.text


async def test_a_topic_that_gets_more_partitions_keeps_each_workspace_where_it_is(
    log: Log, cluster: Cluster, caplog: pytest.LogCaptureFixture
) -> None:
    more = replace(cluster, partitions=cluster.partitions + 2)
    async with running(log.relay(cluster).run()), administering(cluster) as admin:
        last = await log.append(300)
        await messages(cluster, last)
        await admin.create_partitions({cluster.topic: NewPartitions(more.partitions)})
        last = await log.append(300)
        await messages(more, last)
        last = await log.append(300)
        found = await messages(more, last)

    must_hold(found, last)
    places = {(m.key, n) for n, received in found.items() for m in received if m.value is not None}
    assert len(places) == len({key for key, _ in places}) == len(log.workspaces)
    # Readers take only what begins with the log's beginning, and go on when they know its end.
    assert all(position(found[n][0]) == 0 for n in found)
    assert f"has {more.partitions} partitions, but was begun with 3" in caplog.text


async def test_a_topic_that_is_made_anew_uses_all_its_partitions(
    log: Log, cluster: Cluster
) -> None:
    last = await log.append(300)
    async with running(log.relay(cluster).run()):
        await messages(cluster, last)
    await delete_topic(cluster)
    five = replace(cluster, partitions=5)
    await ensure_topic(five)

    async with running(log.relay(cluster).run()):
        found = await messages(five, last)

    must_hold(found, last)
    for number, received in found.items():
        for m in received:
            assert m.value is None or DefaultPartitioner()(m.key, [*range(5)], []) == number


async def test_a_relay_goes_on_where_the_last_one_was(log: Log, cluster: Cluster) -> None:
    last = await log.append(1_000)
    async with running(log.relay(cluster).run()):
        await messages(cluster, last)

    last = await log.append(1_000)
    async with running(log.relay(cluster).run()):
        found = await messages(cluster, last)

    must_hold(found, last)
    assert sum(len(received) - _watermarks(received) for received in found.values()) < 2_000 + 200


async def test_a_topic_that_was_lost_is_filled_again(log: Log, cluster: Cluster) -> None:
    last = await log.append(500)
    async with running(log.relay(cluster).run()):
        await messages(cluster, last)
    await delete_topic(cluster)

    async with running(log.relay(cluster).run()):
        must_hold(await messages(cluster, last), last)


async def test_a_topic_that_is_there_is_taken_as_it_is(log: Log, cluster: Cluster) -> None:
    five = Cluster(cluster.servers, cluster.topic, partitions=5)
    await ensure_topic(five)
    last = await log.append(500)

    async with running(log.relay(cluster).run()):
        must_hold(await messages(five, last), last)


def live_producer() -> Any:
    """The relay's own producer, to be made ill."""
    (producer,) = [o for o in gc.get_objects() if isinstance(o, AIOKafkaProducer) and not o._closed]
    return producer


async def forget_a_sequence_number(producer: Any, cluster: Cluster) -> None:
    """What a broker's trouble leaves behind in aiokafka's issue 1017."""
    for number in range(cluster.partitions):
        producer._txn_manager.increment_sequence_number(cluster.partition(number), 1)


async def close_it(producer: Any, cluster: Cluster) -> None:
    """After NodeNotReady every call says ProducerClosed: aiokafka's issue 1133."""
    await producer.stop()


async def end_its_sender(producer: Any, cluster: Cluster) -> None:
    """Nothing is sent any more, and nothing says so."""
    producer._sender.sender_task.cancel()


@pytest.mark.parametrize("make_ill", [forget_a_sequence_number, close_it, end_its_sender])
async def test_a_producer_that_cannot_go_on_is_replaced(
    log: Log, cluster: Cluster, make_ill: Any
) -> None:
    last = await log.append(300)
    async with running(log.relay(cluster, stuck_seconds=3).run()):
        await messages(cluster, last)
        gc.collect()
        ill = live_producer()
        await make_ill(ill, cluster)
        last = await log.append(300)
        found = await messages(cluster, last)
        assert live_producer() is not ill

    must_hold(found, last)


class Load:
    """Appends without end, no further ahead of the relay than a few pages."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._stopped = False

    async def run(self) -> int:
        last = 0
        while not self._stopped:
            last = await self._log.append(50)
            while last - await published(self._log) > MOST_AHEAD and not self._stopped:
                await asyncio.sleep(0.01)
        return last

    def stop(self) -> None:
        self._stopped = True


async def progress(log: Log, by: int) -> None:
    """Wait until the relay has published so many more events."""
    goal = await published(log) + by
    async with asyncio.timeout(PATIENCE_SECONDS):
        while await published(log) < goal:
            await asyncio.sleep(0.01)


async def test_a_broker_that_goes_away_and_comes_back_gets_everything(
    log: Log, kafka_broker: servers.KafkaBroker
) -> None:
    cluster, load = Cluster(kafka_broker.address), Load(log)
    async with (
        running(log.relay(cluster, stuck_seconds=5).run()),
        running(load.run()) as loading,
    ):
        await progress(log, 500)
        for stop in (kafka_broker.stop, kafka_broker.kill):
            await asyncio.to_thread(stop)
            await asyncio.to_thread(kafka_broker.start)
            await progress(log, 500)
        load.stop()
        last = await loading
        found = await messages(cluster, last)

    must_hold(found, last)


def relay_process(log: Log, cluster: Cluster) -> "subprocess.Popen[bytes]":
    program = [sys.executable, "-m", "tests.adapters.kafka.relay_process"]
    return subprocess.Popen([*program, log.dsn, cluster.servers, cluster.topic])


async def kill_relays(log: Log, cluster: Cluster, times: int) -> None:
    """Kill a relay and the one that waits for its place, each time in the middle of its work."""
    chance = random.Random(17)
    for _ in range(times):
        relays = [relay_process(log, cluster) for _ in range(2)]
        try:
            await progress(log, by=chance.randrange(1, 800))
        finally:
            for relay in relays:
                relay.kill()
                relay.wait()


@pytest.mark.slow
async def test_a_relay_killed_at_any_moment_loses_nothing(log: Log, cluster: Cluster) -> None:
    load = Load(log)
    async with running(load.run()) as loading:
        await kill_relays(log, cluster, times=4)
        load.stop()
        last = await loading
        async with running(log.relay(cluster).run()):
            found = await messages(cluster, last)

    must_hold(found, last)


async def test_two_relays_at_once_make_no_disorder(log: Log, cluster: Cluster) -> None:
    """Leadership may be held by a process that does not know yet that it lost it."""
    async with running(log.relay(cluster).run()), running(log.relay(cluster).run()):
        for _ in range(50):
            last = await log.append(20)
        found = await messages(cluster, last)

    must_hold(found, last)


async def test_a_database_that_is_away_is_waited_for(log: Log, cluster: Cluster) -> None:
    last = await log.append(100)
    relay = log.relay(cluster)
    async with running(lead_and_work(log.dsn, "relay", relay.run)):
        await messages(cluster, last)
        async with await psycopg.AsyncConnection.connect(log.dsn, autocommit=True) as connection:
            await connection.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where datname = current_database() and pid <> pg_backend_pid()"
            )
        last = await _append_when_possible(log)
        found = await messages(cluster, last)

    must_hold(found, last)


async def _append_when_possible(log: Log) -> int:
    async with asyncio.timeout(30):
        while True:
            try:
                return await log.append(100)
            except Unavailable:
                await asyncio.sleep(0.1)

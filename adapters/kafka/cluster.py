"""Where Kafka is, the topic that holds the log there, and how far the topic reaches."""

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code

from adapters.kafka.messages import leaf, position
from application.ports import MOST_EVENT_BYTES, Mark

logger = logging.getLogger(__name__)
T = TypeVar("T")

REQUEST_SECONDS = 10
LONGEST_PAUSE_SECONDS = 5.0
FAILURES = (KafkaError, OSError, TimeoutError)
"""What a client raises when a broker is away, or when the client itself cannot go on."""
CLOSE_SECONDS = 5.0
REPLICAS = 3
DELETION_SECONDS = 0.1
LIMIT = "max.message.bytes"
CLEANUP = "cleanup.policy"
RETENTION = ("retention.ms", "retention.bytes")
NEEDED_BYTES = MOST_EVENT_BYTES + (64 << 10)
"""The largest event that the log takes, with the headers and the batch around it."""
SET_FOR_THE_TOPIC = 1
"""Kafka's word for a setting that somebody gave this very topic."""
# The log is the truth, and the topic is all of it: a reader may begin at the beginning.
TOPIC_SETTINGS = {
    CLEANUP: "delete",
    "retention.ms": "-1",
    "retention.bytes": "-1",
    LIMIT: str(2 * MOST_EVENT_BYTES),
}


class Stuck(Exception):
    """A client that says nothing of a fault has stopped to get on."""


class UnsuitableTopic(Stuck):
    """The topic has a setting with which it cannot hold the log; the sentence names it."""


class TopicReplaced(Exception):
    """The topic is another one than a moment ago, or has lost its end: what it held is gone."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """Kafka's bootstrap servers, the topic of the log, and what its clients need to get in.

    `access` are aiokafka's own arguments: security_protocol, ssl_context, sasl_mechanism, …
    """

    servers: str
    topic: str = "quarterdeck.events"
    partitions: int = 3
    access: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def client(self) -> dict[str, Any]:
        """The arguments that every client takes."""
        return {
            "bootstrap_servers": self.servers,
            "request_timeout_ms": REQUEST_SECONDS * 1000,
            **self.access,
        }

    def partition(self, number: int) -> TopicPartition:
        return TopicPartition(self.topic, number)


async def in_time(seconds: float, work: Coroutine[Any, Any, T]) -> T:
    """What the work gives. Raises TimeoutError when it takes longer, even where it does not hear
    that it is cancelled; and ConnectionAbortedError when it was cancelled by nobody, as aiokafka's
    consumer is at its stop when its broker is away: that would pass for the end of our own task.
    """
    task = asyncio.create_task(work)
    task.add_done_callback(_told)
    try:
        done, _ = await asyncio.wait({task}, timeout=seconds)
        if not done:
            raise TimeoutError(f"it took longer than {seconds:g} s")
        if task.cancelled():
            raise ConnectionAbortedError("a client of Kafka has cancelled itself")
        return task.result()
    finally:
        task.cancel()


async def close_in_time(close: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Close a client, or leave it: its own way may wait for ever for a broker that is gone."""
    try:
        await in_time(CLOSE_SECONDS, close())
    except FAILURES as error:
        logger.warning("a client did not end well: %s: %s", type(error).__name__, error)


def is_ours() -> bool:
    """Whether a cancellation was asked of this task. Raised by a client's own, it is a fault."""
    task = asyncio.current_task()
    return task is None or task.cancelling() > 0


def _told(task: asyncio.Task[Any]) -> None:
    """Nobody else may ask for the error of a task that was left alone."""
    if not task.cancelled():
        task.exception()


def pause_seconds(tries: int) -> float:
    """How long to wait after so many tries in a row, at most 5 s."""
    return min(0.1 * 2.0**tries, LONGEST_PAUSE_SECONDS) * random.uniform(0.5, 1)


async def ensure_topic(cluster: Cluster) -> None:
    """Make the topic unless it is there, and see to it that it holds every event.

    Raises KafkaError or UnsuitableTopic.
    """
    admin = AIOKafkaAdminClient(**cluster.client)
    try:
        await admin.start()
        if cluster.topic not in await admin.list_topics():
            await _make_topic(admin, cluster)
        else:
            await _make_suitable(admin, cluster)
    finally:
        await close_in_time(admin.close)


async def delete_topic(cluster: Cluster) -> None:
    """Delete the topic; returns when it is gone. Raises KafkaError or TimeoutError."""
    admin = AIOKafkaAdminClient(**cluster.client)
    try:
        await admin.start()
        async with asyncio.timeout(REQUEST_SECONDS):
            while cluster.topic in await admin.list_topics():
                await admin.delete_topics([cluster.topic])
                await asyncio.sleep(DELETION_SECONDS)
    finally:
        await close_in_time(admin.close)


async def _make_topic(admin: Any, cluster: Cluster) -> None:
    brokers = len((await admin.describe_cluster())["brokers"])
    topic = NewTopic(
        cluster.topic,
        num_partitions=cluster.partitions,
        replication_factor=min(brokers, REPLICAS),
        topic_configs=TOPIC_SETTINGS,
    )
    for name, code, detail in (await admin.create_topics([topic])).topic_errors:
        error = for_code(code)
        if code and error is not TopicAlreadyExistsError:
            raise error(f"{name}: {detail}")
        logger.info("topic %s is there now, with %d partitions", name, cluster.partitions)


async def _make_suitable(admin: Any, cluster: Cluster) -> None:
    """Correct the settings of a topic that was made by others. Raises UnsuitableTopic.

    What somebody gave this very topic as its retention stays, and is told; what is only the
    broker's default is corrected. What cannot be corrected is told, no more.
    """
    try:
        settings = await _settings(admin, cluster)
        wrong = _wrong(settings)
        if CLEANUP in wrong and not (await filled(cluster)).is_new:
            raise UnsuitableTopic(
                f"{cluster.topic} has {CLEANUP}={settings[CLEANUP][0]}, which drops events that the"
                f" log has: delete the topic, and it is made anew from the log"
            )
        _tell_retention(cluster, settings)
        if not wrong:
            return
        # Kafka forgets what is not said again.
        given = {name: value for name, (value, source) in settings.items() if source}
        await _set(admin, cluster, {**given, **wrong})
    except (KafkaError, LookupError) as error:
        logger.warning(
            "the settings of topic %s are not known or not changed: let %s be %d or more, %s be"
            " delete, and retention be unlimited (%s: %s)",
            cluster.topic,
            LIMIT,
            NEEDED_BYTES,
            CLEANUP,
            type(error).__name__,
            error,
        )
    else:
        said = ", ".join(f"{name}={value}" for name, value in wrong.items())
        logger.info("topic %s has these settings now: %s", cluster.topic, said)


def _wrong(settings: Mapping[str, tuple[str, bool]]) -> dict[str, str]:
    """What is to be set anew, with its right value."""
    wrong = {}
    if int(settings[LIMIT][0]) < NEEDED_BYTES:
        wrong[LIMIT] = TOPIC_SETTINGS[LIMIT]
    if settings[CLEANUP][0] != TOPIC_SETTINGS[CLEANUP]:
        wrong[CLEANUP] = TOPIC_SETTINGS[CLEANUP]
    for name in RETENTION:
        value, is_given = settings[name]
        if value != TOPIC_SETTINGS[name] and not is_given:
            wrong[name] = TOPIC_SETTINGS[name]
    return wrong


def _tell_retention(cluster: Cluster, settings: Mapping[str, tuple[str, bool]]) -> None:
    for name in RETENTION:
        value, is_given = settings[name]
        if value != TOPIC_SETTINGS[name] and is_given:
            logger.warning(
                "topic %s drops events with age or size (%s=%s): a reader that begins later does"
                " not find them; -1 keeps them all",
                cluster.topic,
                name,
                value,
            )


async def _settings(admin: Any, cluster: Cluster) -> Mapping[str, tuple[str, bool]]:
    """Each setting of the topic, and whether it was given to this very topic."""
    asked = ConfigResource(ConfigResourceType.TOPIC, cluster.topic)
    (answer,) = await admin.describe_configs([asked])
    ((code, detail, _, _, entries),) = answer.resources
    if code:
        raise for_code(code)(detail)
    return {entry[0]: (entry[1], entry[3] == SET_FOR_THE_TOPIC) for entry in entries}


async def _set(admin: Any, cluster: Cluster, settings: Mapping[str, str]) -> None:
    changed = ConfigResource(ConfigResourceType.TOPIC, cluster.topic, configs=dict(settings))
    (answer,) = await admin.alter_configs([changed])
    ((code, detail, *_),) = answer.resources
    if code:
        raise for_code(code)(detail)


@dataclass(frozen=True, slots=True)
class Filled:
    """How many partitions the topic has, and for each the mark of its last message: that of 0 when
    it never had one. A partition whose messages have all been dropped with age is left out."""

    count: int
    ends: Mapping[int, Mark]

    @property
    def reaches(self) -> Mapping[int, int]:
        """The position of each partition's last message."""
        return {number: mark.position for number, mark in self.ends.items()}

    @property
    def is_new(self) -> bool:
        """Whether nothing was ever put into any partition."""
        return len(self.reaches) == self.count and not any(self.reaches.values())

    def upto(self, partitions: int, otherwise: int) -> int:
        """How far all of the first so many partitions are filled."""
        found = [at for number, at in self.reaches.items() if number < partitions]
        return min(found, default=otherwise)


async def filled(cluster: Cluster) -> Filled:
    """What the topic holds. Raises KafkaError or TimeoutError."""
    async with _looking(cluster) as consumer:
        partitions = consumer.assignment()
        begins = await consumer.beginning_offsets(partitions)
        ends = await consumer.end_offsets(partitions)
        used = [p for p in partitions if ends[p] > begins[p]]
        for partition in used:
            consumer.seek(partition, ends[partition] - 1)
        found = {p.partition: Mark() for p in partitions if ends[p] == 0}
        async with asyncio.timeout(REQUEST_SECONDS):
            for partition in used:
                last = await consumer.getone(partition)
                found[partition.partition] = Mark(last.offset + 1, position(last), leaf(last))
    return Filled(len(partitions), found)


@asynccontextmanager
async def _looking(cluster: Cluster) -> AsyncIterator[Any]:
    """A consumer of all partitions that belongs to no group."""
    consumer = AIOKafkaConsumer(cluster.topic, **cluster.client)
    try:
        await consumer.start()
        yield consumer
    finally:
        await close_in_time(consumer.stop)

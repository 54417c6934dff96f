"""A publisher appends messages to the partitions of the topic, in order, and knows when it failed.

Nothing is sent to a partition before all of what was sent there is acknowledged. Idempotence alone
does not keep the order: a broker that never saw a producer takes its second batch without the
first one, and what comes before it, sent again by the next producer, would look like a duplicate.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from functools import lru_cache
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.partitioner import murmur2

from adapters.kafka.cluster import FAILURES, Cluster, Stuck, TopicReplaced
from adapters.kafka.messages import Message

LOOK_SECONDS = 5.0
"""How soon it is seen that the topic has other partitions."""
BATCH_BYTES = 900_000
"""Below what a broker takes by default, 1,048,588 bytes."""
CLOSE_SECONDS = 2.0


class Publisher:
    """Sends on one producer; any error is its end, and another one must be opened."""

    def __init__(
        self, producer: Any, cluster: Cluster, stuck_seconds: float, shared_over: int
    ) -> None:
        self._producer = producer
        self._topic = cluster.topic
        self._stuck_seconds = stuck_seconds
        self._shared_over = shared_over
        self._ends: dict[int, int] = {}
        self.partitions: Sequence[int] = ()

    async def start(self) -> None:
        async with self._in_time():
            await self._producer.start()
            self.partitions = sorted(await self._producer.partitions_for(self._topic))

    def partition(self, key: bytes) -> int:
        """The partition of a key, the same as any of Kafka's clients found by default when the
        topic was begun: partitions that came later hold no events."""
        return self.partitions[_hash(key) % self._shared_over]

    def parcel(self) -> "Parcel":
        """Something to put messages into, before or while another is published."""
        return Parcel(self._producer.create_batch, self.partition)

    async def publish(self, parcel: "Parcel") -> None:
        """Send all of it, in order within each partition; returns when it is acknowledged.

        Raises KafkaError, Stuck when nothing is heard or the topic has got other partitions, or
        TopicReplaced when it is too late.
        """
        self._must_be_the_same()
        async with self._in_time():
            await asyncio.gather(*(self._publish(p, b) for p, b in parcel.batches.items()))

    def _must_be_the_same(self) -> None:
        known = self._producer.client.cluster.partitions_for_topic(self._topic)
        if known is not None and len(known) != len(self.partitions):
            raise Stuck(f"{self._topic} has {len(known)} partitions now")

    async def _publish(self, partition: int, batches: Sequence[Any]) -> None:
        for batch in batches:
            # A closed batch does not linger.
            batch.close()
            count = batch.record_count()
            sent = await self._producer.send_batch(batch, self._topic, partition=partition)
            self._must_follow(partition, (await sent).offset, count)

    def _must_follow(self, partition: int, offset: int, count: int) -> None:
        """Offsets only rise, unless the topic is another one. (-1: it was there already.)"""
        if 0 <= offset < self._ends.get(partition, 0):
            raise TopicReplaced(f"partition {partition} of {self._topic} begins again at {offset}")
        self._ends[partition] = offset + count

    @asynccontextmanager
    async def _in_time(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(self._stuck_seconds) as limit:
                yield
        except TimeoutError:
            if limit.expired():
                raise Stuck(f"Kafka acknowledged nothing in {self._stuck_seconds:g} s") from None
            raise
        except AssertionError as error:
            # aiokafka's word for a partition that is no more.
            raise Stuck(f"the topic has changed: {error}") from error


class Parcel:
    """Messages packed into batches, in the order in which they were put in."""

    def __init__(self, create_batch: Callable[[], Any], partition: Callable[[bytes], int]) -> None:
        self._create_batch = create_batch
        self._partition = partition
        self.batches: dict[int, list[Any]] = {}
        self.last: dict[int, int] = {}
        """The last position that each partition is told."""

    def put(self, message: Message, position: int) -> None:
        """Add a message to the partition of its key."""
        self.put_into(self._partition(message.key), message, position)

    def put_into(self, partition: int, message: Message, position: int) -> None:
        batches = self.batches.setdefault(partition, [])
        if not batches or not _append(batches[-1], message):
            # The first message of a batch always has room.
            batches.append(self._create_batch())
            _append(batches[-1], message)
        self.last[partition] = position


@asynccontextmanager
async def open_publisher(
    cluster: Cluster, stuck_seconds: float, shared_over: int
) -> AsyncIterator[Publisher]:
    """A publisher with a producer of its own, closed at once at the end."""
    producer = AIOKafkaProducer(
        acks="all",
        enable_idempotence=True,
        max_batch_size=BATCH_BYTES,
        metadata_max_age_ms=int(LOOK_SECONDS * 1000),
        **cluster.client,
    )
    try:
        publisher = Publisher(producer, cluster, stuck_seconds, shared_over)
        await publisher.start()
        yield publisher
    finally:
        await _close(producer)


async def _close(producer: Any) -> None:
    """Close also a producer whose broker is gone: its own `stop` would wait for it for ever."""
    try:
        async with asyncio.timeout(CLOSE_SECONDS):
            await producer.stop()
    except FAILURES:
        for close in (producer._sender.close, producer.client.close):
            with suppress(*FAILURES):
                async with asyncio.timeout(CLOSE_SECONDS):
                    await close()
        for batch in _waiting(producer._message_accumulator):
            batch.future.cancel()


def _waiting(accumulator: Any) -> list[Any]:
    """The batches that nobody will send any more; a task of `stop` waits for each of them."""
    queued = [batch for batches in accumulator._batches.values() for batch in batches]
    return [*queued, *accumulator._pending_batches]


def _append(batch: Any, message: Message) -> bool:
    """Whether there was room."""
    key, value, timestamp, headers = message
    kept = batch.append(timestamp=timestamp, key=key, value=value, headers=headers)
    return kept is not None


@lru_cache(maxsize=100_000)
def _hash(key: bytes) -> int:
    return int(murmur2(key)) & 0x7FFF_FFFF

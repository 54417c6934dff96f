"""The relay, from the rows of the log to Kafka's acknowledgements, against bare aiokafka produce.

Bare produce sends the very messages that the relay makes, key, value and headers, ready in memory,
with the same guarantees (idempotent, acks=all), through `send` at the better of two batch sizes.
"""

import asyncio
import secrets
import statistics
import tempfile
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import psycopg
import uvloop
from aiokafka import AIOKafkaProducer

from adapters.kafka.cluster import Cluster, ensure_topic
from adapters.kafka.messages import Message, Stored, message
from adapters.kafka.relay import Relay
from adapters.postgres.marks import PostgresMarks
from adapters.postgres.migrations import migrate
from adapters.postgres.sessions import open_pool
from adapters.postgres.stream import LogStream
from application.ports import Mark
from domain.model import Actor, Metadata
from tests.benchmarks.bench import Figure, postgres
from tests.support import servers

EVENTS = 60_000
ROUNDS = 5
STREAMS = 500
WORKSPACES = 40
STATE = b'{"name":"Production","padding":"' + b"x" * 588 + b'"}'
BATCH_BYTES = (16_384, 262_144)


def run() -> Iterator[Figure]:
    with (
        tempfile.TemporaryDirectory(prefix="quarterdeck-bench-", dir="/tmp") as folder,
        servers.kafka(Path(folder) / "kafka") as broker,
        postgres() as dsn,
    ):
        rows = _rows()
        asyncio.run(_fill(dsn, rows))
        ready = [message(row) for row in rows]
        # The broker is a Java program: the first run teaches it.
        uvloop.run(_produce(broker.address, ready, BATCH_BYTES[0]))
        # In turns, so that what else the machine does touches both.
        rounds = [_round(dsn, broker.address, ready) for _ in range(ROUNDS)]
    ratios = sorted(relay / bare for relay, bare in rounds)
    relay, bare = (max(speeds) for speeds in zip(*rounds, strict=True))
    told = f"at best {relay:,.0f}/s; bare {bare:,.0f}/s; ratios {ratios[0]:.2f} to {ratios[-1]:.2f}"
    name = "kafka_relay_events_per_second_vs_produce"
    yield Figure(name, statistics.median(ratios), 0.7, told=told)


def _round(dsn: str, servers: str, ready: Sequence[Message]) -> tuple[float, float]:
    bare = max(uvloop.run(_produce(servers, ready, size)) for size in BATCH_BYTES)
    return uvloop.run(_relay(dsn, servers)), bare


def _rows() -> list[Stored]:
    streams = [uuid4() for _ in range(STREAMS)]
    actor = Actor(type="AuthToken", id=uuid4(), name="terraform-ci")
    envelopes = [
        Metadata(
            workspace_id=uuid4(),
            workspace="production",
            actor=actor,
            remote_address="10.20.4.17",
            request_id=secrets.token_hex(16),
            pid=7,
        )
        .model_dump_json(exclude_defaults=True)
        .encode()
        for _ in range(WORKSPACES)
    ]
    now = datetime.now(UTC)
    return [
        Stored(
            n + 1,
            streams[n % STREAMS],
            n // STREAMS + 1,
            "workspace.renamed",
            STATE,
            envelopes[n % STREAMS % WORKSPACES],
            now,
        )
        for n in range(EVENTS)
    ]


async def _fill(dsn: str, rows: Sequence[Stored]) -> None:
    await migrate(dsn)
    async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as connection:
        copy = connection.cursor().copy(
            "copy log.stored_events (originator_id, originator_version, topic, state,"
            " notification_id, recorded_at, metadata) from stdin"
        )
        async with copy as copying:
            for r in rows:
                await copying.write_row(
                    (
                        r.stream_id,
                        r.version,
                        r.topic,
                        r.state,
                        r.position,
                        r.recorded_at,
                        r.metadata_json,
                    )
                )
        await connection.execute("update log.head set position = %s, recorded_at = now()", [EVENTS])


async def _produce(servers: str, ready: Sequence[Message], batch_bytes: int) -> float:
    cluster = await _topic(servers)
    producer = AIOKafkaProducer(
        bootstrap_servers=servers,
        acks="all",
        enable_idempotence=True,
        linger_ms=2,
        max_batch_size=batch_bytes,
    )
    await producer.start()
    try:
        started = time.perf_counter()
        sent = [
            await producer.send(
                cluster.topic, m.value, m.key, timestamp_ms=m.timestamp, headers=m.headers
            )
            for m in ready
        ]
        await asyncio.gather(*sent)
        return len(ready) / (time.perf_counter() - started)
    finally:
        await producer.stop()


class Watch:
    """Marks as in production, and the time at which each was kept."""

    def __init__(self, marks: PostgresMarks) -> None:
        self._marks = marks
        self.kept: list[tuple[float, int]] = []
        self.done = asyncio.Event()

    async def of(self, partitions: Collection[int]) -> Mapping[int, Mark]:
        return await self._marks.of(partitions)

    async def save(self, partition: int, mark: Mark) -> None:
        await self._marks.save(partition, mark)
        self.kept.append((time.perf_counter(), mark.position))
        if mark.position == EVENTS:
            self.done.set()

    async def must_continue(self, seen: Collection[Mark]) -> None:
        await self._marks.must_continue(seen)

    async def shared_over(self, topic: str) -> int | None:
        return await self._marks.shared_over(topic)

    async def share_over(self, topic: str, partitions: int) -> None:
        await self._marks.share_over(topic, partitions)

    @property
    def events_per_second(self) -> float:
        """From the first page's end to the last one's: not how long it takes to connect."""
        (first, begin), (last, end) = self.kept[0], self.kept[-1]
        return (end - begin) / (last - first)


async def _relay(dsn: str, servers: str) -> float:
    cluster = await _topic(servers)
    async with open_pool(dsn, name="relay", size=1) as pool:
        watch = Watch(PostgresMarks(pool, secrets.token_hex(4), durable=False))
        relay = Relay(LogStream(dsn, Stored), watch, cluster)
        running = asyncio.create_task(relay.run())
        done = asyncio.create_task(watch.done.wait())
        await asyncio.wait([running, done], return_when=asyncio.FIRST_COMPLETED)
        if running.done():
            await running
        running.cancel()
        await asyncio.wait([running])
    return watch.events_per_second


async def _topic(servers: str) -> Cluster:
    cluster = Cluster(servers, f"bench.{secrets.token_hex(4)}")
    await ensure_topic(cluster)
    return cluster

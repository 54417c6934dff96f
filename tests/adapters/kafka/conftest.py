"""A log, a topic of its own in the run's Kafka, and what reads and fills both."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import pytest
from aiokafka import AIOKafkaConsumer
from psycopg_pool import AsyncConnectionPool

from adapters.kafka.cluster import Cluster
from adapters.kafka.messages import Stored, position, recorded
from adapters.kafka.relay import Relay
from adapters.postgres.event_store import PostgresEventStore
from adapters.postgres.marks import PostgresMarks
from adapters.postgres.migrations import migrate
from adapters.postgres.sessions import open_pool
from adapters.postgres.stream import LogStream
from application.ports import Append, StreamAppend
from domain.workspaces import WorkspaceRenamed
from tests.support import servers

PATIENCE_SECONDS = 90


@dataclass
class Log:
    """A log with as many workspaces as there are appends at once."""

    dsn: str
    store: PostgresEventStore
    pool: AsyncConnectionPool
    versions: dict[UUID, int] = field(default_factory=dict)
    workspaces: list[UUID] = field(default_factory=lambda: [uuid4() for _ in range(9)])

    async def append(self, count: int = 1, name: str = "n", workspace: UUID | None = None) -> int:
        """So many events, one stream a workspace; the position of the last one."""
        chosen = [workspace] if workspace else self.workspaces
        share, more = divmod(count, len(chosen))
        counts = [share + (n < more) for n in range(len(chosen))]
        made = [self._append(w, c, name) for w, c in zip(chosen, counts, strict=True) if c]
        return max(await asyncio.gather(*made))

    async def _append(self, workspace: UUID, count: int, name: str) -> int:
        version = self.versions.get(workspace, 0)
        events = [WorkspaceRenamed(name=name, previous_name="b") for _ in range(count)]
        appended = await self.store.append(
            Append(
                [StreamAppend(workspace, version, events)],
                {"workspace_id": workspace, "workspace": "w"},
            )
        )
        self.versions[workspace] = version + count
        return appended.position

    def relay(self, cluster: Cluster, **options: Any) -> Relay:
        place = PostgresMarks(self.pool, "relay", durable=False)
        return Relay(LogStream(self.dsn, Stored), place, cluster, **options)


@pytest.fixture
async def log(database: str) -> AsyncIterator[Log]:
    await migrate(database)
    async with (
        PostgresEventStore(database) as store,
        open_pool(database, name="marks", size=2) as pool,
    ):
        yield Log(database, store, pool)


@pytest.fixture
def cluster(kafka_server: servers.KafkaBroker) -> Cluster:
    return Cluster(kafka_server.address, f"quarterdeck.events.{secrets.token_hex(4)}")


@asynccontextmanager
async def running(work: Awaitable[Any]) -> AsyncIterator["asyncio.Task[Any]"]:
    """Work that goes on beside the test; its error, if any, is the test's."""
    task = asyncio.ensure_future(work)
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait([task])
        if not task.cancelled():
            task.result()


async def until(holds: Callable[[], bool], seconds: float = PATIENCE_SECONDS) -> None:
    async with asyncio.timeout(seconds):
        while not holds():
            await asyncio.sleep(0.02)


async def messages(cluster: Cluster, upto: int) -> Mapping[int, list[Any]]:
    """What the topic holds, by partition, once every partition is known to reach a position."""
    consumer = AIOKafkaConsumer(cluster.topic, auto_offset_reset="earliest", **cluster.client)
    found: dict[int, list[Any]] = {}
    reached: dict[int, int] = {}
    await consumer.start()
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while len(reached) < cluster.partitions or min(reached.values()) < upto:
                received = await consumer.getmany(timeout_ms=200)
                for partition, batch in received.items():
                    found.setdefault(partition.partition, []).extend(batch)
                    reached[partition.partition] = position(batch[-1])
    finally:
        await consumer.stop()
    return found


def first_of_each(received: Iterable[Any]) -> list[int]:
    """The positions of events in the order in which a reader meets them first."""
    seen = dict.fromkeys(position(m) for m in received if recorded(m, Stored) is not None)
    return list(seen)


def must_hold(found: Mapping[int, list[Any]], upto: int) -> None:
    """Every event is there, and none is first met after a later one of its partition."""
    everything: list[int] = []
    for received in found.values():
        met = first_of_each(received)
        assert met == sorted(met)
        # What a reader drops as known was known: watermarks tell nothing too early.
        told, kept = 0, []
        for m in received:
            if position(m) > told:
                told = position(m)
                kept += [told] * (m.value is not None)
        assert kept == met
        everything += met
    assert sorted(everything) == list(range(1, upto + 1))

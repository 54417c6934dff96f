"""The log as a stream keeps the promises of every stream, and some of its own."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
import pytest

from adapters.postgres.event_store import PostgresEventStore
from adapters.postgres.mapper import Mapper, UndecodableEvent
from adapters.postgres.migrations import migrate
from adapters.postgres.stream import PAGE_BYTES, LogStream
from application.ports import Append, StreamAppend, Unavailable
from domain.workspaces import WorkspaceRenamed
from tests.adapters.contracts.stream import Follower, StreamContract, Write
from tests.support import servers

ONE_SECOND = 1.0
POLL_SECONDS = 30.0
"""So long that a test which ends was woken by NOTIFY."""


def log_stream(dsn: str, group: str | None = None, poll_seconds: float = POLL_SECONDS) -> LogStream:
    return LogStream(dsn, Mapper().recorded, group=group, poll_seconds=poll_seconds)


async def append(store: PostgresEventStore, stream_id: UUID, version: int) -> None:
    event = WorkspaceRenamed(name=f"name {version}", previous_name="before")
    await store.append(Append([StreamAppend(stream_id, version - 1, [event])], {}))


class TestLogStream(StreamContract):
    @pytest.fixture
    async def store(self, database: str) -> AsyncIterator[PostgresEventStore]:
        await migrate(database)
        async with PostgresEventStore(database) as store:
            yield store

    @pytest.fixture
    def stream(self, database: str, store: PostgresEventStore) -> LogStream:
        return log_stream(database)

    @pytest.fixture
    def write(self, store: PostgresEventStore) -> Write:
        async def write(stream_id: UUID, count: int) -> None:
            for version in range(1, count + 1):
                await append(store, stream_id, version)

        return write

    async def test_of_a_group_one_leads_and_another_takes_its_place(
        self, database: str, write: Write
    ) -> None:
        followers = [Follower(log_stream(database, "projector", 0.02)) for _ in range(2)]
        tasks = [asyncio.create_task(follower.run()) for follower in followers]
        await write(uuid4(), 3)
        leader = await first_to_see(followers, 3)
        assert followers[1 - leader].pages == []
        tasks[leader].cancel()
        await followers[1 - leader].until(3)
        tasks[1 - leader].cancel()
        await asyncio.wait(tasks)

    async def test_an_event_that_cannot_be_read_does_not_stop_it(
        self, database: str, follower: Follower, write: Write
    ) -> None:
        async with await psycopg.AsyncConnection.connect(database, autocommit=True) as connection:
            await connection.execute(
                "insert into log.stored_events"
                " (originator_id, originator_version, topic, state, notification_id)"
                " values (gen_random_uuid(), 1, 'from.the.future', '{}', 1)"
            )
            await connection.execute("update log.head set position = 1")
        await write(uuid4(), 1)
        await follower.until(2)
        assert isinstance(follower.records[0].event, UndecodableEvent)

    async def test_a_page_of_large_events_is_a_small_page(
        self, database: str, store: PostgresEventStore, follower: Follower
    ) -> None:
        async with await psycopg.AsyncConnection.connect(database, autocommit=True) as connection:
            await connection.execute(
                "insert into log.stored_events"
                " (originator_id, originator_version, topic, state, notification_id)"
                " select gen_random_uuid(), 1, 'large', convert_to(repeat('x', 1000000), 'UTF8'), n"
                " from generate_series(1, 200) n"
            )
            await connection.execute("update log.head set position = 200")
        await append(store, uuid4(), 1)
        await follower.until(201)
        assert max(len(page.records) for page in follower.pages[1:]) <= 4 * PAGE_BYTES // 1_000_000


async def first_to_see(followers: list[Follower], count: int) -> int:
    tasks = [asyncio.create_task(follower.until(count)) for follower in followers]
    done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
    await asyncio.wait(tasks)
    return tasks.index(done.pop())


@pytest.mark.slow
async def test_a_follower_survives_restarts_of_the_server(server_folder: Path) -> None:
    with servers.postgres_under_test(server_folder / f"restarted-{secrets.token_hex(4)}") as server:
        await migrate(server.dsn)
        follower = Follower(log_stream(server.dsn, "projector", 0.2))
        task = asyncio.create_task(follower.run())
        async with PostgresEventStore(server.dsn) as store:
            stream_id, version = uuid4(), 0
            for _ in range(3):
                for _ in range(5):
                    version += 1
                    await until_written(store, stream_id, version)
                await follower.until(version)
                await asyncio.to_thread(server.stop)
                await asyncio.to_thread(server.start)
        task.cancel()
        await asyncio.wait([task])
    assert sorted({r.version for r in follower.records}) == list(range(1, 16))


async def until_written(store: PostgresEventStore, stream_id: UUID, version: int) -> None:
    while True:
        try:
            return await append(store, stream_id, version)
        except Unavailable:
            continue

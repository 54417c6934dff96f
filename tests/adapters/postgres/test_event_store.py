"""The event store on PostgreSQL keeps the promises of every event store, and some of its own."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from adapters.postgres.event_store import PostgresEventStore
from adapters.postgres.mapper import UndecodableEvent
from application.ports import (
    MOST_EVENT_BYTES,
    Append,
    Appended,
    EventTooLarge,
    StreamAppend,
    Unavailable,
)
from domain.clusters import ClusterRenderFailed, RenderError
from domain.model import Event
from domain.users import SignInLinkUsed
from tests.adapters.contracts.event_store import EventStoreContract, append, on
from tests.adapters.postgres.tables_read import whole_tables_read


@pytest.fixture
async def store(log_database: str) -> AsyncIterator[PostgresEventStore]:
    async with PostgresEventStore(log_database) as store:
        yield store


class TestPostgresEventStore(EventStoreContract):
    @pytest.fixture
    def store(self, store: PostgresEventStore) -> PostgresEventStore:
        return store


class Counting(PostgresEventStore):
    """A store that counts its selects and holds them back when it is told so."""

    selects = 0
    gate: asyncio.Event | None = None

    async def _select(self, asked: Any) -> Any:
        self.selects += 1
        if self.gate is not None:
            await self.gate.wait()
        return await super()._select(asked)


def of_size(size: int) -> Event:
    error = RenderError(section="s", detail="x" * size)
    return ClusterRenderFailed(errors=(error,), engine="e")


async def test_an_event_that_would_fit_into_no_message_is_refused_and_stops_no_other(
    store: PostgresEventStore,
) -> None:
    stream_id = uuid4()
    large = Append([StreamAppend(stream_id, 0, [of_size(MOST_EVENT_BYTES)])], {})
    appends = [store.append(append(on(uuid4()))) for _ in range(5)]
    refused, *others = await asyncio.gather(store.append(large), *appends, return_exceptions=True)
    assert isinstance(refused, EventTooLarge)
    assert "8 MiB" in str(refused)
    assert all(isinstance(other, Appended) for other in others)
    assert await store.head() == 5
    little_less = [of_size(MOST_EVENT_BYTES - 2_000)]
    await store.append(Append([StreamAppend(stream_id, 0, little_less)], {}))


@pytest.mark.direct
async def test_nothing_is_looked_up_by_reading_a_whole_table(log_database: str) -> None:
    read = await whole_tables_read(log_database)
    stream_id = uuid4()
    async with PostgresEventStore(log_database, readers=1) as store:
        await store.append(append(on(stream_id)))
        for _ in range(20):
            assert len(await store.load(stream_id)) == 1
            assert len(await store.read()) == 1
            assert await store.holder("nobody") is None
            assert await store.outcome("nothing") is None
            assert await store.snapshot(stream_id, "none") is None
    assert await whole_tables_read(log_database) == read


async def test_loads_that_wait_for_each_other_are_made_as_one(log_database: str) -> None:
    streams = [uuid4() for _ in range(50)]
    async with Counting(log_database) as store:
        for stream_id in streams:
            await store.append(append(on(stream_id, 0, 2)))
        store.gate = asyncio.Event()
        first = asyncio.create_task(store.load(streams[0]))
        while not store.selects:
            await asyncio.sleep(0)
        others = [asyncio.create_task(store.load(s, after=n % 2)) for n, s in enumerate(streams)]
        twice = asyncio.create_task(store.load(streams[1]))
        await asyncio.sleep(0)
        store.gate.set()
        loaded = await asyncio.gather(*others)
        assert store.selects == 2
    assert [[r.version for r in records] for records in loaded] == [[1, 2], [2]] * 25
    assert [r.version for r in await first] == [1, 2]
    assert [r.version for r in await twice] == [1, 2]


async def test_who_gives_up_a_load_takes_nothing_from_the_others(log_database: str) -> None:
    stream_id = uuid4()
    async with Counting(log_database) as store:
        await store.append(append(on(stream_id)))
        store.gate = asyncio.Event()
        left, stayed = (asyncio.create_task(store.load(stream_id)) for _ in range(2))
        while not store.selects:
            await asyncio.sleep(0)
        left.cancel()
        await asyncio.sleep(0)
        store.gate.set()
        assert len(await stayed) == 1
    assert left.cancelled()


async def test_a_load_that_fails_fails_for_all_who_wait_and_the_next_one_works(
    log_database: str,
) -> None:
    async with Counting(log_database) as store:
        await store.pool.close()
        results = await asyncio.gather(
            *(store.load(uuid4()) for _ in range(5)), return_exceptions=True
        )
        assert {type(r) for r in results} == {Unavailable}


async def test_an_event_that_cannot_be_read_stands_in_for_itself(
    store: PostgresEventStore, log_database: str
) -> None:
    stream_id = uuid4()
    await store.append(append(on(stream_id, 0, 3)))
    with psycopg.connect(log_database, autocommit=True) as connection:
        connection.execute("update log.stored_events set topic = 'x.y' where notification_id = 2")
    events = [r.event for r in await store.load(stream_id)]
    assert [type(e) for e in events] == [SignInLinkUsed, UndecodableEvent, SignInLinkUsed]
    assert [r.position for r in await store.read()] == [1, 2, 3]


async def test_some_of_the_log_is_read_by_topic_by_number_and_by_size(
    store: PostgresEventStore,
) -> None:
    stream = uuid4()
    used = SignInLinkUsed(session_id=uuid4())
    events: list[Event] = [used, of_size(5_000), used, of_size(5_000)]
    last = (await store.append(Append([StreamAppend(stream, 0, events)], {}))).position
    begin = last - len(events)

    async def positions(
        *, topics: list[str] | None = None, limit: int = 10, max_bytes: int = 1 << 20
    ) -> list[int]:
        found = await store.read_some(begin, last, topics=topics, limit=limit, max_bytes=max_bytes)
        return [record.position - begin for record in found]

    assert await positions() == [1, 2, 3, 4]
    assert await positions(topics=[SignInLinkUsed.topic]) == [1, 3]
    assert await positions(limit=3) == [1, 2, 3]
    assert await positions(max_bytes=1_000) == [1, 2]
    assert await positions(topics=[ClusterRenderFailed.topic], max_bytes=1) == [2]

"""The cache gives the newest state it can know of, and a stale one never stays."""

import asyncio
from collections.abc import Sequence
from uuid import UUID, uuid4

import pytest

from adapters.memory.clock import StandingClock
from adapters.memory.event_store import InMemoryEventStore
from application.ports import Append, StreamAppend, Unavailable
from application.state_cache import SNAPSHOT_EVERY, StateCache, snapshot_topic
from domain.clusters import Cluster
from domain.model import Event, OutOfOrder, Recorded
from domain.tasks import TaskSucceeded
from domain.workspaces import Workspace, WorkspaceCreated, WorkspaceRenamed

created = WorkspaceCreated(name="0", slug="team")


class Store(InMemoryEventStore):
    """Counts what is loaded, and holds loads back when it is told so."""

    def __init__(self) -> None:
        super().__init__(StandingClock())
        self.loads: list[tuple[UUID, int]] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.is_away = False

    async def load(self, stream_id: UUID, after: int = 0) -> Sequence[Recorded]:
        self.loads.append((stream_id, after))
        found = await super().load(stream_id, after)
        found = list(found)
        await self.gate.wait()
        return found

    async def save_snapshot(self, stream_id: UUID, version: int, topic: str, state: bytes) -> None:
        if self.is_away:
            raise Unavailable("The database cannot be reached.")
        await super().save_snapshot(stream_id, version, topic, state)

    async def write(self, stream_id: UUID, events: Sequence[Event]) -> None:
        expected = len(self._stream(stream_id))
        await self.append(Append([StreamAppend(stream_id, expected, events)], {}))


def renames(first: int, count: int) -> list[Event]:
    return [
        WorkspaceRenamed(name=str(n), previous_name=str(n - 1)) for n in range(first, first + count)
    ]


@pytest.fixture
def store() -> Store:
    return Store()


async def name_of(cache: StateCache, stream_id: UUID) -> tuple[int, str]:
    version, state = await cache.load(Workspace, stream_id)
    assert isinstance(state, Workspace)
    return version, state.name


async def test_a_state_is_loaded_once(store: Store) -> None:
    stream_id = uuid4()
    await store.write(stream_id, [created, *renames(1, 2)])
    cache = StateCache(store)
    assert await name_of(cache, stream_id) == (3, "2")
    assert await name_of(cache, stream_id) == (3, "2")
    assert store.loads == [(stream_id, 0)]


async def test_what_does_not_exist_is_not_kept(store: Store) -> None:
    stream_id = uuid4()
    cache = StateCache(store)
    assert await cache.load(Workspace, stream_id) == (0, None)
    await store.write(stream_id, [created])
    assert await name_of(cache, stream_id) == (1, "0")


async def test_the_longest_unused_state_goes_first(store: Store) -> None:
    streams = [uuid4() for _ in range(3)]
    cache = StateCache(store, capacity=2)
    for stream_id in streams:
        await store.write(stream_id, [created])
    await name_of(cache, streams[0])
    await name_of(cache, streams[1])
    await name_of(cache, streams[0])
    await name_of(cache, streams[2])
    store.loads.clear()
    await name_of(cache, streams[0])
    await name_of(cache, streams[1])
    assert store.loads == [(streams[1], 0)]


async def test_an_older_state_never_replaces_a_newer_one(store: Store) -> None:
    stream_id = uuid4()
    cache = StateCache(store)
    newer = Workspace.fold([created, *renames(1, 1)])
    older = Workspace.fold([created])
    assert newer is not None
    assert older is not None
    cache.put(stream_id, 2, newer)
    cache.put(stream_id, 1, older)
    assert await name_of(cache, stream_id) == (2, "1")


async def test_a_state_that_others_changed_is_loaded_again(store: Store) -> None:
    stream_id = uuid4()
    await store.write(stream_id, [created])
    cache = StateCache(store)
    await name_of(cache, stream_id)
    cache.seen(stream_id, 1)
    await store.write(stream_id, renames(1, 1))
    assert await name_of(cache, stream_id) == (1, "0")
    cache.seen(stream_id, 2)
    assert await name_of(cache, stream_id) == (2, "1")


async def test_a_state_that_others_change_while_it_is_loaded_is_not_kept(store: Store) -> None:
    stream_id = uuid4()
    await store.write(stream_id, [created])
    cache = StateCache(store)
    store.gate.clear()
    slow = asyncio.create_task(name_of(cache, stream_id))
    async with asyncio.timeout(5):
        while not store.loads:
            await asyncio.sleep(0)
        await asyncio.sleep(0)
    await store.write(stream_id, renames(1, 1))
    cache.seen(stream_id, 2)
    store.gate.set()
    assert await slow == (1, "0")
    assert await name_of(cache, stream_id) == (2, "1")


async def test_a_long_stream_is_folded_from_its_snapshot(store: Store) -> None:
    stream_id = uuid4()
    await store.write(stream_id, [created, *renames(1, SNAPSHOT_EVERY)])
    assert await name_of(StateCache(store), stream_id) == (SNAPSHOT_EVERY + 1, str(SNAPSHOT_EVERY))
    await snapshot_of(store, stream_id)
    await store.write(stream_id, renames(SNAPSHOT_EVERY + 1, 1))
    store.loads.clear()
    again = await name_of(StateCache(store), stream_id)
    assert again == (SNAPSHOT_EVERY + 2, str(SNAPSHOT_EVERY + 1))
    assert store.loads == [(stream_id, SNAPSHOT_EVERY + 1)]


async def test_a_short_stream_has_no_snapshot(store: Store) -> None:
    stream_id = uuid4()
    await store.write(stream_id, [created, *renames(1, SNAPSHOT_EVERY - 2)])
    await name_of(StateCache(store), stream_id)
    for _ in range(10):
        await asyncio.sleep(0)
    assert await store.snapshot(stream_id, snapshot_topic(Workspace)) is None


async def test_a_snapshot_of_another_kind_or_form_is_passed_over(store: Store) -> None:
    stream_id = uuid4()
    await store.write(stream_id, [created])
    for topic in (snapshot_topic(Cluster), "snapshot.Workspace", "snapshot.Workspace.1.old"):
        await store.save_snapshot(stream_id, 1, topic, b'{"form": "old"}')
    assert await name_of(StateCache(store), stream_id) == (1, "0")


def test_a_kind_has_another_snapshot_when_its_evolution_changed() -> None:
    class Evolved(Workspace):
        evolution = 2

    assert snapshot_topic(Evolved) != snapshot_topic(Workspace)
    assert snapshot_topic(Workspace) == snapshot_topic(Workspace)


async def test_a_snapshot_that_cannot_be_saved_costs_nobody_anything(store: Store) -> None:
    stream_id = uuid4()
    await store.write(stream_id, [created, *renames(1, SNAPSHOT_EVERY)])
    store.is_away = True
    cache = StateCache(store)
    assert (await name_of(cache, stream_id))[0] == SNAPSHOT_EVERY + 1
    for _ in range(10):
        await asyncio.sleep(0)


class OfTheFuture(Event):
    """What the store gives for an event whose topic it does not know: it has none."""


async def test_what_a_newer_version_wrote_is_waited_for_and_decided_on_by_nobody(
    store: Store,
) -> None:
    stream_id = uuid4()
    await store.write(stream_id, [created, OfTheFuture()])
    with pytest.raises(Unavailable, match="position 2 cannot be read by this version"):
        await StateCache(store).load(Workspace, stream_id)


async def test_an_event_that_cannot_follow_is_a_defect_and_not_a_missing_stream(
    store: Store,
) -> None:
    stream_id = uuid4()
    await store.write(stream_id, [created, TaskSucceeded()])
    with pytest.raises(OutOfOrder):
        await StateCache(store).load(Workspace, stream_id)


async def snapshot_of(store: Store, stream_id: UUID) -> None:
    async with asyncio.timeout(5):
        while await store.snapshot(stream_id, snapshot_topic(Workspace)) is None:
            await asyncio.sleep(0)

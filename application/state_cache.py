"""The newest state of the aggregates in use: written through, guarded by the expected version."""

import asyncio
from collections import Counter, OrderedDict
from functools import cache
from hashlib import sha256
from typing import Any
from uuid import UUID

from pydantic_core import to_json

from application.ports import EventStore, Overloaded, Unavailable
from domain.model import Aggregate, OutOfOrder

SNAPSHOT_EVERY = 200
"""Events between two snapshots of a stream; they are taken off the request path."""


class StateCache:
    """An LRU of (version, state) by stream.

    Kept by the number of the id: a UUID hashes itself in Python, a number in C.
    A stale entry costs a conflict and a reload, never a wrong write: the append checks the version.
    Where the same versions may have come with other events, after a failover, all is forgotten.
    """

    def __init__(self, store: EventStore, capacity: int = 20_000) -> None:
        self._store = store
        self._capacity = capacity
        self._states: OrderedDict[int, tuple[int, Aggregate]] = OrderedDict()
        self._loading: Counter[UUID] = Counter()
        self._seen: dict[UUID, int] = {}
        self._snapshots: set[asyncio.Task[None]] = set()
        self.forgotten = 0
        """Another number whenever all was forgotten: what was decided before counts no more."""

    def held(self, kind: type[Aggregate], stream_id: UUID) -> tuple[int, Aggregate | None] | None:
        """The same without waiting; None when it must be loaded first."""
        held = self._states.get(stream_id.int)
        if held is None:
            return None
        self._states.move_to_end(stream_id.int)
        return held if isinstance(held[1], kind) else (0, None)

    async def load(self, kind: type[Aggregate], stream_id: UUID) -> tuple[int, Aggregate | None]:
        """The version and state of a stream; (0, None) when there is none of this kind.

        Raises Unavailable when the stream holds what this version cannot read.
        """
        held = self.held(kind, stream_id)
        if held is not None:
            return held
        self._loading[stream_id] += 1
        try:
            forgotten = self.forgotten
            version, state = await self._load(kind, stream_id)
            if (
                self.forgotten == forgotten
                and state is not None
                and version >= self._seen.get(stream_id, 0)
            ):
                self.put(stream_id, version, state)
            return version, state
        finally:
            self._loading[stream_id] -= 1
            if not self._loading[stream_id]:
                del self._loading[stream_id]
                self._seen.pop(stream_id, None)

    def put(self, stream_id: UUID, version: int, state: Aggregate) -> None:
        states, number = self._states, stream_id.int
        held = states.get(number)
        if held is None:
            states[number] = (version, state)
            if len(states) > self._capacity:
                states.popitem(last=False)
        elif held[0] <= version:
            states[number] = (version, state)

    def forget(self) -> None:
        """Forget every state, also those on their way here: the log may be another one."""
        self.forgotten += 1
        self._states.clear()

    def drop(self, stream_id: UUID) -> None:
        self._states.pop(stream_id.int, None)

    def seen(self, stream_id: UUID, version: int) -> None:
        """Someone wrote this version: forget a state that is older, also one on its way here."""
        held = self._states.get(stream_id.int)
        if held is not None and held[0] < version:
            del self._states[stream_id.int]
        if stream_id in self._loading:
            self._seen[stream_id] = max(version, self._seen.get(stream_id, 0))

    async def _load(self, kind: type[Aggregate], stream_id: UUID) -> tuple[int, Any]:
        version, state = await self._start(kind, stream_id)
        begun_at = version
        for recorded in await self._store.load(stream_id, version):
            if not recorded.event.topic:
                raise Unavailable(
                    f"What stands at position {recorded.position} cannot be read by this version;"
                    " a newer one may have written it."
                )
            try:
                state = kind.evolve(state, recorded.event)
            except OutOfOrder:
                if state is not None:
                    raise
                return 0, None
            version = recorded.version
        if version - begun_at >= SNAPSHOT_EVERY:
            self._snapshot_later(stream_id, version, state)
        return version, state

    async def _start(self, kind: type[Aggregate], stream_id: UUID) -> tuple[int, Any]:
        found = await self._store.snapshot(stream_id, snapshot_topic(kind))
        if found is None:
            return 0, None
        version, state = found
        return version, kind.model_validate_json(state)

    def _snapshot_later(self, stream_id: UUID, version: int, state: Aggregate) -> None:
        forgotten = self.forgotten

        async def save() -> None:
            if self.forgotten != forgotten:
                return
            topic, body = snapshot_topic(type(state)), state.model_dump_json().encode()
            try:
                await self._store.save_snapshot(stream_id, version, topic, body)
            except (Unavailable, Overloaded):
                return

        task = asyncio.create_task(save(), name=f"snapshot {stream_id}")
        self._snapshots.add(task)
        task.add_done_callback(self._snapshots.discard)


@cache
def snapshot_topic(kind: type[Aggregate]) -> str:
    """The name of a kind's snapshots, another one when its fields or its evolution changed.

    A snapshot of another form is not read: the stream is folded from its beginning instead.
    """
    form = sha256(to_json(kind.model_json_schema(mode="serialization"))).hexdigest()[:12]
    return f"snapshot.{kind.__name__}.{kind.evolution}.{form}"

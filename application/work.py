"""One command at work: what it has loaded, what it decided, and what will be appended as one."""

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar
from uuid import UUID, uuid4, uuid5

from application.permissions import QUARTERDECK, Principal
from application.ports import (
    Append,
    Claim,
    Clock,
    CommandRecord,
    Document,
    Documents,
    EventStore,
    KeyPairs,
    Renderer,
    StreamAppend,
    Vault,
)
from application.state_cache import StateCache
from domain.model import Aggregate, Envelope, Event, NotFound
from domain.values import DocumentRef

A = TypeVar("A", bound=Aggregate)
Decision = Callable[[A], Iterable[Event]]
COMMANDS = UUID("6f5b0f0c-7f0e-4c0c-9a3e-0a1c7b7d5e11")


@dataclass(slots=True)
class Context:
    """Around a command: who asks, what is known of the way it came, and under which id.

    Not frozen: a frozen one takes four times as long to make, and every command brings one.
    """

    principal: Principal
    known: Envelope = field(default_factory=Envelope)
    command_id: str | None = None
    """The Idempotency-Key, made particular to the one who asks; None when none was given."""


def of_its_own_accord(known: Envelope | None = None) -> Context:
    """Around a command that no request brought: Quarterdeck's own, of this process, with an id."""
    own: Envelope = {"request_id": uuid4().hex, "pid": os.getpid()}
    return Context(QUARTERDECK, own | (known or {}))


@dataclass(slots=True)
class _Loaded(StreamAppend):
    """One stream in the hands of a command: what was decided about it, and what is so then."""

    events: list[Event]
    state: Aggregate | None


@dataclass(frozen=True, slots=True)
class World:
    """The ports that handlers use."""

    store: EventStore
    documents: Documents
    vault: Vault
    clock: Clock
    renderer: Renderer
    key_pairs: KeyPairs
    domain: str = "localhost"
    """The host name under which clusters reach Quarterdeck."""


class Work:
    """One try of one command: what it has loaded, decided and will append as one."""

    __slots__ = (
        "_cache",
        "_claims",
        "_decided",
        "_documents",
        "_forgotten",
        "_ids",
        "_now",
        "_streams",
        "_within",
        "context",
        "is_fresh",
        "world",
    )

    def __init__(self, world: World, cache: StateCache, context: Context) -> None:
        self.world = world
        self.context = context
        self._now: datetime | None = None
        self._cache = cache
        self._forgotten = cache.forgotten
        self._streams: dict[int, _Loaded] = {}
        self._decided: list[_Loaded] = []
        self._claims: list[Claim] = []
        self._documents: list[Document] = []
        self._within: Envelope = {}
        self._ids = 0
        self.is_fresh = True
        """Whether all that it has loaded was read from the log for it."""

    @property
    def now(self) -> datetime:
        """The time of this command: the same whenever it is asked for."""
        if self._now is None:
            self._now = self.world.clock.now()
        return self._now

    def new_id(self) -> UUID:
        """An id for a new stream: the same again when the same command id is repeated."""
        self._ids += 1
        if self.context.command_id is None:
            return uuid4()
        return uuid5(COMMANDS, f"{self.context.command_id}#{self._ids}")

    async def get(self, kind: type[A], stream_id: UUID) -> A:
        """The state as this command sees it. Raises NotFound."""
        loaded = self._held(kind, stream_id) or await self._load(kind, stream_id)
        return _state_of(kind, loaded)

    async def exists(self, kind: type[Aggregate], stream_id: UUID) -> bool:
        loaded = self._held(kind, stream_id) or await self._load(kind, stream_id)
        return loaded.state is not None

    async def change(self, kind: type[A], stream_id: UUID, decide: Decision[A]) -> A:
        """Take a decision on what is there; deciding nothing means that it is so already."""
        loaded = self._held(kind, stream_id) or await self._load(kind, stream_id)
        return await self._record(kind, loaded, decide(_state_of(kind, loaded)))

    async def create(self, kind: type[A], stream_id: UUID, events: Iterable[Event]) -> A:
        """Begin a stream. A stream that exists already is a conflict."""
        new = _Loaded(stream_id, 0, [], None)
        return await self._record(kind, self._streams.setdefault(stream_id.int, new), events)

    def claim(self, key: str, holder: UUID) -> None:
        """Hold a key that at most one holder has; taken, the command is refused with its holder."""
        self._claims.append(Claim(key, holder))

    def release(self, key: str) -> None:
        self._claims.append(Claim(key, None))

    async def document(self, text: str, subject_id: UUID | None = None) -> DocumentRef:
        """Keep a long text with this append; sealed with the subject's key when one is given."""
        document = await self.world.documents.prepare(text, subject_id)
        self._documents.append(document)
        return document.ref

    def within(self, workspace_id: UUID, slug: str) -> None:
        """Say in the envelope which workspace this is about."""
        self._within = {"workspace_id": workspace_id, "workspace": slug}

    @property
    def is_overtaken(self) -> bool:
        """Whether the log may have become another one since this try began."""
        return self._forgotten != self._cache.forgotten

    @property
    def is_empty(self) -> bool:
        return not self._decided

    def _held(self, kind: type[Aggregate], stream_id: UUID) -> _Loaded | None:
        loaded = self._streams.get(stream_id.int)
        if loaded is None:
            held = self._cache.held(kind, stream_id)
            if held is None:
                return None
            self.is_fresh = False
            version, state = held
            loaded = self._streams[stream_id.int] = _Loaded(stream_id, version, [], state)
        return loaded

    async def _load(self, kind: type[Aggregate], stream_id: UUID) -> _Loaded:
        version, state = await self._cache.load(kind, stream_id)
        found = _Loaded(stream_id, version, [], state)
        return self._streams.setdefault(stream_id.int, found)

    async def _record(self, kind: type[A], loaded: _Loaded, decided: Iterable[Event]) -> A:
        events: Sequence[Event] = list(decided)
        for event in events:
            if event.holds_secrets:
                subject_id = getattr(loaded.state, "cluster_id", loaded.stream_id)
                events = await self.world.vault.seal(subject_id, loaded.stream_id, events)
                break
        state = loaded.state
        for event in events:
            state = kind.evolve(state, event)  # type: ignore[arg-type]
        loaded.state = state
        if events and not loaded.events:
            self._decided.append(loaded)
        loaded.events.extend(events)
        return state  # type: ignore[return-value]

    def append(self, record: CommandRecord | None) -> Append:
        """Everything decided, as one append."""
        return Append(self._decided, self._envelope(), self._claims, self._documents, record)

    def remember(self) -> None:
        """Write the new states through to the cache, after the append."""
        if self.is_overtaken:
            return
        for loaded in self._decided:
            if loaded.state is not None:
                version = loaded.expected + len(loaded.events)
                self._cache.put(loaded.stream_id, version, loaded.state)

    def forget(self) -> None:
        """Drop what was loaded: it may be stale."""
        for loaded in self._streams.values():
            self._cache.drop(loaded.stream_id)

    def _envelope(self) -> Envelope:
        context = self.context
        actor = context.principal.known_actor
        known: Envelope = {**self._within, "actor": actor, **context.known}
        if context.command_id is not None:
            known["command_id"] = context.command_id
        return known


def _state_of(kind: type[A], loaded: _Loaded) -> A:
    if not isinstance(loaded.state, kind):
        raise NotFound(f"There is no {_words(kind)} {loaded.stream_id}.")
    return loaded.state


def _words(kind: type[Aggregate]) -> str:
    name = kind.__name__
    return "".join(f" {c.lower()}" if c.isupper() else c for c in name).strip()

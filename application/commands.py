"""The one way to change anything: authorise, load, decide, append, and try again on a conflict."""

import inspect
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from hashlib import sha256
from typing import Any, ClassVar, NamedTuple, TypeVar, cast, get_type_hints
from uuid import UUID, uuid4, uuid5

from pydantic import TypeAdapter
from pydantic_core import to_json

from application.permissions import Permission, Principal
from application.ports import (
    Append,
    AppendConflict,
    Claim,
    ClaimTaken,
    Clock,
    CommandRecord,
    CommandSeen,
    Document,
    Documents,
    EventStore,
    KeyPairs,
    Renderer,
    StreamAppend,
    Vault,
)
from application.state_cache import StateCache
from domain.model import Aggregate, Event, Metadata, NotFound, Refusal, Taken, Value
from domain.values import DocumentRef

A = TypeVar("A", bound=Aggregate)
Decision = Callable[[A], Iterable[Event]]
COMMANDS = UUID("6f5b0f0c-7f0e-4c0c-9a3e-0a1c7b7d5e11")
TRIES = 4


class Command(Value):
    """What someone wants done; the permission it needs stands on its class."""

    permission: ClassVar[Permission]
    secret_fields: ClassVar[frozenset[str]] = frozenset()

    @classmethod
    def __pydantic_init_subclass__(cls, permission: Permission | None = None, **_: Any) -> None:
        if permission is not None:
            cls.permission = permission

    def __init_subclass__(cls, **_: Any) -> None:
        super().__init_subclass__()


class WorkspaceCommand(Command):
    """A command inside one workspace."""

    workspace_id: UUID


class ChangedMeanwhile(Refusal, code="conflict"):
    """Others kept changing the same thing; nothing was done."""


class KeyReused(Refusal, code="idempotency_key_reused"):
    """The Idempotency-Key came with another request before."""


class ShownOnce(Value):
    """A result that holds a word to be seen once: what is remembered of it leaves the word out."""

    def without_word(self) -> "ShownOnce":
        raise NotImplementedError


class ShownWord(str):
    """A result that is itself a word to be seen once: nothing is remembered of it."""

    __slots__ = ()


@dataclass(slots=True)
class Context:
    """Around a command: who asks, from where, in answer to what, and under which id.

    Not frozen: a frozen one takes four times as long to make, and every command brings one.
    """

    principal: Principal
    remote_address: str | None = None
    request_id: str | None = None
    pid: int | None = None
    correlation_id: UUID | None = None
    causation_id: UUID | None = None
    command_id: str | None = None
    """The Idempotency-Key, made particular to the one who asks; None when none was given."""
    traceparent: str | None = None


class Outcome(NamedTuple):
    """What came of a command: its result, and the position from which reads show it.

    `recorded_at` is None when nothing was appended now.
    """

    result: Any
    position: int
    is_repeated: bool = False
    recorded_at: datetime | None = None


class _Loaded:
    """One stream in the hands of a command: what it was, and what was decided about it."""

    __slots__ = ("events", "state", "stream_id", "version")

    def __init__(self, stream_id: UUID, version: int, state: Aggregate | None) -> None:
        self.stream_id = stream_id
        self.version = version
        self.state = state
        self.events: list[Event] = []


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
        "_documents",
        "_events",
        "_ids",
        "_now",
        "_streams",
        "_workspace",
        "context",
        "world",
    )

    def __init__(self, world: World, cache: StateCache, context: Context) -> None:
        self.world = world
        self.context = context
        self._now: datetime | None = None
        self._cache = cache
        self._streams: dict[int, _Loaded] = {}
        self._claims: list[Claim] = []
        self._documents: list[Document] = []
        self._workspace: tuple[UUID, str] | None = None
        self._ids = 0
        self._events = 0

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
        new = _Loaded(stream_id, 0, None)
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
        self._workspace = (workspace_id, slug)

    @property
    def is_empty(self) -> bool:
        return not self._events

    def _held(self, kind: type[Aggregate], stream_id: UUID) -> _Loaded | None:
        loaded = self._streams.get(stream_id.int)
        if loaded is None:
            held = self._cache.held(kind, stream_id)
            if held is None:
                return None
            loaded = self._streams[stream_id.int] = _Loaded(stream_id, *held)
        return loaded

    async def _load(self, kind: type[Aggregate], stream_id: UUID) -> _Loaded:
        found = _Loaded(stream_id, *await self._cache.load(kind, stream_id))
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
        loaded.events.extend(events)
        self._events += len(events)
        return cast(A, state)

    def append(self, record: CommandRecord | None) -> Append:
        """Everything decided, as one append."""
        return Append(
            [
                StreamAppend(loaded.stream_id, loaded.version, loaded.events)
                for loaded in self._streams.values()
                if loaded.events
            ],
            self._metadata(),
            self._claims,
            self._documents,
            record,
        )

    def remember(self) -> None:
        """Write the new states through to the cache, after the append."""
        for loaded in self._streams.values():
            if loaded.events and loaded.state is not None:
                version = loaded.version + len(loaded.events)
                self._cache.put(loaded.stream_id, version, loaded.state)

    def forget(self) -> None:
        """Drop what was loaded: it may be stale."""
        for loaded in self._streams.values():
            self._cache.drop(loaded.stream_id)

    def _metadata(self) -> Metadata:
        context = self.context
        workspace_id, slug = self._workspace or (None, None)
        return Metadata.known(
            workspace_id=workspace_id,
            workspace=slug,
            actor=context.principal.actor,
            remote_address=context.remote_address,
            request_id=context.request_id,
            pid=context.pid,
            correlation_id=context.correlation_id,
            causation_id=context.causation_id,
            command_id=context.command_id,
            traceparent=context.traceparent,
        )


def _state_of(kind: type[A], loaded: _Loaded) -> A:
    if not isinstance(loaded.state, kind):
        raise NotFound(f"There is no {_words(kind)} {loaded.stream_id}.")
    return loaded.state


def _words(kind: type[Aggregate]) -> str:
    name = kind.__name__
    return "".join(f" {c.lower()}" if c.isupper() else c for c in name).strip()


C = TypeVar("C", bound=Command)
Handler = Callable[[C, Work], Awaitable[Any]]


class Handlers:
    """The handlers of a module, registered by the type of their first argument."""

    def __init__(self) -> None:
        self.by_command: dict[type[Command], Handler[Any]] = {}

    def register(self, handler: Handler[C]) -> Handler[C]:
        command = get_type_hints(handler)[next(iter(inspect.signature(handler).parameters))]
        if command in self.by_command:
            raise TypeError(f"{command.__name__} has a handler already")
        self.by_command[command] = handler
        return handler


class CommandBus:
    """Executes commands: the only place that authorises, repeats and appends."""

    def __init__(self, world: World, cache: StateCache, handlers: Iterable[Handlers]) -> None:
        self.world = world
        self.cache = cache
        self._handlers = {c: h for group in handlers for c, h in group.by_command.items()}

    @property
    def commands(self) -> Iterable[type[Command]]:
        return self._handlers.keys()

    async def execute(self, command: Command, context: Context) -> Outcome:
        """Carry out a command.

        Raises a Refusal, Overloaded or Unavailable; nothing was changed then.
        """
        context.principal.must(command.permission, command.__dict__.get("workspace_id"))
        for _ in range(TRIES):
            try:
                return await self._once(command, context)
            except AppendConflict:
                continue
            except (CommandSeen, Refusal):
                # A repeated command meets what it did itself: its append is seen, or it is refused.
                earlier = await self._earlier(command, context)
                if earlier is None:
                    raise
                return earlier
        raise ChangedMeanwhile("Others kept changing the same thing. Nothing was done; try again.")

    async def _once(self, command: Command, context: Context) -> Outcome:
        work = Work(self.world, self.cache, context)
        result = await self._handlers[type(command)](command, work)
        record = _record(command, context, result)
        if work.is_empty and record is None:
            return Outcome(result, 0)
        try:
            position, recorded_at = await self.world.store.append(work.append(record))
        except ClaimTaken as taken:
            work.forget()
            raise _taken(taken) from taken
        except (AppendConflict, CommandSeen):
            work.forget()
            raise
        work.remember()
        return Outcome(result, position, False, recorded_at)

    async def _earlier(self, command: Command, context: Context) -> Outcome | None:
        """What came of the command of this id, if it took effect before."""
        if context.command_id is None:
            return None
        earlier = await self.world.store.outcome(context.command_id)
        if earlier is None:
            return None
        if earlier.fingerprint != _fingerprint(command):
            raise KeyReused("This Idempotency-Key was used for another request.")
        result = _result_of(self._handlers[type(command)]).validate_json(earlier.result)
        return Outcome(result, earlier.position, is_repeated=True)


CLAIMED_FIELDS = {"workspace": "slug"}


def _taken(claim: ClaimTaken) -> Taken:
    kind, *_, name = claim.key.split(":", 2)
    return Taken(
        f"The name {name} is taken: {kind.replace('_', ' ')} {claim.holder} has it.",
        pointer=f"/{CLAIMED_FIELDS.get(kind, 'name')}",
    )


def _fingerprint(command: Command) -> bytes:
    shown = to_json(command, serialize_unknown=True, fallback=repr)
    return sha256(type(command).__name__.encode() + b"\0" + shown).digest()


def _record(command: Command, context: Context, result: Any) -> CommandRecord | None:
    if context.command_id is None:
        return None
    return CommandRecord(context.command_id, _fingerprint(command), to_json(_kept(result)))


def _kept(result: Any) -> Any:
    match result:
        case ShownOnce():
            return result.without_word()
        case ShownWord():
            return ""
    return result


@cache
def _result_of(handler: Handler[Any]) -> TypeAdapter[Any]:
    """Reads what is remembered of a handler's result."""
    return TypeAdapter(get_type_hints(handler)["return"])

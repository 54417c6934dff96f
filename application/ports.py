"""What the application needs from the world, each as a promise that every adapter keeps."""

from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Collection,
    Iterable,
    Mapping,
    Sequence,
)
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple, Protocol
from uuid import UUID

from domain.model import Event, Metadata, Recorded, Refusal
from domain.secrets import Secret
from domain.values import DocumentRef, OperationKind

MOST_EVENT_BYTES = 8 << 20
"""What an event may have at most, as JSON and with its envelope. Long texts are documents."""


class StreamAppend(NamedTuple):
    """What one append adds to one stream, which must stand at `expected` (0: must not exist)."""

    stream_id: UUID
    expected: int
    events: Sequence[Event]


class Claim(NamedTuple):
    """A key that at most one holder has in the whole log; `holder` None gives it back."""

    key: str
    holder: UUID | None


@dataclass(slots=True, frozen=True)
class Document:
    """A long text to keep beside the log, already in its stored form."""

    ref: DocumentRef
    body: bytes


@dataclass(slots=True, frozen=True)
class CommandRecord:
    """What a command leaves so that it takes effect once: its id, what was asked, what came."""

    command_id: str
    fingerprint: bytes
    result: bytes


class Append(NamedTuple):
    """All or nothing: events on one or more streams, and what goes with them."""

    streams: Sequence[StreamAppend]
    metadata: Metadata
    claims: Sequence[Claim] = ()
    documents: Sequence[Document] = ()
    command: CommandRecord | None = None


class Appended(NamedTuple):
    """Where the append stands: the position of its last event and the database's time of it."""

    position: int
    recorded_at: datetime


@dataclass(slots=True, frozen=True)
class CommandOutcome:
    """What an earlier command of the same id was asked and what came of it."""

    fingerprint: bytes
    result: bytes
    position: int


class AppendConflict(Exception):
    """A stream was not at the expected version; nothing was written."""


class ClaimTaken(Exception):
    """A claimed key belongs to another holder; nothing was written."""

    def __init__(self, key: str, holder: UUID) -> None:
        super().__init__(f"{key} is held by {holder}")
        self.key = key
        self.holder = holder


class CommandSeen(Exception):
    """A command of this id has taken effect already; nothing was written."""


class EventTooLarge(Refusal, code="event_too_large"):
    """An event would be larger than the log takes; nothing was written."""


class Erased(Refusal, LookupError, code="erased"):
    """The key of a secret was erased: nobody can read it any more."""


class Overloaded(Exception):
    """The queue of writes is full; ask again in `retry_after_seconds`."""

    retry_after_seconds = 1


class Unavailable(Exception):
    """A server that is needed cannot be reached or refuses to write; `detail` is for people."""

    retry_after_seconds = 5

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class EventStore(Protocol):
    """The log. Positions rise in commit order: a reader at `position > last` skips nothing."""

    async def append(self, append: Append) -> Appended:
        """Write all of it durably, or nothing.

        Raises AppendConflict, ClaimTaken, CommandSeen, Overloaded or Unavailable.
        """
        ...

    async def load(self, stream_id: UUID, after: int = 0) -> Sequence[Recorded]:
        """The stream's events with `version > after`, in order; empty when there are none."""
        ...

    async def holder(self, key: str) -> UUID | None:
        """Who holds a claimed key; None when nobody does."""
        ...

    async def outcome(self, command_id: str) -> CommandOutcome | None:
        """What came of the command of this id, if it took effect."""
        ...

    async def snapshot(self, stream_id: UUID, topic: str) -> tuple[int, bytes] | None:
        """The newest snapshot of that topic as (version, state); None when there is none."""
        ...

    async def save_snapshot(self, stream_id: UUID, version: int, topic: str, state: bytes) -> None:
        """Keep a snapshot. Losing one costs time, never truth."""
        ...


@dataclass(slots=True, frozen=True)
class Mark:
    """How far a reader is in one partition: the next offset to read and the last position seen."""

    offset: int = 0
    position: int = 0


@dataclass(slots=True, frozen=True)
class Page:
    """Some records of one partition, in order, and how far they bring their reader.

    `upto`: every position at or below it that belongs to this partition is in this page or an
    earlier one, also when the page is empty.
    """

    partition: int
    records: Sequence[Recorded]
    next_offset: int
    upto: int


Marks = Callable[[Collection[int]], Awaitable[Mapping[int, Mark]]]


class Stream(Protocol):
    """The log as it is followed: in order within a partition, each record at least once.

    Two adapters keep this promise: the log itself (one partition) and Kafka (many).
    """

    def follow(self, marks: Marks) -> AsyncIterator[Page]:
        """Pages without end, each partition from its mark.

        `marks` is asked for each partition when it is assigned; what the broker remembers is
        never the truth. Waits when there is nothing; recovers by itself when its server comes back.
        """
        ...


class Documents(Protocol):
    """Long texts by digest. A document that holds a secret is sealed with its subject's key."""

    async def prepare(self, text: str, subject_id: UUID | None = None) -> Document:
        """The stored form of a text, sealed when a subject is given; written by the append."""
        ...

    async def read(self, ref: DocumentRef) -> str:
        """The text of a reference. Raises Erased, or LookupError when it is not there."""
        ...


class Vault(Protocol):
    """Seals and opens secrets with a data key per subject, wrapped by the newest master key."""

    async def seal(
        self, subject_id: UUID, stream_id: UUID, events: Sequence[Event]
    ) -> Sequence[Event]:
        """The events with every open secret sealed; the key is made on first use."""
        ...

    async def open(self, stream_id: UUID, secret: Secret) -> str:
        """The plain text. Raises Erased, or LookupError for what was not sealed here."""
        ...

    async def fingerprint(self, said: bytes) -> bytes:
        """32 bytes that tell what was said apart from anything else, and from which nobody who
        lacks the key can find out what it was. The same for ever, whatever key is the newest."""
        ...


class Clock(Protocol):
    """The time as decisions see it."""

    def now(self) -> datetime:
        """Now, in UTC, with a time zone."""
        ...


@dataclass(slots=True, frozen=True)
class SectionSource:
    """A template section: its name, its source, and whether it is parsed once it is rendered."""

    name: str
    source: str
    is_yaml: bool = True


@dataclass(slots=True, frozen=True)
class RenderFault:
    """Why a section does not render: the sentence, and the line and column of it (from 1)."""

    section: str
    detail: str
    line: int | None = None
    column: int | None = None


@dataclass(slots=True, frozen=True)
class Rendering:
    """What came out: normalised text and parsed documents by section, or the faults."""

    texts: Mapping[str, str]
    documents: Mapping[str, Sequence[Any]]
    faults: Sequence[RenderFault]
    engine: str
    """The engine and its version, kept with the event so that the render can be repeated."""


class Renderer(Protocol):
    """Renders Go templates (with sprig) where they can hurt nobody."""

    async def render(
        self, sections: Sequence[SectionSource], values: Mapping[str, Any]
    ) -> Rendering:
        """Render every section with the same values.

        A template's own fault, an endless loop, too much memory or output are RenderFaults.
        Raises Overloaded when too many renders wait.
        """
        ...


@dataclass(slots=True, frozen=True)
class KeyPair:
    """An SSH key pair in OpenSSH's forms."""

    public: str
    private: str = field(repr=False)


class KeyPairs(Protocol):
    async def generate(self, comment: str) -> KeyPair:
        """A new Ed25519 key pair."""
        ...


class Continue(StrEnum):
    """The answer after a phase (dhctl's Continue)."""

    NEXT_PHASE = "next_phase"
    STOP_OPERATION = "stop_operation"
    ERROR = "error"


@dataclass(slots=True, frozen=True)
class OperationRequest:
    """All an installer needs; it keeps nothing itself, so another one can go on from `state`."""

    task_id: UUID
    kind: OperationKind
    cluster_id: UUID
    cluster_name: str
    documents: Mapping[str, Sequence[Any]]
    """Rendered sections by name, each a list of parsed YAML documents."""
    private_key: str = field(repr=False)
    """The cluster's own SSH key, used when SSHConfig names no other."""
    state: Mapping[str, bytes] = field(default_factory=dict)
    """What the last ended phase saved, name to bytes; empty at the start."""
    known_hosts: Mapping[str, str] = field(default_factory=dict)
    """Pinned host keys: `host:port` to the key in OpenSSH's one-line form."""
    is_resumed: bool = False
    """Whether another manager has worked on this task before."""
    log_offsets: Mapping[str, int] = field(default_factory=dict)
    """Per phase, the bytes of output whose lines are already kept."""
    leaves_traces: bool = True
    """Whether what a failure leaves on a host may stay there, for somebody to look at."""


@dataclass(slots=True, frozen=True)
class LogLine:
    """A line of output; `stream` is `out` (the script's) or `note` (the installer's own words)."""

    phase: str
    text: str
    stream: str = "out"
    offset: int | None = None
    """The byte after this line in the phase's output, to continue from."""


@dataclass(slots=True, frozen=True)
class PhaseStarted:
    phase: str
    critical: bool
    phases: Sequence[str]
    """Every phase of the operation in order, so that the page can draw what is to come."""


@dataclass(slots=True, frozen=True)
class HostKeyOffered:
    """First contact with a host: its key is pinned as an event before anything is sent."""

    host: str
    port: int
    key: str
    fingerprint: str


@dataclass(slots=True, frozen=True)
class PhaseEnded:
    """A phase is over and its state must be saved before the operation goes on."""

    phase: str
    state: Mapping[str, bytes]
    next_phase: str | None
    next_phase_critical: bool
    skipped: bool = False
    """The phase's check said that there was nothing to do."""


@dataclass(slots=True, frozen=True)
class Finished:
    """The operation's end: `error` is None or the sentence that a person understands."""

    state: Mapping[str, bytes]
    error: str | None = None
    cancelled: bool = False
    is_lost: bool = False
    """Nobody can say how the running phase ended (host rebuilt, traces gone)."""
    in_sync: bool | None = None
    """For a check: whether what was found is what is declared."""
    drift: str | None = None
    """For a check that found a difference: what it printed last, for people."""


Report = LogLine | PhaseStarted | HostKeyOffered | PhaseEnded | Finished


class Operation(Protocol):
    """One running operation: iterate over its reports; answer PhaseEnded and HostKeyOffered."""

    def __aiter__(self) -> AsyncIterator[Report]: ...

    def answer(self, answer: Continue, error: str | None = None) -> None:
        """Let it go on after a PhaseEnded or a HostKeyOffered; it waits until then."""
        ...

    async def cancel(self) -> None:
        """Stop what runs as soon as it can be stopped; Finished(cancelled=True) follows."""
        ...


class Installer(Protocol):
    """Does operations on a cluster's machines (DESIGN, section 8).

    An operation ends with exactly one Finished, whatever happens: a fault of the host, the key or
    the script is a sentence in it and never an exception. Leaving the context without Finished
    lets a running script run on: another installer finds it again.
    """

    def open(self, request: OperationRequest) -> AbstractAsyncContextManager[Operation]: ...


@dataclass(slots=True, frozen=True)
class TaskLogLine:
    """A kept line of a task's log; `number` counts from 1 within the task."""

    number: int
    at: datetime
    phase: str
    stream: str
    text: str


class TaskLogs(Protocol):
    """Log lines of tasks: samples, not events, in partitions that are dropped with age."""

    async def write(self, task_id: UUID, lines: Iterable[LogLine]) -> None:
        """Keep the lines in order; a line whose (phase, offset) is already kept is dropped."""
        ...

    async def read(
        self, task_id: UUID, after: int = 0, limit: int = 1000
    ) -> Sequence[TaskLogLine]: ...

    async def offsets(self, task_id: UUID) -> Mapping[str, int]:
        """Per phase, the last kept offset."""
        ...


class Leases(Protocol):
    """Who works on what just now, by the database's clock; a lease is a sample, never an event."""

    async def hold(self, name: str, holder: str, seconds: float) -> bool:
        """Take or renew; False when another holds it and it has not run out."""
        ...

    async def release(self, name: str, holder: str) -> None: ...

    async def expired(self, names: Collection[str]) -> Collection[str]:
        """Those of the names that nobody holds any more."""
        ...

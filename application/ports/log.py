"""The log: what one append is, and what an event store promises."""

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol
from uuid import UUID

from domain.model import Envelope, Event, Recorded, Refusal
from domain.values import DocumentRef

MOST_EVENT_BYTES = 8 << 20
"""What an event may have at most, as JSON and with its envelope. Long texts are documents."""


@dataclass(slots=True)
class StreamAppend:
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
    envelope: Envelope
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


class EventStore(Protocol):
    """The log. Positions rise in commit order: a reader at `position > last` skips nothing."""

    def append(self, append: Append) -> Awaitable[Appended]:
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

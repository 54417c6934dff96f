"""The edge is everything that a route needs, given once by the process that wires it."""

from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Collection,
    Hashable,
    Mapping,
    Sequence,
)
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol
from urllib.parse import urlsplit
from uuid import UUID

from application.commands import CommandBus
from application.fair_turns import FairTurns, LongWork
from application.ports import Clock, Documents, Renderer, TaskLogs
from application.routine_checks import Look
from application.state_cache import StateCache
from application.work import Context
from domain.model import Recorded
from projections.reader import Reader, Shown


class NotYet(Exception):
    """The read models have not come as far as the position that was asked for."""

    retry_after_seconds = 1

    def __init__(self, position: int) -> None:
        super().__init__(f"The read models have not reached position {position} yet; ask again.")


class Reads(Protocol):
    """Gives readers of the read models."""

    async def reader(
        self, *, at: datetime | None = None, after: int | None = None, tenant: Hashable = None
    ) -> Reader:
        """A reader of now, or of `at`; with `after`, once that position is shown.

        The past is built for the tenants in turn. Raises Unavailable, or NotYet when the position
        does not come within a bound.
        """
        ...


class Log(Protocol):
    """The log as it is read: by stream for history, by position for the feed."""

    async def load(self, stream_id: UUID, after: int = 0) -> Sequence[Recorded]: ...

    async def read(
        self, after: int = 0, limit: int = 500, upto: int = 2**62
    ) -> Sequence[Recorded]: ...

    async def read_some(
        self,
        after: int,
        upto: int,
        *,
        topics: Collection[str] | None = None,
        limit: int,
        max_bytes: int,
    ) -> Sequence[Recorded]:
        """The first records between two positions; only some topics, not many, not large."""
        ...

    async def head(self) -> int: ...


class FellBehind(Exception):
    """The subscriber was dropped, by default for it read too slowly; it may come back."""

    reason = "Too many events were waiting. Come back with the last position you saw."


class FeedEnded(FellBehind):
    """The subscriber was dropped because this process ends."""

    reason = "This server stops. Come back with the last position you saw."


class LogLostEvents(FellBehind):
    """The subscriber was dropped because the log does not hold any more what it was told."""

    reason = "The log has lost its last events, and their positions come again: begin anew."


class Feed(Protocol):
    """The tail of the log, read once in this process and handed to all who listen."""

    def subscribe(
        self,
        *,
        after: int | None = None,
        wanted: Callable[[Recorded], bool] | None = None,
        topics: Collection[str] | None = None,
        tenant: Hashable = None,
    ) -> AsyncIterator[Recorded]:
        """Records as they are committed, those above `after` first; only what is `wanted`.

        What is above `after` is read for the tenants in turn; `topics` may say of which topics
        `wanted` takes any.

        Raises FellBehind in a subscriber whose queue is full, FeedEnded when the process ends,
        Unavailable when the log is gone.
        """
        ...


class Measures(Protocol):
    """What is counted; the text that Prometheus scrapes."""

    def answered(self, route: str, method: str, status: int, seconds: float) -> None: ...

    def executed(self, command: str, outcome: str, seconds: float) -> None: ...

    async def exposition(self) -> tuple[bytes, str]:
        """The body of /metrics and its content type."""
        ...


class NoMeasures:
    """Counts nothing: for tests and for a process that nobody scrapes."""

    def answered(self, route: str, method: str, status: int, seconds: float) -> None: ...

    def executed(self, command: str, outcome: str, seconds: float) -> None: ...

    async def exposition(self) -> tuple[bytes, str]:
        return b"", "text/plain; version=0.0.4; charset=utf-8"


Attributes = dict[str, str | int]


class Tracer(Protocol):
    """Spans of requests, continued from the caller's traceparent."""

    def span(
        self, name: str, traceparent: str | None, attributes: Attributes
    ) -> AbstractContextManager[str | None]:
        """Enter with the traceparent to hand on."""
        ...


class NoTracer:
    """Hands the caller's traceparent on and keeps nothing."""

    def span(
        self,
        name: str,  # noqa: ARG002
        traceparent: str | None,
        attributes: Attributes,  # noqa: ARG002
    ) -> AbstractContextManager[str | None]:
        return nullcontext(traceparent)


Readiness = Callable[[], Awaitable[Sequence[str]]]
"""The reasons why this process cannot serve now; none when it can."""


class System(Protocol):
    """What can be known of the system, and what can be done about it."""

    async def readers(self) -> Sequence[Shown]:
        """Everything that follows the log: `name`, `kind` (projection or delivery), `version`,
        `position`, `lag_seconds` (0 when it is at the head), `parked` (a number)."""
        ...

    async def parked(self) -> Sequence[Shown]:
        """Events that could not be shown or sent: `reader`, `position`, `topic`, `reason`,
        `tries`, `parked_at`, `name`, `can_retry`."""
        ...

    async def lost(self) -> Sequence[str]:
        """A sentence for each reader that stands still because the log has lost events."""
        ...

    async def processes(self) -> Sequence[Shown]:
        """What runs: `kind`, `name`, `seen_at`, `detail`, `is_alive`."""
        ...

    async def retry(self, reader: str) -> str:
        """Try again what a reader has parked; a sentence about what comes of it."""
        ...


LastLooks = Callable[[Collection[UUID]], Awaitable[Mapping[UUID, Look]]]
"""What was found last at these clusters' machines, of those that were looked at."""


async def no_looks(_: Collection[UUID]) -> Mapping[UUID, Look]:
    return {}


class Example(Protocol):
    """The example that this process serves; both give the page to go to."""

    obstacle: str | None
    """Why its host is not served here; None where it is."""

    async def load(self, context: Context) -> str: ...

    async def unload(self, context: Context) -> str: ...


async def always_ready() -> Sequence[str]:
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What the outside knows this server as, and how much of it it takes at once."""

    public_url: str = "http://localhost:8080"
    allowed_hosts: Collection[str] = ()
    """Host names that are answered beside that of the public URL; `*` answers to all."""
    trusted_proxies: Collection[str] = ()
    """Networks whose X-Forwarded-For is believed."""
    instance: str = "Quarterdeck"
    version: str = "0"
    time_zone: str = "UTC"
    max_body_bytes: int = 1 << 20
    request_seconds: float = 30.0

    @property
    def is_https(self) -> bool:
        return self.public_url.startswith("https://")

    @property
    def host(self) -> str:
        return urlsplit(self.public_url).hostname or "localhost"

    @property
    def session_cookie(self) -> str:
        """`__Host-` binds the cookie to this host and to https, so only https can have it."""
        return "__Host-qd" if self.is_https else "qd"


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """Commands go to the bus, queries to the reads, histories to the log; the rest is the site."""

    bus: CommandBus
    cache: StateCache
    clock: Clock
    reads: Reads
    log: Log
    documents: Documents
    task_logs: TaskLogs
    renderer: Renderer
    events: Feed
    site: Site = field(default_factory=Site)
    measures: Measures = field(default_factory=NoMeasures)
    tracer: Tracer = field(default_factory=NoTracer)
    long_work: LongWork = field(default_factory=LongWork)
    long_reads: FairTurns = field(default_factory=lambda: FairTurns(1))
    """Turns at reading one page of much, such as an export."""
    readiness: Readiness = always_ready
    last_looks: LastLooks = no_looks
    example: Example | None = None
    system: System | None = None
    erasures: Callable[[], int] = lambda: 0
    """Another number whenever a key may have been erased: what was opened before is let go."""

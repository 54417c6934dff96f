"""Live pages: what changed in the log is rendered anew on the server and morphed into the page."""

import asyncio
from collections.abc import Hashable, Iterable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol, Self

from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.responses import HTMLResponse

from adapters.http.edge import FellBehind, NotYet
from adapters.http.web.side import side_counts
from adapters.http.web.times import Times
from adapters.http.web.visit import Visit
from adapters.http.whole_numbers import whole_number
from application.ports import Unavailable
from domain.model import Recorded
from projections.reader import Reader

QUIET_SECONDS = 0.25
"""A part of a page that was just sent waits so long before it is sent again."""
HEARTBEAT_SECONDS = 15
FAR_BEHIND = 2_000
"""Positions: who comes back later than this is told everything instead of each change."""

EVERYTHING = "everything"
"""The part that stands for all of the page."""
PULSE = "pulse"
"""The part that is due every so often: what grows without an event, such as a log."""


class Watch(Protocol):
    """What of a page changes with which event, and how it looks then."""

    @property
    def pulse_seconds(self) -> float | None:
        """How often PULSE is shown; None for never."""
        ...

    def parts(self, recorded: Recorded) -> Iterable[Hashable]:
        """The parts of the page that this event changes; none when it does not concern it."""
        ...

    async def show(self, parts: frozenset[Hashable], reader: Reader) -> str:
        """The HTML of those parts as <hx-partial> elements; EVERYTHING may be among them."""
        ...


@dataclass(slots=True)
class Pace:
    """When each part may be sent: at once when it was quiet, then four times a second at most."""

    quiet_seconds: float = QUIET_SECONDS
    _waiting: dict[Hashable, float] = field(default_factory=dict)
    _sent: dict[Hashable, float] = field(default_factory=dict)

    def add(self, parts: Iterable[Hashable], now: float) -> None:
        for part in parts:
            due = self._sent.get(part, float("-inf")) + self.quiet_seconds
            self._waiting.setdefault(part, max(due, now))

    def take(self, now: float) -> frozenset[Hashable]:
        """The parts whose time has come; they are sent now."""
        ready = frozenset(part for part, due in self._waiting.items() if due <= now)
        for part in ready:
            del self._waiting[part]
            self._sent[part] = now
        if len(self._sent) > FAR_BEHIND:
            old = now - self.quiet_seconds
            self._sent = {part: at for part, at in self._sent.items() if at > old}
        return ready

    def rest(self, now: float) -> float | None:
        """Seconds until the next part's time; None when nothing waits."""
        return max(0.0, min(self._waiting.values()) - now) if self._waiting else None


def live(visit: Visit, watch: Watch, position: int) -> EventSourceResponse:
    """The stream of a page rendered at `position`, or of one that comes back with its last."""
    last = visit.request.headers.get("last-event-id", "")
    seen = whole_number(last)
    is_back = seen is not None
    outbox = _Outbox()
    after = position if seen is None else seen
    return EventSourceResponse(
        outbox,
        ping=HEARTBEAT_SECONDS,
        data_sender_callable=partial(_send, visit, watch, after, is_back, outbox),
    )


async def _send(visit: Visit, watch: Watch, after: int, is_back: bool, to: "_Outbox") -> None:
    """Send until the browser goes; where we lose the thread, it comes back by itself."""
    try:
        await _follow(visit, watch, after, is_back, to)
    except* (FellBehind, NotYet, Unavailable):
        await to.close()


async def _follow(visit: Visit, watch: Watch, after: int, is_back: bool, to: "_Outbox") -> None:
    loop = asyncio.get_running_loop()
    head = await visit.edge.log.head()
    pace = Pace()
    if is_back or head - after > FAR_BEHIND:
        after = head
        pace.add([EVERYTHING], loop.time())
    inbox = _Inbox(after)
    async with asyncio.TaskGroup() as group:
        group.create_task(_receive(visit, watch, inbox, after), name="live page")
        while True:
            if parts := pace.take(loop.time()):
                await _show(visit, watch, parts, inbox.position, to)
            await inbox.wait(_sooner(pace.rest(loop.time()), watch.pulse_seconds))
            pace.add(inbox.take(), loop.time())
            if watch.pulse_seconds is not None:
                pace.add([PULSE], loop.time())


def _sooner(one: float | None, other: float | None) -> float | None:
    return min((each for each in (one, other) if each is not None), default=None)


async def _show(
    visit: Visit, watch: Watch, parts: frozenset[Hashable], position: int, to: "_Outbox"
) -> None:
    visit.times = Times(visit.edge.clock.now(), visit.times.zone)
    reader = await visit.edge.reads.reader(after=position)
    html = await watch.show(parts, reader)
    if html:
        html += partials(await _around(visit, reader, position), "innerHTML")
        await to.send(ServerSentEvent(data=html, id=str(position)))


async def _around(visit: Visit, reader: Reader, position: int) -> dict[str, str]:
    """What stands around every page: how far it is, and the numbers of the side."""
    told = {"#rail-position": f"change {position:,}"}
    if visit.shown_workspace is not None:
        clusters, tasks = await side_counts(reader, visit.shown_workspace)
        told |= {"#n-clusters": f"{clusters:,}", "#n-tasks": f"{tasks:,}"}
    return told


async def _receive(visit: Visit, watch: Watch, inbox: "_Inbox", after: int) -> None:
    def wanted(recorded: Recorded) -> bool:
        return any(True for _ in watch.parts(recorded))

    records = visit.edge.events.subscribe(after=after, wanted=wanted)
    async with aclosing(records):  # type: ignore[type-var]
        async for recorded in records:
            inbox.put(recorded.position, watch.parts(recorded))


class _Outbox:
    """Messages on their way to the browser: one at a time, so that a slow one slows us down."""

    def __init__(self) -> None:
        self._messages: asyncio.Queue[ServerSentEvent | None] = asyncio.Queue(1)

    async def send(self, message: ServerSentEvent) -> None:
        await self._messages.put(message)

    async def close(self) -> None:
        await self._messages.put(None)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> ServerSentEvent:
        message = await self._messages.get()
        if message is None:
            raise StopAsyncIteration
        return message


@dataclass(slots=True)
class _Inbox:
    """The parts that changed since it was last emptied, and up to which position."""

    position: int
    _parts: dict[Hashable, None] = field(default_factory=dict)
    _filled: asyncio.Event = field(default_factory=asyncio.Event)

    def put(self, position: int, parts: Iterable[Hashable]) -> None:
        self.position = max(self.position, position)
        self._parts.update(dict.fromkeys(parts))
        self._filled.set()

    def take(self) -> list[Hashable]:
        parts = list(self._parts)
        self._parts.clear()
        self._filled.clear()
        return parts

    async def wait(self, seconds: float | None) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._filled.wait()
        except TimeoutError:
            return


def partials(fragments: Mapping[str, str], swap: str = "outerMorph") -> str:
    """Fragments by the selector of what each replaces."""
    return "".join(
        f'<hx-partial hx-target="{target}" hx-swap="{swap}">{html}</hx-partial>'
        for target, html in fragments.items()
    )


def fragments(html: str, others: Mapping[str, str]) -> HTMLResponse:
    """An answer to a script: one part for its own target, others beside it."""
    return HTMLResponse(
        html + partials(others, "innerMorph"), headers={"Cache-Control": "no-store"}
    )

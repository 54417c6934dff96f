"""The log as it grows, as server-sent events: the id of each is its position."""

import logging
from collections.abc import AsyncIterator, Collection
from uuid import UUID

import orjson
from pydantic import Field
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.types import ASGIApp, Receive, Scope, Send

from adapters.http.api.shapes import events as shapes
from adapters.http.calls import Call
from adapters.http.edge import FellBehind
from adapters.http.parameters import InWorkspace
from adapters.http.problems import BadRequest
from adapters.http.routing import Route, Within, query
from adapters.http.telling import told
from adapters.http.whole_numbers import MAX_POSITION, whole_number
from application.permissions import Permission
from application.ports import Unavailable
from domain.model import Event, Fault, Recorded

HEARTBEAT_SECONDS = 15
SEND_SECONDS = 30.0
"""A client that takes nothing for so long is let go."""
EVENT_STREAM = "text/event-stream"
logger = logging.getLogger(__name__)


class Subscription(InWorkspace):
    after: int | None = Field(
        None, ge=0, le=MAX_POSITION, description="Begin after this position; by default, now."
    )
    topics: str | None = Field(
        None,
        max_length=1000,
        description="Topics to be told, with commas between: `cluster.created,task.*`.",
    )


async def events(call: Call) -> ASGIApp:
    """What happens, as it happens: `id` is the position, `event` the topic, `data` the event."""
    return EventStream(call, await _position(call))


class EventStream:
    """One subscriber's answer: events, heartbeats between them, the reason at the end."""

    def __init__(self, call: Call, after: int | None) -> None:
        self._call = call
        self._after = after

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        stream = EventSourceResponse(
            self._events(),
            ping=HEARTBEAT_SECONDS,
            send_timeout=SEND_SECONDS,
            headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
        )
        try:
            await stream(scope, receive, send)
        except TimeoutError:
            logger.info("A subscriber took no event for %.0f s and was let go", SEND_SECONDS)

    async def _events(self) -> AsyncIterator[ServerSentEvent]:
        wanted = Wish(self._call.workspace_id, self._call.parameters.topics)
        try:
            async for recorded in self._call.edge.events.subscribe(
                after=self._after,
                wanted=wanted,
                topics=wanted.topics,
                tenant=self._call.principal.tenant,
            ):
                yield ServerSentEvent(
                    data=orjson.dumps(told(recorded)).decode(),
                    event=recorded.event.topic,
                    id=str(recorded.position),
                )
        except FellBehind as dropped:
            yield _last(dropped.reason)
        except Unavailable as unavailable:
            yield _last(unavailable.detail)


class Wish:
    """Which events a subscriber may and wants to be told."""

    def __init__(self, workspace_id: UUID | None, topics: str | None) -> None:
        self._workspace_id = workspace_id
        named = [topic.strip() for topic in (topics or "").split(",") if topic.strip()]
        self._topics = frozenset(topic for topic in named if not topic.endswith("*"))
        self._heads = tuple(topic.removesuffix("*") for topic in named if topic.endswith("*"))
        self._all = not named

    @property
    def topics(self) -> Collection[str] | None:
        """The topics of this program that are wanted; None for all."""
        return None if self._all else [topic for topic in Event.topics if self._takes(topic)]

    def _takes(self, topic: str) -> bool:
        return self._all or topic in self._topics or topic.startswith(self._heads)

    def __call__(self, recorded: Recorded) -> bool:
        if not self._takes(recorded.event.topic):
            return False
        if self._workspace_id is None:
            return True
        return recorded.metadata.workspace_id == self._workspace_id


async def _position(call: Call) -> int | None:
    """Where a client that comes back was: Last-Event-ID, or `?after=` on its first time."""
    last = call.request.headers.get("last-event-id")
    if not last:
        after: int | None = call.parameters.after
        await call.must_stand(after, "?after")
        return after
    position = whole_number(last)
    if position is None:
        detail = "It must be the id of an event of this stream."
        raise BadRequest(
            f"Last-Event-ID: {detail}", faults=[Fault(pointer="Last-Event-ID", detail=detail)]
        )
    await call.must_stand(position, "Last-Event-ID")
    return position


def _last(reason: str) -> ServerSentEvent:
    return ServerSentEvent(data=orjson.dumps({"reason": reason}).decode(), event="dropped")


ROUTES: tuple[Route, ...] = (
    query(
        "/events",
        events,
        Permission.READ_AUDIT,
        shows=shapes.ToldEvent,
        within=Within.ANY,
        parameters=Subscription,
        media_types=(EVENT_STREAM,),
    ),
)

"""Every request has an id and a trace, its caller's if they are well formed, and finds the edge."""

import re
from secrets import token_hex

from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bind_contextvars

from adapters.http.edge import Edge

REQUEST_ID = re.compile(rb"[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}")
TRACEPARENT = re.compile(
    rb"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}"
)


class Identity:
    """Puts `edge`, `request_id` (32 hex digits) and `traceparent` into the request's state."""

    def __init__(self, app: ASGIApp, edge: Edge) -> None:
        self._app = app
        self._edge = edge

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = dict(scope["headers"])
        request_id = request_id_of(given.get(b"x-request-id"))
        header = (b"x-request-id", request_id.encode())
        bind_contextvars(request_id=request_id)
        state = scope.setdefault("state", {})
        state["edge"] = self._edge
        state["request_id"] = request_id
        state["traceparent"] = traceparent_of(given.get(b"traceparent"))

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], header]
            await send(message)

        await self._app(scope, receive, answer)


def request_id_of(given: bytes | None) -> str:
    """The caller's id, if it is a UUID with or without hyphens, or a new one."""
    if given is not None and REQUEST_ID.fullmatch(given.lower()):
        return given.lower().replace(b"-", b"").decode()
    return token_hex(16)


def traceparent_of(given: bytes | None) -> str | None:
    """The caller's traceparent (W3C Trace Context), if it is well formed."""
    return given.decode() if given is not None and TRACEPARENT.fullmatch(given) else None

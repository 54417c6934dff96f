"""Every request has an id and a trace, its caller's if they are well formed."""

import re
from secrets import token_hex
from uuid import uuid4

from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bind_contextvars

REQUEST_ID = re.compile(rb"[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}")
TRACEPARENT = re.compile(
    rb"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}"
)


class Identity:
    """Puts `request_id` (32 hex digits), `traceparent` and `csp_nonce` into the request's state."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = dict(scope["headers"])
        request_id = request_id_of(given.get(b"x-request-id"))
        header = (b"x-request-id", request_id.encode())
        bind_contextvars(request_id=request_id)
        state = scope.setdefault("state", {})
        state["request_id"] = request_id
        state["traceparent"] = traceparent_of(given.get(b"traceparent"))
        state["csp_nonce"] = token_hex(16)

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], header]
            await send(message)

        await self._app(scope, receive, answer)


def request_id_of(given: bytes | None) -> str:
    """The caller's id, if it is a UUID with or without hyphens, or a new one."""
    if given is not None and REQUEST_ID.fullmatch(given.lower()):
        return given.lower().replace(b"-", b"").decode()
    return uuid4().hex


def traceparent_of(given: bytes | None) -> str | None:
    """The caller's traceparent (W3C Trace Context), if it is well formed."""
    return given.decode() if given is not None and TRACEPARENT.fullmatch(given) else None

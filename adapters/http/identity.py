"""Every request has an id and a trace, its caller's if they are well formed."""

import re
from secrets import token_hex
from uuid import uuid4

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

REQUEST_ID = re.compile(r"[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}")
TRACEPARENT = re.compile(
    r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}"
)


class Identity:
    """Puts `request_id` (32 hex digits), `traceparent` and `csp_nonce` into the request's state."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        request_id = request_id_of(headers.get("x-request-id"))
        state = scope.setdefault("state", {})
        state["request_id"] = request_id
        state["traceparent"] = traceparent_of(headers.get("traceparent"))
        state["csp_nonce"] = token_hex(16)

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [
                    *message.get("headers", ()),
                    (b"x-request-id", request_id.encode()),
                ]
            await send(message)

        await self._app(scope, receive, answer)


def request_id_of(given: str | None) -> str:
    """The caller's id, if it is a UUID with or without hyphens, or a new one."""
    if given is not None and REQUEST_ID.fullmatch(given.lower()):
        return given.lower().replace("-", "")
    return uuid4().hex


def traceparent_of(given: str | None) -> str | None:
    """The caller's traceparent (W3C Trace Context), if it is well formed."""
    return given if given is not None and TRACEPARENT.fullmatch(given) else None

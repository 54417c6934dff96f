"""An answer is a status, a few headers and a body that is complete."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from starlette.types import Receive, Scope, Send

JSON = b"application/json"
PROBLEM = b"application/problem+json"


@dataclass(slots=True)
class Answer:
    """An ASGI application that answers once, always the same."""

    status: int
    body: bytes = b""
    media_type: bytes = JSON
    headers: Mapping[str, str] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        await send(
            {"type": "http.response.start", "status": self.status, "headers": self._raw_headers()}
        )
        await send({"type": "http.response.body", "body": self.body})

    def _raw_headers(self) -> list[tuple[bytes, bytes]]:
        raw = [(b"content-length", str(len(self.body)).encode())]
        if self.body:
            raw.append((b"content-type", self.media_type))
        for name, value in (self.headers or {}).items():
            raw.append((name.lower().encode(), value.encode("latin-1")))
        return raw


def json(
    value: Any,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    media_type: bytes = JSON,
) -> Answer:
    return Answer(status, orjson.dumps(value, option=orjson.OPT_UTC_Z), media_type, headers)

"""What comes over a connection is bounded before it is a request: its head in size and in time.

uvicorn bounds neither: one header without an end would take all memory, and one that comes byte
by byte a connection for ever. The body is the application's, which knows how long it may be; what
comes of it after the answer is bounded in time. So is what is answered and not read.
"""

import asyncio
from http import HTTPStatus
from typing import Any

from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from adapters.http.identity import request_id_of
from adapters.http.problems import BadRequest, HeadTooLarge, HeadTooSlow, Mistake, problem_of
from adapters.http.unread_answers import UnreadAnswers

MOST_HEAD_BYTES = 64 * 1024
"""The request line with all headers; and the trailers of a body, or one chunk's extensions."""
HEAD_SECONDS = 30.0


class BoundedProtocol(HttpToolsProtocol):
    """A connection of HTTP/1.1."""

    head_seconds = HEAD_SECONDS
    unread: UnreadAnswers
    _is_head = True
    _is_body = False
    _has_come_on = False
    _silent_bytes = 0
    """What came since a message began or some of its body was taken: the parser collects it."""
    _piece_bytes = 0
    _fault: Mistake | None = None
    _timer: asyncio.TimerHandle | None = None
    _put_off: tuple[RequestResponseCycle, ASGI3Application] | None = None

    def __init__(self, *given: Any, unread: UnreadAnswers, **named: Any) -> None:
        super().__init__(*given, **named)
        self.unread = unread

    @property
    def unread_bytes(self) -> int:
        return self.transport.get_write_buffer_size()

    @property
    def is_full(self) -> bool:
        return self.flow.write_paused or self.transport.is_closing()

    def abort(self) -> None:
        self.transport.abort()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._hurry()

    def connection_lost(self, exc: Exception | None) -> None:
        self._rest()
        self._put_off = None
        self.unread.drained(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._has_come_on, self._piece_bytes = False, len(data)
        super().data_received(data)
        if self.transport.is_closing():
            return
        self._silent_bytes = 0 if self._has_come_on else self._silent_bytes + len(data)
        if self._silent_bytes > MOST_HEAD_BYTES:
            self._refuse(_too_large())
        elif not self._is_awaited:
            self._rest()
        elif self._timer is None:
            self._hurry()

    @property
    def _is_awaited(self) -> bool:
        """Whether the client has to go on: with the head, or with a body that nobody reads."""
        return self._is_head or (self._is_body and self.cycle.response_complete)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._is_head = self._has_come_on = True

    def on_headers_complete(self) -> None:
        self._is_head, self._is_body = False, True
        if self._silent_bytes + self._piece_bytes > MOST_HEAD_BYTES and self._is_too_large():
            self._fault = _too_large()
            raise self._fault
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._has_come_on = True
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._has_come_on, self._is_body = True, False
        super().on_message_complete()

    def pause_writing(self) -> None:
        super().pause_writing()
        self.unread.filled(self)

    def resume_writing(self) -> None:
        super().resume_writing()
        self.unread.drained(self)
        if self._put_off is not None:
            (cycle, app), self._put_off = self._put_off, None
            self._start_asgi_task(cycle, app)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        """Whoever has not read the last answer waits for the next one to be made."""
        if self.flow.write_paused:
            self._put_off = (cycle, app)
        else:
            super()._start_asgi_task(cycle, app)

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002
        """Called for whatever the parser, or a callback of ours, did not take."""
        self._refuse(self._fault or BadRequest("What came is no request of HTTP/1.1."))

    def _is_too_large(self) -> bool:
        return len(self.url) + sum(map(_size, self.headers)) > MOST_HEAD_BYTES

    def _hurry(self) -> None:
        self._timer = self.loop.call_later(self.head_seconds, self._come_too_late)

    def _rest(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _come_too_late(self) -> None:
        if self._is_body or not self._piece_bytes:
            # It has its answer, or it is a browser that connects ahead: nothing is to be said.
            self.transport.close()
            return
        self._refuse(HeadTooSlow(f"The headers did not arrive within {self.head_seconds:g} s."))

    def _refuse(self, mistake: Mistake) -> None:
        """Say why and end the connection; in the middle of an answer, end it only."""
        self._rest()
        if self.transport.is_closing():
            return
        if self.cycle is None or self.cycle.response_complete:
            self.transport.write(_answer(mistake))
        self.transport.close()


def _too_large() -> HeadTooLarge:
    return HeadTooLarge(f"The request's line and headers are larger than {MOST_HEAD_BYTES} bytes.")


def _size(header: tuple[bytes, bytes]) -> int:
    return len(header[0]) + len(header[1])


def _answer(mistake: Mistake) -> bytes:
    problem = problem_of(mistake)
    assert problem is not None
    request_id = request_id_of(None)
    answer = problem.answer(request_id, "")
    lines = [
        f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}",
        f"content-type: {answer.media_type.decode()}",
        f"content-length: {len(answer.body)}",
        f"x-request-id: {request_id}",
        "connection: close",
    ]
    return "\r\n".join([*lines, "", ""]).encode() + bytes(answer.body)

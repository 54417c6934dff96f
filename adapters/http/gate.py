"""The gate: every request gets an id, must name this server, is answered in time and watched."""

import asyncio
from collections.abc import Callable
from time import perf_counter
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bind_contextvars

from adapters.http import headers as browser
from adapters.http.edge import Edge
from adapters.http.header_lines import combined, must_be_unambiguous
from adapters.http.hosts import Hosts
from adapters.http.identity import request_id_of, traceparent_of
from adapters.http.problems import BodyTooSlow, Mistake, Problem, TookTooLong, problem_of
from adapters.http.request_targets import check_target
from adapters.http.watching import account, unexpected

Tell = Callable[[Scope, Problem], ASGIApp]
"""Makes the answer that tells a problem."""


class Gate:
    """The only middleware around all that is served.

    In the request's state it leaves `edge`, `headers` (a dict of bytes; in the scope's own too each
    name is there once), `request_id`, `traceparent` and, for pages, `csp_nonce`. The time that is
    limited and measured is that to an answer's first byte: what streams may go on.
    """

    def __init__(self, app: ASGIApp, edge: Edge, tell: Tell) -> None:
        self._app = app
        self._edge = edge
        self._tell = tell
        self._hosts = Hosts(edge.site)
        https = browser.OVER_HTTPS if edge.site.is_https else ()
        self._always = (*browser.ALWAYS, *https)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        state, path = self._identify(scope), scope["path"]
        always = (*self._always, (b"x-request-id", state["request_id"].encode()))
        unless = browser.unless_said(path, state)
        begun, status, seconds = perf_counter(), 0, 0.0

        async def answer(message: Message) -> None:
            nonlocal status, seconds
            if message["type"] == "http.response.start":
                status, seconds = message["status"], perf_counter() - begun
                message["headers"] = browser.with_all(message["headers"], always, unless)
            await send(message)

        attributes: dict[str, str | int] = {"http.path": path}
        with self._edge.tracer.span(scope["method"], state["traceparent"], attributes) as handed_on:
            state["traceparent"] = handed_on
            try:
                await self._pass(scope, receive, answer)
            except Exception as error:
                if status:
                    # The answer has begun: all that can be told is that it ends here.
                    raise
                problem = problem_of(error) or unexpected(error, scope)
                await self._tell(scope, problem)(scope, receive, answer)
            finally:
                account(self._edge.measures, scope, status, seconds)

    def _identify(self, scope: Scope) -> dict[str, Any]:
        given = combined(scope["headers"])
        request_id = request_id_of(given.get(b"x-request-id"))
        bind_contextvars(request_id=request_id)
        state: dict[str, Any] = scope.setdefault("state", {})
        state["edge"] = self._edge
        state["headers"] = given
        state["request_id"] = request_id
        state["traceparent"] = traceparent_of(given.get(b"traceparent"))
        return state

    async def _pass(self, scope: Scope, receive: Receive, send: Send) -> None:
        must_be_unambiguous(scope["headers"])
        scope["headers"] = list(scope["state"]["headers"].items())
        check_target(scope)
        self._hosts.check(scope["method"], scope["path"], scope["state"]["headers"])
        seconds = self._edge.site.request_seconds
        limit = asyncio.timeout(seconds)

        async def in_time(message: Message) -> None:
            if message["type"] == "http.response.start":
                limit.reschedule(None)
            await send(message)

        try:
            async with limit:
                await self._app(scope, receive, in_time)
        except TimeoutError:
            if not limit.expired():
                raise
            raise _too_late(scope, seconds) from None


def _too_late(scope: Scope, seconds: float) -> Mistake:
    if scope["state"].get("waits_for_body"):
        close = {"Connection": "close"}
        return BodyTooSlow(f"The body did not arrive within {seconds:g} s.", headers=close)
    return TookTooLong(
        f"The answer was not ready within {seconds:g} s. Whether a command took effect is not"
        " known: send it again with the same Idempotency-Key."
    )

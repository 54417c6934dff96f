"""Every request is watched: counted, traced, and logged where someone must look at it."""

import logging
from collections.abc import Callable
from time import perf_counter

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from adapters.http.edge import Edge
from adapters.http.problems import FAULT, Problem, problem_of

SLOW_SECONDS = 1.0
UNMATCHED = "unmatched"
Tell = Callable[[Scope, Problem], ASGIApp]
"""Makes the answer that tells a problem."""
logger = logging.getLogger(__name__)


class Watching:
    """Outermost of what may fail: an error that nobody expected is loud here, and a 500."""

    def __init__(self, app: ASGIApp, edge: Edge, tell: Tell) -> None:
        self._app = app
        self._edge = edge
        self._tell = tell

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun, status, head_seconds = perf_counter(), 0, 0.0

        async def answer(message: Message) -> None:
            nonlocal status, head_seconds
            if message["type"] == "http.response.start":
                status, head_seconds = message["status"], perf_counter() - begun
            await send(message)

        state = scope["state"]
        name = f"{scope['method']} {scope['path']}"
        with self._edge.tracer.span(name, state["traceparent"], {"http.path": scope["path"]}) as on:
            state["traceparent"] = on
            try:
                await self._app(scope, receive, answer)
            except Exception as error:
                problem = problem_of(error) or _unexpected(error, name)
                if status:
                    # The answer has begun: all that can be told is that it ends here.
                    raise
                await self._tell(scope, problem)(scope, receive, answer)
            finally:
                self._account(scope, status, head_seconds or perf_counter() - begun)

    def _account(self, scope: Scope, status: int, seconds: float) -> None:
        """`seconds` is the time to the answer's head: a stream of events lasts as it likes."""
        route = route_of(scope)
        self._edge.measures.answered(route, scope["method"], status, seconds)
        if status in (401, 403):
            logger.warning("Refused", extra=_about(scope, status, seconds))
        elif status >= 500 or seconds > SLOW_SECONDS:
            logger.warning(
                "Failed" if status >= 500 else "Slow", extra=_about(scope, status, seconds)
            )
        elif logger.isEnabledFor(logging.DEBUG):
            logger.debug("Answered", extra=_about(scope, status, seconds))


def route_of(scope: Scope) -> str:
    """The path as its route writes it, so that ids make no new series."""
    route: str | None = scope["state"].get("route")
    return route or getattr(scope.get("route"), "path", None) or UNMATCHED


def _unexpected(error: Exception, name: str) -> Problem:
    logger.error("%s failed: a defect", name, exc_info=error)
    return FAULT


def _about(scope: Scope, status: int, seconds: float) -> dict[str, object]:
    client = scope.get("client")
    return {
        "method": scope["method"],
        "path": scope["path"],
        "status": status,
        "milliseconds": round(seconds * 1000, 1),
        "peer": client[0] if client else None,
    }

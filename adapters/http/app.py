"""The application: the API, the pages and the probes behind one gate."""

from typing import cast

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount
from starlette.types import ASGIApp, Receive, Scope, Send

from adapters.http import documentation, probes
from adapters.http.api.table import PREFIX, TABLE
from adapters.http.dispatch import Dispatch
from adapters.http.edge import Edge
from adapters.http.gate import Gate
from adapters.http.problems import NoSuchPage, Problem, problem_of
from adapters.http.web.routes import routes
from adapters.http.web.trouble import alone


def build(edge: Edge) -> Starlette:
    """The ASGI application of one process."""
    return Starlette(
        routes=[
            *probes.routes(edge.readiness, edge.measures),
            *documentation.routes(edge, TABLE, PREFIX),
            Mount("/api", _nothing),
            *routes(edge),
        ],
        exception_handlers={HTTPException: _unrouted},
        middleware=[
            Middleware(Gate, edge=edge, tell=tell),
            Middleware(Dispatch, edge=edge, prefix=PREFIX, table=TABLE),
        ],
    )


def tell(scope: Scope, problem: Problem) -> ASGIApp:
    """A problem as a page for a browser, and as problem+json for all others."""
    accept = dict(scope["headers"]).get(b"accept", b"")
    if b"text/html" in accept and not scope["path"].startswith("/api/"):
        return alone(Request(scope), problem)
    return problem.answer(scope["state"]["request_id"], scope["path"])


async def _nothing(_: Scope, __: Receive, ___: Send) -> None:
    raise NoSuchPage("Nothing is at this address.")


async def _unrouted(request: Request, error: Exception) -> Response:
    """What no route takes: a page that is not there, or a method that it has not."""
    problem = problem_of(error)
    assert problem is not None
    # Starlette awaits it as an ASGI application, which is all that it must be.
    return cast(Response, tell(request.scope, problem))

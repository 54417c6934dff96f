"""The application: the API, the pages, the static files and the probes behind one gate."""

from importlib.util import find_spec
from pathlib import Path

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import BaseRoute, Mount
from starlette.staticfiles import StaticFiles

from adapters.http import probes
from adapters.http.api.table import PREFIX, TABLE
from adapters.http.dispatch import Dispatch
from adapters.http.edge import Edge
from adapters.http.headers import SecurityHeaders
from adapters.http.hosts import HostCheck
from adapters.http.identity import Identity
from adapters.http.time_limit import TimeLimit
from adapters.http.watching import Watching

STATIC = Path(__file__).parent / "web" / "static"


def build(edge: Edge) -> Starlette:
    """The ASGI application of one process."""
    app = Starlette(
        routes=[
            *probes.routes(edge),
            *_pages(edge),
            Mount("/static", StaticFiles(directory=STATIC), name="static"),
        ],
        middleware=[
            Middleware(Identity, edge=edge),
            Middleware(SecurityHeaders, is_https=edge.site.is_https),
            Middleware(Watching, edge=edge),
            Middleware(HostCheck, site=edge.site),
            Middleware(TimeLimit, seconds=edge.site.request_seconds),
            Middleware(Dispatch, edge=edge, prefix=PREFIX, table=TABLE),
        ],
    )
    app.state.edge = edge
    return app


def _pages(edge: Edge) -> list[BaseRoute]:
    if find_spec("adapters.http.web.routes") is None:
        return []
    from adapters.http.web.routes import routes

    return routes(edge)

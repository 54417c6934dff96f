"""The application: the API, the pages, the static files and the probes behind one gate."""

from importlib.util import find_spec
from pathlib import Path

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import BaseRoute, Mount
from starlette.staticfiles import StaticFiles

from adapters.http.api.table import PREFIX, TABLE
from adapters.http.dispatch import Dispatch
from adapters.http.edge import Edge
from adapters.http.identity import Identity

STATIC = Path(__file__).parent / "web" / "static"


def build(edge: Edge) -> Starlette:
    """The ASGI application of one process."""
    app = Starlette(
        routes=[
            Mount(PREFIX, Dispatch(edge, TABLE)),
            *_pages(edge),
            Mount("/static", StaticFiles(directory=STATIC), name="static"),
        ],
        middleware=[Middleware(Identity)],
    )
    app.state.edge = edge
    return app


def _pages(edge: Edge) -> list[BaseRoute]:
    if find_spec("adapters.http.web.routes") is None:
        return []
    from adapters.http.web.routes import routes

    return routes(edge)

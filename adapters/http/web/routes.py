"""Every page there is: one list from each feature."""

from starlette.routing import BaseRoute, Route

from adapters.http.edge import Edge
from adapters.http.web import (
    assets,
    audit,
    auth_tokens,
    cluster,
    cluster_configuration,
    cluster_history,
    cluster_live,
    cluster_templates,
    clusters,
    new_cluster,
    palette,
    preferences,
    sign_in,
    system,
    tasks,
    template_versions,
    workspaces,
)
from adapters.http.web.endpoints import Page, endpoint, nowhere
from adapters.http.web.shared import Shared

PAGES: tuple[Page, ...] = (
    *workspaces.PAGES,
    *clusters.PAGES,
    *new_cluster.PAGES,
    *cluster.PAGES,
    *cluster_live.PAGES,
    *cluster_configuration.PAGES,
    *tasks.PAGES,
    *cluster_history.PAGES,
    *cluster_templates.PAGES,
    *template_versions.PAGES,
    *audit.PAGES,
    *auth_tokens.PAGES,
    *palette.PAGES,
    *system.PAGES,
)


def routes(edge: Edge) -> list[BaseRoute]:
    """The pages over one edge. A path with a word comes before one with a name in its place."""
    shared = Shared(edge)
    pages = sorted(PAGES, key=lambda page: page.path.count("{"))
    return [
        Route("/static/{name:path}", assets.serve, name="static.file"),
        *sign_in.routes(shared),
        *preferences.ROUTES,
        *(endpoint(page, shared) for page in pages),
        nowhere(shared),
    ]

"""All routes of the API."""

from adapters.http.api import (
    audit,
    auth_tokens,
    cluster_templates,
    clusters,
    events,
    system,
    tasks,
    workspaces,
)
from adapters.http.routing import Table

PREFIX = "/api/v1"
TABLE = Table(
    (
        *workspaces.ROUTES,
        *cluster_templates.ROUTES,
        *clusters.ROUTES,
        *tasks.ROUTES,
        *audit.ROUTES,
        *auth_tokens.ROUTES,
        *events.ROUTES,
        *system.ROUTES,
    )
)

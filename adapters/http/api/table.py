"""All routes of the API."""

from adapters.http.api import workspaces
from adapters.http.routing import Table

PREFIX = "/api/v1"
TABLE = Table((*workspaces.ROUTES,))

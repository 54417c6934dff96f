"""What a person prefers, kept in cookies of this browser so that the server renders it at once."""

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from adapters.http.authentication import edge_of
from adapters.http.web.forms import Form, read_form
from adapters.http.web.local import back

THEMES = ("light", "dark")
DENSITIES = ("regular", "compact")
SPANS = {"1h": "1 hour", "24h": "24 hours", "7d": "7 days", "30d": "30 days"}
YEAR_SECONDS = 365 * 86400
PREFIX = "qd_"


@dataclass(frozen=True, slots=True)
class Preferences:
    """Theme (empty: the system's), density, the span of the rail, columns, the last workspace."""

    theme: str = ""
    density: str = "regular"
    span: str = "24h"
    columns: tuple[str, ...] | None = None
    workspace: str | None = None


def preferences_of(cookies: Mapping[str, str]) -> Preferences:
    """What the cookies say; what they cannot mean is as if it were not there."""
    theme = cookies.get(f"{PREFIX}theme", "")
    density = cookies.get(f"{PREFIX}density", "")
    span = cookies.get(f"{PREFIX}span", "")
    columns = cookies.get(f"{PREFIX}columns")
    return Preferences(
        theme=theme if theme in THEMES else "",
        density=density if density in DENSITIES else "regular",
        span=span if span in SPANS else "24h",
        columns=None if columns is None else tuple(columns.split(".")),
        workspace=cookies.get(f"{PREFIX}workspace"),
    )


def remember(response: Response, name: str, value: str, *, secure: bool) -> None:
    """Keep one preference for a year."""
    response.set_cookie(
        f"{PREFIX}{name}", value, max_age=YEAR_SECONDS, samesite="lax", secure=secure, path="/"
    )


async def save(request: Request) -> Response:
    """Keep what the form says, then go back to where it was."""
    edge = edge_of(request)
    form = await read_form(request, edge.site)
    response = RedirectResponse(back(form.text("back")), 303)
    for name, value in _chosen(form):
        remember(response, name, value, secure=edge.site.is_https)
    return response


def _chosen(form: Form) -> list[tuple[str, str]]:
    allowed = {"theme": (*THEMES, ""), "density": DENSITIES, "span": tuple(SPANS)}
    chosen = [
        (name, form.text(name))
        for name, values in allowed.items()
        if name in form and form.text(name) in values
    ]
    if "columns" in form:
        words = [word for word in form.all("columns") if word.replace("_", "").isalnum()]
        chosen.append(("columns", ".".join(words)))
    return chosen


ROUTES: list[BaseRoute] = [Route("/preferences", save, methods=["POST"])]

"""Rendering: templates, and the shell that stands around every page."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote
from uuid import UUID

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from adapters.http.web import assets, sentences, words
from adapters.http.web.local import with_query
from adapters.http.web.phases import course_of
from adapters.http.web.preferences import SPANS, preferences_of, remember
from adapters.http.web.rail import Rail, rail_of
from adapters.http.web.side import side_counts
from adapters.http.web.visit import Visit
from application.permissions import Permission
from projections.reader import Shown
from projections.workspaces import workspaces_within

TEMPLATES = Path(__file__).parent / "templates"
SAID = "qd_said"
SAID_SECONDS = 60
NO_STORE = {"Cache-Control": "no-store"}


@cache
def environment() -> Environment:
    """The templates, and what all of them may say."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.globals |= {
        "asset": assets.address,
        "script": assets.script,
        "words": words,
        "SPANS": SPANS,
        "Permission": Permission,
        "course_of": course_of,
    }
    environment.filters |= {
        "number": lambda number: f"{number:,}",
        "who": words.who,
        "phrase": words.phrase,
        "shown": words.shown,
        "told": sentences.told,
        "pointer": lambda key: f"/values/{key}",
        "pairs": lambda words: [(word, word) for word in words],
        "combine": lambda one, other: {**one, **other},
    }
    return environment


@dataclass(frozen=True, slots=True)
class Shell:
    """What stands around a page: who looks, where they are, and the time rail."""

    user: str
    workspaces: list[Shown]
    current: Shown | None
    """The workspace whose part of the side is shown: the page's own, or the last one visited."""
    clusters: int
    running: int
    rail: Rail
    said: str


async def page(
    visit: Visit,
    template: str,
    /,
    *,
    status: int = 200,
    subject: UUID | None = None,
    **context: Any,
) -> Response:
    """A whole page; the changes of `subject`, a stream, stand out on its rail."""
    shell = await _shell(visit, subject)
    response = HTMLResponse(html(visit, template, shell=shell, **context), status, NO_STORE)
    if shell.said:
        response.delete_cookie(SAID, path="/")
    if visit.shown_workspace and visit.preferences.workspace != visit.workspace["slug"]:
        secure = visit.edge.site.is_https
        remember(response, "workspace", visit.workspace["slug"], secure=secure)
    return response


def fragment(visit: Visit, template: str, /, *, status: int = 200, **context: Any) -> Response:
    """A part of a page, for a script that asked for it."""
    return HTMLResponse(html(visit, template, **context), status, NO_STORE)


def plain(request: Request, template: str, /, status: int = 200, **context: Any) -> HTMLResponse:
    """A page without the shell, for someone who is not signed in."""
    theme = preferences_of(request.cookies).theme
    text = environment().get_template(template).render(request=request, theme=theme, **context)
    return HTMLResponse(text, status, NO_STORE)


def html(visit: Visit, template: str, /, **context: Any) -> str:
    """What a template says on this visit."""
    return (
        environment()
        .get_template(template)
        .render(
            visit=visit,
            request=visit.request,
            times=visit.times,
            to=visit.to,
            site=visit.edge.site,
            **context,
        )
    )


def done(visit: Visit, address: str, said: str = "", position: int = 0) -> Response:
    """After an act: go where it shows, wait there for its position, and say what was done."""
    target = with_query(address, {"after": position or None})
    response = (
        Response(status_code=200, headers={"HX-Redirect": target})
        if visit.is_fragment
        else RedirectResponse(target, 303)
    )
    if said:
        response.set_cookie(
            SAID,
            quote(said[:300]),
            max_age=SAID_SECONDS,
            httponly=True,
            samesite="lax",
            secure=visit.edge.site.is_https,
        )
    return response


async def _shell(visit: Visit, subject: UUID | None) -> Shell:
    workspaces = await workspaces_within(visit.reader, visit.principal.workspace_id)
    current = visit.shown_workspace or _last(visit, workspaces)
    clusters, running = await side_counts(visit.reader, current)
    return Shell(
        user=visit.principal.label,
        workspaces=workspaces,
        current=current,
        clusters=clusters,
        running=running,
        rail=await rail_of(visit, subject),
        said=unquote(visit.request.cookies.get(SAID, "")),
    )


def _last(visit: Visit, workspaces: list[Shown]) -> Shown | None:
    """The workspace where this person was last, while it is there."""
    slug = visit.preferences.workspace
    return next((shown for shown in workspaces if shown["slug"] == slug), None)

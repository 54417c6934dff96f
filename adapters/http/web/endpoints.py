"""A page is one line in a table: method, path, what shows it, and the permission it needs."""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from adapters.http.authentication import session_cookie_of
from adapters.http.problems import FAULT, NoSuchPage, Problem, problem_of
from adapters.http.web.local import own_address
from adapters.http.web.shared import Shared
from adapters.http.web.trouble import trouble
from adapters.http.web.visit import SignedOut, Visit, arrive
from application.permissions import Permission

NOTHING = "There is no page at this address. It may have moved, or never was."
logger = logging.getLogger(__name__)

Show = Callable[[Visit], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Page:
    """What is at a path. `changes` says that a form there changes something, so never the past."""

    method: Literal["GET", "POST"]
    path: str
    show: Show
    permission: Permission
    changes: bool = False

    @property
    def name(self) -> str:
        return f"{self.show.__module__.rpartition('.')[2]}.{self.show.__name__}"


def page(path: str, show: Show, permission: Permission) -> Page:
    """A page to read, now or as it was."""
    return Page("GET", path, show, permission)


def act(path: str, do: Show, permission: Permission) -> Page:
    """A form that changes something, then leads to a page that shows it."""
    return Page("POST", path, do, permission, changes=True)


def preview(path: str, show: Show, permission: Permission) -> Page:
    """A form that is only looked at: it changes nothing."""
    return Page("POST", path, show, permission)


def endpoint(page: Page, shared: Shared) -> Route:
    """The route of a page."""

    async def answer(request: Request) -> Response:
        try:
            visit = await arrive(request, shared, page.permission)
            if page.changes:
                visit.must_be_now()
            if page.method == "POST":
                # What cannot be read changes nothing, also where nothing of it is needed.
                await visit.form()
            return await page.show(visit)
        except SignedOut:
            return to_sign_in(request)
        except Exception as error:
            # Whatever it is, a person gets a page that says so.
            return await trouble(request, shared, problem_of(error) or _defect(error, page))

    return Route(page.path, answer, methods=[page.method], name=page.name)


def nowhere(shared: Shared) -> Route:
    """What is at every address where nothing is."""

    async def answer(request: Request) -> Response:
        return await trouble(request, shared, Problem(404, NoSuchPage.code, NOTHING))

    return Route("/{path:path}", answer, methods=["GET", "POST"], name="nowhere")


def _defect(error: Exception, page: Page) -> Problem:
    logger.error("%s failed: a defect", page.name, exc_info=error)
    return FAULT


def to_sign_in(request: Request) -> Response:
    """To the sign-in page, and back here afterwards."""
    query = {}
    if request.method == "GET" and request.scope["path"] != "/":
        query["next"] = own_address(request.scope)
    if session_cookie_of(request) is not None:
        query["ended"] = "1"
    target = f"/sign-in?{urlencode(query)}" if query else "/sign-in"
    if request.headers.get("hx-request") == "true":
        return Response(status_code=401, headers={"HX-Redirect": "/sign-in"})
    return RedirectResponse(target, 303)

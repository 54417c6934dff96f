"""What a person sees instead of a page: not found, not allowed, not available, a defect of ours."""

from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from adapters.http.edge import NotYet
from adapters.http.problems import Mistake, Problem
from adapters.http.web import pages
from adapters.http.web.local import own_path
from adapters.http.web.shared import Shared
from adapters.http.web.visit import SignedOut, recognise
from application.ports import Overloaded, Unavailable
from domain.model import Refusal

TITLES = {
    403: "This is not for you",
    404: "Nothing is here",
    405: "Nothing is here",
    409: "That cannot be done now",
    413: "That is too long",
    414: "That is too long",
    500: "This page could not be made",
    503: "Not available just now",
    504: "It took too long",
}
TITLE = "That could not be understood"


async def trouble(request: Request, shared: Shared, problem: Problem) -> Response:
    """The page for a problem: in its shell where that can be made, alone where it cannot."""
    said = _said(request, problem)
    if request.headers.get("hx-request") == "true":
        response: Response = pages.plain(request, "trouble/_fragment.html", problem.status, **said)
    else:
        try:
            visit = await recognise(request, shared)
            response = await pages.page(visit, "trouble/page.html", status=problem.status, **said)
        except (SignedOut, Mistake, Refusal, Unavailable, NotYet, Overloaded):
            response = alone(request, problem)
    response.headers.update(problem.headers)
    return response


def alone(request: Request, problem: Problem) -> HTMLResponse:
    """The page for a problem, made without the database."""
    return pages.plain(request, "trouble/alone.html", problem.status, **_said(request, problem))


def _said(request: Request, problem: Problem) -> dict[str, Any]:
    return {
        "problem": problem,
        "title": TITLES.get(problem.status, TITLE),
        "request_id": request.state.request_id,
        "path": own_path(request.scope),
    }

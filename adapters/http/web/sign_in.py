"""Signing in by a link that works once, and out again."""

from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from adapters.http.authentication import context_of, principal_of, session_id_of
from adapters.http.edge import NotYet
from adapters.http.executing import execute
from adapters.http.problems import Mistake, problem_of
from adapters.http.web import pages
from adapters.http.web.forms import Form, read_form
from adapters.http.web.local import back, with_query
from adapters.http.web.shared import Shared
from adapters.http.web.trouble import alone
from application.credentials import Credential
from application.permissions import QUARTERDECK, Principal, Role
from application.ports import Overloaded, Unavailable
from application.sign_in import LINK_PREFIX, NewSession, SignOut, UseSignInLink
from domain.model import Actor, NotFound, Refusal
from domain.users import LinkIsSpent, SignInLink, User


def routes(shared: Shared) -> list[BaseRoute]:
    """These routes are for people who are not signed in yet, or will not be any more."""
    table = {
        "show": ("GET", "/sign-in", show),
        "enter": ("POST", "/sign-in", enter),
        "leave": ("POST", "/sign-out", leave),
    }
    return [
        Route(path, _guarded(do, shared), methods=[method], name=f"sign_in.{name}")
        for name, (method, path, do) in table.items()
    ]


def _guarded(do: Any, shared: Shared) -> Any:
    async def answer(request: Request) -> Response:
        try:
            response: Response = await do(request, shared)
        except (Mistake, Refusal, Unavailable, Overloaded, NotYet) as error:
            problem = problem_of(error)
            assert problem is not None
            return alone(request, problem)
        return response

    return answer


async def show(request: Request, _: Shared) -> Response:
    """The way in. A link alone signs nobody in: programs that preview links follow them."""
    if await principal_of(request) is not None and not request.query_params.get("link"):
        return RedirectResponse(back(request.query_params.get("next", "/")), 303)
    return _way_in(request, request.query_params.get("link", ""))


async def enter(request: Request, shared: Shared) -> Response:
    """Use the link up for a session, and go where the person wanted to."""
    form = await read_form(request, shared.edge.site)
    link = _link_of(form)
    try:
        principal = await _person_of(link, shared)
        outcome = await execute(
            shared.edge, UseSignInLink(link=link), context_of(request, principal)
        )
    except (LinkIsSpent, NotFound) as error:
        return _way_in(request, "", refusal=error.detail, status=403)
    session: NewSession = outcome.result
    target = with_query(back(form.text("next", "/")), {"after": outcome.position})
    response = RedirectResponse(target, 303)
    _give(response, shared, session.cookie or "", session.expires_at)
    return response


async def leave(request: Request, shared: Shared) -> Response:
    """End the session here and take its cookie away."""
    principal = await principal_of(request)
    session_id = session_id_of(request)
    if principal is not None and session_id is not None:
        await execute(shared.edge, SignOut(session_id=session_id), context_of(request, principal))
    response = RedirectResponse("/sign-in?out=1", 303)
    site = shared.edge.site
    response.delete_cookie(site.session_cookie, path="/", secure=site.is_https, httponly=True)
    return response


async def _person_of(link: str, shared: Shared) -> Principal:
    """Whose link it is, so that it is they who sign in; the command says whether it is good."""
    credential = Credential.read(LINK_PREFIX, link)
    if credential is not None:
        _, issued = await shared.edge.cache.load(SignInLink, credential.id)
        if isinstance(issued, SignInLink):
            _, user = await shared.edge.cache.load(User, issued.user_id)
            if isinstance(user, User):
                actor = Actor(type="User", id=issued.user_id, name=user.name)
                return Principal(actor, Role.ADMINISTRATOR)
    return QUARTERDECK


def _link_of(form: Form) -> str:
    """The code, also when the whole address of the link was pasted."""
    text = form.line("link")
    return text.rpartition("link=")[2].partition("&")[0]


def _give(response: Response, shared: Shared, cookie: str, expires_at: datetime) -> None:
    site = shared.edge.site
    response.set_cookie(
        site.session_cookie,
        cookie,
        expires=expires_at,
        httponly=True,
        samesite="lax",
        secure=site.is_https,
        path="/",
    )


def _way_in(request: Request, link: str, *, refusal: str = "", status: int = 200) -> Response:
    return pages.plain(
        request,
        "sign_in/show.html",
        status,
        link=link,
        refusal=refusal,
        next=back(request.query_params.get("next", "/")),
        ended=request.query_params.get("ended") == "1",
        out=request.query_params.get("out") == "1",
    )

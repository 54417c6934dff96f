"""The one way through the API: find the route, know who asks, ask it, tell what came of it."""

from collections.abc import Mapping
from uuid import UUID

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from adapters.http.authentication import principal_of
from adapters.http.calls import Call
from adapters.http.edge import Edge
from adapters.http.parameters import InWorkspace
from adapters.http.problems import (
    BadRequest,
    MethodNotAllowed,
    NoSuchPage,
    Unauthenticated,
    problem_of,
)
from adapters.http.request_targets import parameters as read_parameters
from adapters.http.routing import Route, Table, Within
from adapters.http.validation import validated_parameters
from application.permissions import Principal
from domain.model import Fault, NotFound

UUID_LENGTH = 36


class Dispatch:
    """Answers what is under `prefix` from a table of routes, and hands on all else to the pages."""

    def __init__(self, app: ASGIApp, edge: Edge, prefix: str, table: Table) -> None:
        self._app = app
        self._edge = edge
        self._prefix = f"{prefix}/"
        self._table = table

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(self._prefix):
            await self._app(scope, receive, send)
            return
        routes, ids = self._table.at(scope["path"][len(self._prefix) - 1 :])
        if not routes:
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        try:
            route = _of_method(routes, request)
            answer = await self._answer(route, _named(route, ids), request)
        except Exception as error:
            problem = problem_of(error)
            if problem is None:
                raise
            answer = problem.answer(scope["state"]["request_id"], scope["path"])
        await answer(scope, receive, send)

    async def _answer(self, route: Route, path: Mapping[str, UUID], request: Request) -> ASGIApp:
        principal = await principal_of(request)
        if principal is None:
            raise Unauthenticated(
                "Send a token in X-Auth-Token; the one that came, if any, is wrong or has run out.",
                headers={"WWW-Authenticate": 'Bearer realm="quarterdeck"'},
            )
        principal.must(route.permission)
        given = read_parameters(request.scope["query_string"])
        parameters = validated_parameters(route.parameters, given)
        workspace = await self._workspace(route, principal, parameters, path)
        return await route.run(Call(self._edge, request, principal, path, parameters, workspace))

    async def _workspace(
        self, route: Route, principal: Principal, parameters: object, path: Mapping[str, UUID]
    ) -> UUID | None:
        """The workspace that the call is about: the one named, the token's own, the thing's."""
        if route.within is Within.NONE:
            return None
        slug = parameters.workspace if isinstance(parameters, InWorkspace) else None
        if slug is not None:
            named = await self._edge.bus.world.store.holder(f"workspace:{slug}")
            if named is None and principal.workspace_id is None:
                raise NotFound(f"There is no workspace {slug}.")
            principal.must(route.permission, named or UUID(int=0))
            return named
        if principal.workspace_id is not None:
            return principal.workspace_id
        if route.of is not None:
            return await self._home(route, path)
        if route.within is Within.ONE:
            detail = "Say which workspace this is about."
            raise BadRequest(
                f"?workspace: {detail}", faults=[Fault(pointer="?workspace", detail=detail)]
            )
        return None

    async def _home(self, route: Route, path: Mapping[str, UUID]) -> UUID:
        """The workspace of the thing that the path's first id names."""
        assert route.of is not None
        id_ = path[route.names[0]]
        _, state = await self._edge.cache.load(route.of, id_)
        home = getattr(state, "workspace_id", None)
        if not isinstance(home, UUID) or not isinstance(state, route.of):
            raise NotFound(f"There is no such thing as {id_} here.")
        return home


def _of_method(routes: Mapping[str, Route], request: Request) -> Route:
    route = routes.get("GET" if request.method == "HEAD" else request.method)
    if route is None:
        allowed = ", ".join(sorted({*routes, *(["HEAD"] if "GET" in routes else [])}))
        raise MethodNotAllowed(f"Only {allowed} can be done here.", headers={"Allow": allowed})
    request.scope["state"]["route"] = route.path
    return route


def _named(route: Route, ids: list[str]) -> Mapping[str, UUID]:
    return {name: _uuid(text) for name, text in zip(route.names, ids, strict=True)}


def _uuid(text: str) -> UUID:
    if len(text) == UUID_LENGTH:
        try:
            return UUID(text)
        except ValueError:
            pass
    raise NoSuchPage(f"Nothing is at this address: {text[:40]!r} is no UUID.")

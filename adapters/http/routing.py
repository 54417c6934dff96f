"""A route is one line in a table: method, path, command or query, permission."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from typing import Any, cast
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

from starlette.requests import Request
from starlette.types import ASGIApp

from adapters.http import answers, bodies
from adapters.http.answers import Answer
from adapters.http.authentication import headers_of
from adapters.http.calls import Call
from adapters.http.edge import NotYet
from adapters.http.parameters import InWorkspace, Parameters, Reading
from adapters.http.preconditions import guard, guarded, tagged
from adapters.http.problems import BadRequest
from adapters.http.validation import validated_body
from application.commands import Command, Outcome
from application.permissions import Permission
from application.ports import Unavailable
from domain.model import Aggregate, Fault, NotFound
from projections.reader import BadCursor, Page

Run = Callable[[Call], Awaitable[ASGIApp]]
Show = Callable[[Call, Outcome], Awaitable[ASGIApp]]
Query = Callable[[Call], Awaitable[Any]]


class Within(Enum):
    """Which workspace a route is about."""

    NONE = "none: the whole of Quarterdeck"
    ONE = "one: the token's own, or the one that ?workspace= names"
    ANY = "one as above, or all when none is named"


@dataclass(frozen=True, slots=True, kw_only=True)
class Takes:
    """The body of a command: what clients read back is ignored, what must be said is required."""

    command: type[Command]
    ignores: frozenset[str] = frozenset()
    requires: tuple[str, ...] = ()
    whole: str | None = None
    """The field of the command that the whole body is."""
    is_guarded: bool = False
    """Whether `If-Match` may say the `current_revision`."""


@dataclass(frozen=True, kw_only=True)
class Route:
    """What is at a method and path, with all that its documentation tells."""

    method: str
    path: str
    run: Run
    permission: Permission
    summary: str
    shows: Any
    """The type of a good answer's JSON; None for no body."""
    statuses: Mapping[int, str]
    """Good answers: the status and what it means."""
    within: Within = Within.NONE
    of: type[Aggregate] | None = None
    """The kind of thing that the path's first id names, where that says the workspace."""
    parameters: type[Parameters] = Parameters
    takes: Takes | None = None
    media_types: tuple[str, ...] = ("application/json",)
    headers: tuple[str, ...] = ()

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names of the ids in the path, in order."""
        return tuple(part[1:-1] for part in self.path.split("/") if part.startswith("{"))


def command(
    method: str,
    path: str,
    kind: type[Command],
    show: Show,
    *,
    shows: Any,
    statuses: Mapping[int, str],
    within: Within = Within.NONE,
    of: type[Aggregate] | None = None,
    parameters: type[Parameters] | None = None,
    takes: Takes | None = None,
) -> Route:
    """A route that asks for a command made of the path, the parameters and the body together."""
    taken = takes or Takes(command=kind)

    async def run(call: Call) -> ASGIApp:
        fields, faults = await _fields(call, taken)
        asked = validated_body(kind, fields, faults, taken.whole)
        with guarded(call.request) if taken.is_guarded else nullcontext():
            outcome = await call.execute(asked)
        try:
            return await show(call, outcome)
        except (NotYet, Unavailable):
            # It is done; only the read models cannot show it yet.
            return changed(outcome, {"id": outcome.result, "position": outcome.position}, 202)

    return Route(
        method=method,
        path=path,
        run=run,
        permission=kind.permission,
        summary=_sentence(kind),
        shows=shows,
        statuses=statuses,
        within=within,
        of=of,
        parameters=parameters or (InWorkspace if within is not Within.NONE else Parameters),
        takes=taken,
        headers=("X-Position",),
    )


def query(
    path: str,
    ask: Query,
    permission: Permission,
    *,
    shows: Any,
    within: Within = Within.NONE,
    of: type[Aggregate] | None = None,
    parameters: type[Parameters] = Reading,
    is_tagged: bool = False,
    media_types: tuple[str, ...] = ("application/json",),
) -> Route:
    """A route that asks for a query; a Page is answered as its rows with a Link to its neighbours.

    A query that answers by itself gives an ASGI application.
    """

    async def run(call: Call) -> ASGIApp:
        try:
            value = await _asked(call, ask)
        except BadCursor as error:
            if getattr(call.parameters, "cursor", None) is None:
                raise
            fault = Fault(pointer="?cursor", detail=str(error))
            raise BadRequest(f"?cursor: {error}", faults=[fault]) from error
        if callable(value):
            return cast(ASGIApp, value)
        if isinstance(value, Page):
            return answers.json(value.rows, headers=_links(call.request, value))
        return tagged(call.request, value) if is_tagged else answers.json(value)

    return Route(
        method="GET",
        path=path,
        run=run,
        permission=permission,
        summary=_sentence(ask),
        shows=shows,
        statuses={200: "OK", 304: "Not changed since If-None-Match."} if is_tagged else {200: "OK"},
        within=within,
        of=of,
        parameters=parameters,
        media_types=media_types,
        headers=("ETag",)
        if is_tagged
        else ("Link",)
        if "cursor" in parameters.model_fields
        else (),
    )


async def _asked(call: Call, ask: Query) -> Any:
    """What the query gives; before a thing is not found, the read models must have caught up."""
    try:
        return await ask(call)
    except NotFound:
        later = await call.at_head()
        if later is None:
            raise
        return await ask(later)


def changed(outcome: Outcome, value: Any, status: int = 200, location: str | None = None) -> Answer:
    """The answer to a command: what it left, and the position from which reads show it."""
    headers = {"X-Position": str(outcome.position)}
    if location is not None:
        headers["Location"] = location
    if outcome.is_repeated:
        headers["Idempotent-Replayed"] = "true"
    return answers.json(value, status, headers)


def id_of(outcome: Outcome) -> UUID:
    """The id that a command gave back; a repeated one gives it back as text."""
    result = outcome.result
    return result if isinstance(result, UUID) else UUID(result)


async def _fields(call: Call, takes: Takes) -> tuple[dict[str, Any], list[Fault]]:
    """The path, the parameters and the body as the fields of the command, and what is wrong."""
    given = await _body(call)
    for name in takes.ignores & given.keys():
        del given[name]
    if given.get("registry_id") == "":
        given["registry_id"] = None
    if takes.is_guarded:
        guard(call.request, given)
    said = _said(call, takes.command)
    missing, twice = [n for n in takes.requires if n not in given], said.keys() & given.keys()
    faults = [
        *(Fault(pointer=f"/{name}", detail="This field is required.") for name in missing),
        *(Fault(pointer=f"/{name}", detail="The address says it.") for name in twice),
    ]
    return {takes.whole: given, **said} if takes.whole else {**given, **said}, faults


async def _body(call: Call) -> dict[str, Any]:
    body = await bodies.read(call.request, call.edge.site)
    if not body:
        return {}
    bodies.must_be_json(headers_of(call.request).get(b"content-type", b""))
    return bodies.parse(body)


def _said(call: Call, kind: type[Command]) -> dict[str, Any]:
    """What the address says of the command."""
    said: dict[str, Any] = dict(call.path)
    known = kind.model_fields
    if "workspace_id" in known and "workspace_id" not in said and call.workspace_id is not None:
        said["workspace_id"] = call.workspace_id
    for name in type(call.parameters).model_fields:
        if name in known:
            said[name] = getattr(call.parameters, name)
    return said


def _links(request: Request, page: Page) -> dict[str, str]:
    given = parse_qsl(request.url.query, keep_blank_values=True)
    again = [(name, value) for name, value in given if name != "cursor"]
    links = [
        f'<{request.url.path}?{urlencode([*again, ("cursor", cursor)])}>; rel="{relation}"'
        for relation, cursor in (("next", page.next_cursor), ("prev", page.previous_cursor))
        if cursor is not None
    ]
    return {"Link": ", ".join(links)} if links else {}


def _sentence(of: object) -> str:
    """The first sentence about it, or its name as words."""
    text = getattr(of, "__doc__", None) or ""
    if not text and isinstance(of, type):
        words = "".join(f" {c.lower()}" if c.isupper() else c for c in of.__name__).strip()
        return f"{words.capitalize()}."
    return " ".join(text.strip().split("\n\n")[0].split())


@dataclass(slots=True)
class _Node:
    literal: dict[str, "_Node"] = field(default_factory=dict)
    variable: "_Node | None" = None
    routes: dict[str, Route] = field(default_factory=dict)


class Table:
    """The routes as a tree of path segments: finding one takes a look-up per segment."""

    def __init__(self, routes: tuple[Route, ...]) -> None:
        self.routes = routes
        self._root = _Node()
        for route in routes:
            self._add(route)

    def _add(self, route: Route) -> None:
        node = self._root
        for part in route.path.split("/")[1:]:
            if part.startswith("{"):
                node.variable = node.variable or _Node()
                node = node.variable
            else:
                node = node.literal.setdefault(part, _Node())
        if route.method in node.routes:
            raise TypeError(f"{route.method} {route.path} is there twice")
        node.routes[route.method] = route

    def at(self, path: str) -> tuple[Mapping[str, Route], list[str]]:
        """The routes at a path by method, and the ids in it; none when nothing is there."""
        node, ids = self._root, []
        for part in path.split("/")[1:]:
            following = node.literal.get(part)
            if following is None:
                if node.variable is None:
                    return {}, []
                ids.append(part)
                following = node.variable
            node = following
        return node.routes, ids

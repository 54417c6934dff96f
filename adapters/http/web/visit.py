"""A visit is one request of someone who is signed in: who, to which instant, in which workspace."""

import asyncio
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from starlette.requests import Request

from adapters.http.authentication import command_id_of, context_of, principal_of
from adapters.http.edge import Edge, Example, NotYet
from adapters.http.executing import execute
from adapters.http.problems import BadRequest
from adapters.http.web.forms import Form, id_in, read_form
from adapters.http.web.local import own_address, own_path, with_query
from adapters.http.web.preferences import Preferences, preferences_of
from adapters.http.web.shared import Shared
from adapters.http.web.times import Times, instant, rfc3339, zone_called
from adapters.http.whole_numbers import MAX_POSITION, whole_number
from application.commands import Command, KeyReused, Outcome
from application.example import SLUG
from application.permissions import Permission, Principal
from domain.model import NotFound
from projections.reader import Reader, Shown
from projections.workspaces import workspace_called

PATIENCE_SECONDS = 0.05
MARGIN = 500
"""Positions that a page which was read too early hears again by its live stream."""


class SignedOut(Exception):
    """Nobody is signed in, or not any more."""


class ReadOnly(BadRequest):
    """The past was asked to change."""


@dataclass(slots=True)
class Visit:
    """`at` is the instant that is looked at, None for now; `reader` reads of that instant."""

    request: Request
    shared: Shared
    principal: Principal
    preferences: Preferences
    reader: Reader
    times: Times
    at: datetime | None = None
    position: int = 0
    """All up to here is in what this visit reads; what comes later comes by the live stream."""
    shown_workspace: Shown | None = None
    sent: Form | None = None
    """The form that came, once it was read."""

    @property
    def edge(self) -> Edge:
        return self.shared.edge

    @property
    def workspace(self) -> Shown:
        """The workspace that the address names."""
        assert self.shown_workspace is not None
        return self.shown_workspace

    @property
    def workspace_id(self) -> UUID:
        return UUID(self.workspace["id"])

    @property
    def home(self) -> str:
        """The address that everything of this workspace begins with."""
        return f"/workspaces/{self.workspace['slug']}"

    @property
    def now(self) -> datetime:
        return self.times.now

    @property
    def is_fragment(self) -> bool:
        """Whether a script of the page asks for a part of it."""
        return self.request.headers.get("hx-request") == "true"

    @property
    def example(self) -> Example | None:
        """The example; None where this process does not serve one."""
        return self.edge.example

    @property
    def is_in_example(self) -> bool:
        """Whether the workspace is the one of the example that this process serves."""
        return self.example is not None and self.workspace["slug"] == SLUG

    @property
    def here(self) -> str:
        """This page's own address, without what is only for one answer."""
        return with_query(own_address(self.request.scope), {"after": None})

    @property
    def path(self) -> str:
        """This page's own address without parameters."""
        return own_path(self.request.scope)

    def to(self, path: str, **query: Any) -> str:
        """An address of this site at the same instant."""
        return with_query(path, {"at": rfc3339(self.at) if self.at else None, **query})

    def at_instant(self, moment: str | None) -> str:
        """This page as it was at that instant, or as it is now."""
        return with_query(self.here, {"at": moment})

    def may(self, permission: Permission) -> bool:
        """Whether the control for it is offered: never in the past."""
        return self.at is None and self.principal.may(permission)

    def query(self, name: str) -> str:
        return self.request.query_params.get(name, "").strip()

    def path_id(self, name: str) -> UUID:
        """An id in the path; what is none names nothing. Raises NotFound."""
        text = self.request.path_params[name]
        if (id_ := id_in(text)) is None:
            raise NotFound(f"There is no {name.removesuffix('_id')} {text[:60]}.")
        return id_

    def path_number(self, name: str) -> int:
        """A position in the path; what is none names nothing. Raises NotFound."""
        text = self.request.path_params[name]
        if (number := whole_number(text)) is None:
            raise NotFound(f"There is no {name} {text[:60]}.")
        return number

    def number(self, name: str, at_most: int = MAX_POSITION) -> int | None:
        """The whole number that the address says under a name. Raises BadRequest."""
        return _number(self.request, name, at_most)

    def new_key(self) -> str:
        """A key for a form that is to take effect once."""
        return uuid4().hex

    def instant(self, name: str) -> datetime | None:
        """The instant that the address says under a name. Raises BadRequest."""
        return _instant(self.request, self.times, name)

    def must_be_now(self) -> None:
        """Raise ReadOnly in the past."""
        if self.at is not None:
            raise ReadOnly("The past cannot be changed. Return to now first.")

    async def form(self) -> Form:
        """The form that came, read once. Raises a Mistake when it cannot be read."""
        if self.sent is None:
            self.sent = await read_form(self.request, self.edge.site)
        return self.sent

    async def execute(self, command: Command, key: str = "") -> Outcome:
        """Carry out a command; `key` makes the same form, sent twice, take effect once."""
        context = context_of(self.request, self.principal)
        if not key:
            return await execute(self.edge, command, context)
        kept = replace(context, command_id=command_id_of(key, self.principal))
        try:
            return await execute(self.edge, command, kept)
        except KeyReused:
            # The form was sent before, then changed and sent again: that is another wish.
            return await execute(self.edge, command, context)


async def arrive(request: Request, shared: Shared, permission: Permission) -> Visit:
    """Who comes, allowed to be here, with a reader of what they ask for.

    Raises SignedOut, Forbidden, NotFound, NotYet or Unavailable.
    """
    visit = await recognise(request, shared)
    visit.principal.must(permission)
    if "workspace" in request.path_params:
        await enter(visit, request.path_params["workspace"])
        visit.principal.must(permission, visit.workspace_id)
    return visit


async def recognise(request: Request, shared: Shared) -> Visit:
    """Who comes and with which preferences, whatever they may do."""
    edge = shared.edge
    principal = await principal_of(request)
    if principal is None:
        raise SignedOut
    times = Times(edge.clock.now(), zone_called(edge.site.time_zone))
    at = _past(_instant(request, times, "at"), times)
    position = await _shown_position(edge) if at is None else 0
    after = await _after(request, edge)
    reader = await edge.reads.reader(at=at, after=after, tenant=principal.tenant)
    return Visit(
        request, shared, principal, preferences_of(request.cookies), reader, times, at, position
    )


async def enter(visit: Visit, slug: str) -> None:
    """Go into a workspace. Raises NotFound."""
    visit.shown_workspace = await workspace_called(visit.reader, slug)
    if visit.shown_workspace is None:
        then = " It was not there yet then." if visit.at else ""
        raise NotFound(f"There is no workspace {slug[:60]}.{then}")


def _instant(request: Request, times: Times, name: str) -> datetime | None:
    text = request.query_params.get(name, "")
    moment = instant(text, times.zone) if text else None
    if text and moment is None:
        raise BadRequest(f"{text[:60]!r} is no instant. Write it as 2026-03-14T09:12:00Z.")
    return moment


def _past(moment: datetime | None, times: Times) -> datetime | None:
    """An instant that has not come yet is now."""
    return moment if moment is not None and moment < times.now else None


async def _shown_position(edge: Edge) -> int:
    """The head of the log where the read models are that far, else safely before it."""
    head = await edge.log.head()
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            await edge.reads.reader(after=head)
    except (NotYet, TimeoutError):
        return max(0, head - MARGIN)
    return head


async def _after(request: Request, edge: Edge) -> int | None:
    """The position that the page must show. Raises BadRequest for one that is yet to come."""
    after = _number(request, "after", MAX_POSITION)
    if after is not None and after > await edge.log.head():
        raise BadRequest(f"?after: nothing stands at position {after} yet.")
    return after


def _number(request: Request, name: str, at_most: int) -> int | None:
    text = request.query_params.get(name, "").strip()
    number = whole_number(text, at_most)
    if text and number is None:
        raise BadRequest(f"?{name}: {text[:60]!r} is no whole number up to {at_most}.")
    return number

"""Tokens: made here, shown once, revoked here."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from starlette.responses import Response

from adapters.http.validation import validated_body
from adapters.http.web import pages
from adapters.http.web.endpoints import act, page
from adapters.http.web.forms import Faults, Form, faults_of
from adapters.http.web.times import rfc3339
from adapters.http.web.visit import Visit
from application.auth_tokens import CreateAuthToken, NewAuthToken, RevokeAuthToken
from application.permissions import Permission
from domain.model import Refusal
from projections.auth_tokens import tokens_of
from projections.reader import Shown
from projections.workspaces import workspaces_within

LASTS = {"": "for good", "30": "30 days", "90": "90 days", "365": "a year"}


async def show(visit: Visit) -> Response:
    """The tokens that are good, global or of a workspace."""
    return await _page(visit, Form(), Faults())


async def create(visit: Visit) -> Response:
    """Make one and show it, this once."""
    form = await visit.form()
    workspaces = await workspaces_within(visit.reader, visit.principal.workspace_id)
    chosen = _chosen(workspaces, form.text("workspace"))
    days = form.text("lasts")
    ends = _end(visit, int(days)) if days in LASTS and days else None
    fields = {
        "name": form.line("name"),
        "workspace_id": chosen["id"] if chosen else None,
        "read_only": form.text("rights") == "read",
        "expires_at": rfc3339(ends) if ends else None,
    }
    try:
        command = validated_body(CreateAuthToken, fields)
        outcome = await visit.execute(command, form.text("key"))
    except Refusal as refusal:
        return await _page(visit, form, faults_of(refusal))
    made: NewAuthToken = outcome.result
    visit.reader = await visit.edge.reads.reader(after=outcome.position)
    return await _page(visit, form, Faults(), made=made, name=command.name)


def _end(visit: Visit, days: int) -> datetime:
    """The midnight after so many days: the same for a form that is sent twice."""
    midnight = visit.now.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight + timedelta(days=days + 1)


async def revoke(visit: Visit) -> Response:
    token_id = visit.path_id("token_id")
    form = await visit.form()
    outcome = await visit.execute(RevokeAuthToken(auth_token_id=token_id))
    slug = form.text("workspace")
    address = f"/tokens?workspace={slug}" if slug else "/tokens"
    return pages.done(visit, address, "It is revoked and lets nobody in.", outcome.position)


def _chosen(workspaces: list[Shown], slug: str) -> Shown | None:
    return next((each for each in workspaces if each["slug"] == slug), None)


async def _page(
    visit: Visit,
    form: Form,
    faults: Faults,
    made: NewAuthToken | None = None,
    name: str = "",
) -> Response:
    workspaces = await workspaces_within(visit.reader, visit.principal.workspace_id)
    chosen = _chosen(workspaces, form.text("workspace") or visit.query("workspace"))
    tokens: list[Any] = await tokens_of(
        visit.reader, UUID(chosen["id"]) if chosen else None, with_revoked=True
    )
    return await pages.page(
        visit,
        "auth_tokens/list.html",
        status=422 if faults else 201 if made else 200,
        workspaces=workspaces,
        chosen=chosen,
        tokens=[each for each in tokens if each["revoked_at"] is None],
        revoked=[each for each in tokens if each["revoked_at"] is not None],
        form=form,
        faults=faults,
        made=made,
        name=name,
        lasts=LASTS,
    )


PAGES = [
    page("/tokens", show, Permission.READ_TOKENS),
    act("/tokens", create, Permission.WRITE_TOKENS),
    act("/tokens/{token_id}/revoke", revoke, Permission.WRITE_TOKENS),
]

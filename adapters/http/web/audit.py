"""The audit: who did what and when, to be filtered, opened and taken along."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from starlette.responses import Response

from adapters.http.api.audit import CSV, NDJSON, Write, as_csv, as_lines, export, written
from adapters.http.web import pages
from adapters.http.web.cursors import cursor_of_ours
from adapters.http.web.endpoints import page
from adapters.http.web.forms import id_of
from adapters.http.web.sentences import field_changes
from adapters.http.web.times import rfc3339
from adapters.http.web.visit import Visit
from application.permissions import Permission
from domain.model import NotFound
from projections.history import HistoryFilter, history_row, history_where, who_acted
from projections.reader import Page, Shown
from projections.workspaces import workspaces_within

ROWS = 50
KINDS = (
    "Cluster",
    "ClusterSettings",
    "ClusterTemplate",
    "Task",
    "Workspace",
    "AuthToken",
    "User",
    "Session",
)
ACTIONS = ("create", "update", "delete")


@dataclass(frozen=True, slots=True)
class Search:
    """What the address asks for: who, what, when, where."""

    who: str = ""
    kind: str = ""
    action: str = ""
    workspace: Shown | None = None
    since: datetime | None = None
    until: datetime | None = None
    failures: bool = False
    subject: UUID | None = None

    def where(self) -> HistoryFilter:
        return HistoryFilter(
            workspace_id=UUID(self.workspace["id"]) if self.workspace else None,
            subject_id=self.subject,
            user_name=self.who or None,
            auditable_types=(self.kind,) if self.kind else (),
            actions=(self.action,) if self.action else (),
            since=self.since,
            until=self.until,
            only_audited=True,
            only_failures=self.failures,
        )

    @property
    def is_filtered(self) -> bool:
        return self != Search()

    def query(self, **changes: Any) -> dict[str, Any]:
        """The parameters of this search with some changed."""
        return {
            "who": self.who or None,
            "kind": self.kind or None,
            "action": self.action or None,
            "workspace": self.workspace["slug"] if self.workspace else None,
            "since": rfc3339(self.since) if self.since else None,
            "until": rfc3339(self.until) if self.until else None,
            "failures": "1" if self.failures else None,
            "subject": self.subject,
            **changes,
        }


async def show(visit: Visit) -> Response:
    """The audit lines, newest first."""
    workspaces = await workspaces_within(visit.reader, visit.principal.workspace_id)
    search = _search(visit, workspaces)
    found = await _page(visit, search)
    people = await who_acted(visit.reader, workspace_id=visit.principal.workspace_id)
    position = visit.number("open")
    opened = None if position is None else _opened(await _row(visit, position))
    return await pages.page(
        visit,
        "audit/list.html",
        search=search,
        rows=found.rows,
        beside=found,
        workspaces=workspaces,
        names={each["id"]: each["name"] for each in workspaces},
        people=people,
        kinds=KINDS,
        actions=ACTIONS,
        opened=opened,
    )


async def row(visit: Visit) -> Response:
    """One line, opened."""
    found = await _row(visit, visit.path_number("position"))
    return pages.fragment(visit, "audit/_open.html", **_opened(found))


async def _row(visit: Visit, position: int) -> Shown:
    found = await history_row(visit.reader, position)
    own = visit.principal.workspace_id
    if found is None or (own is not None and found["workspace_id"] != str(own)):
        raise NotFound(f"There is no change {position} here.")
    return found


def _opened(found: Shown) -> dict[str, Any]:
    return {"row": found, "changes": field_changes(found["audited_changes"], found["action"])}


async def csv(visit: Visit) -> Response:
    """Exactly the lines that are shown, all of them, as CSV."""
    return await _export(visit, as_csv, CSV, "audit.csv")


async def lines(visit: Visit) -> Response:
    """The same as JSON lines."""
    return await _export(visit, as_lines, NDJSON, "audit.jsonl")


async def _export(visit: Visit, write: Write, kind: str, name: str) -> Response:
    search = _search(visit, await workspaces_within(visit.reader, visit.principal.workspace_id))
    return export(
        written(visit.edge, visit.principal.tenant, visit.reader, search.where(), write), kind, name
    )


def _search(visit: Visit, workspaces: Iterable[Shown]) -> Search:
    """The search of the address; a workspace's token finds what is in its own alone."""
    own = visit.principal.workspace_id
    slug = visit.query("workspace")
    chosen = next(
        (each for each in workspaces if each["slug"] == slug or each["id"] == str(own)), None
    )
    kind, action = visit.query("kind"), visit.query("action")
    return Search(
        who=visit.query("who")[:200],
        kind=kind if kind in KINDS else "",
        action=action if action in ACTIONS else "",
        workspace=chosen,
        since=visit.instant("since"),
        until=_end(visit, "until"),
        failures=visit.query("failures") == "1",
        subject=_subject(visit),
    )


def _subject(visit: Visit) -> UUID | None:
    text = visit.query("subject")
    return id_of(text) if text else None


def _end(visit: Visit, name: str) -> datetime | None:
    """A day that is written without a time is meant to its end."""
    moment = visit.instant(name)
    return moment + timedelta(days=1) if moment and len(visit.query(name)) == 10 else moment


async def _page(visit: Visit, search: Search) -> Page:
    cursor = visit.query("cursor") or None
    with cursor_of_ours():
        return await history_where(visit.reader, search.where(), limit=ROWS, cursor=cursor)


PAGES = [
    page("/audit", show, Permission.READ_AUDIT),
    page("/audit.csv", csv, Permission.READ_AUDIT),
    page("/audit.jsonl", lines, Permission.READ_AUDIT),
    page("/audit/{position}", row, Permission.READ_AUDIT),
]

"""Which clusters a list shows and how: all of it stands in the address, so every view is a link."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from adapters.http.web import words
from adapters.http.web.forms import id_in
from adapters.http.web.visit import Visit
from projections.cluster_list import ClusterFilter, Sort
from projections.reader import Shown

ROWS = 50


@dataclass(frozen=True, slots=True)
class Column:
    """A column that may be shown: its place at 390 px, and what it sorts by."""

    key: str
    label: str
    width: str
    css: str = ""
    sort: Sort | None = None
    is_usual: bool = True


WORKSPACE = Column("workspace", "Workspace", "w-ws")
"""Shown where clusters of more than one workspace are."""
COLUMNS = (
    Column("template", "Template", "w-tpl"),
    Column("revision", "Revision", "w-num", "num skip-narrow minor", is_usual=False),
    Column("task", "Task", "w-task", "skip-narrow", is_usual=False),
    Column("change", "Last change", "", "line"),
    Column("when", "When", "w-when", "num last", Sort.LAST_CHANGE),
    Column("age", "Age", "w-age", "num skip-narrow minor", Sort.CREATED),
)
SORTS: Mapping[str, str] = {
    "urgency": "Most urgent first",
    "name": "Name",
    "-last_change": "Last change",
    "-created": "Newest first",
    "created": "Oldest first",
}


@dataclass(frozen=True, slots=True)
class View:
    """What the address asks for."""

    text: str = ""
    statuses: tuple[str, ...] = ()
    template_id: UUID | None = None
    version_id: UUID | None = None
    sort: Sort = Sort.URGENCY
    descending: bool = False
    cursor: str | None = None
    archived: bool = False

    @property
    def order(self) -> str:
        return f"{'-' if self.descending else ''}{self.sort.value}"

    @property
    def is_filtered(self) -> bool:
        return bool(self.text or self.statuses or self.template_id or self.version_id)

    def where(self, workspace_id: UUID | None) -> ClusterFilter:
        return ClusterFilter(
            workspace_id=workspace_id,
            text=self.text,
            statuses=self.statuses,
            template_id=self.template_id,
            template_version_id=self.version_id,
            without_archived=not self.archived,
            only_archived=self.archived,
        )

    def passes(self, cluster: Shown) -> bool:
        """Whether a row still belongs to the list; the query says the same of all."""
        return (
            self.text.lower() in cluster["name"].lower()
            and (not self.statuses or cluster["status"] in self.statuses)
            and self.template_id in (None, _id(cluster["cluster_template_id"]))
            and self.version_id in (None, _id(cluster["cluster_template_version_id"]))
            and (cluster["archived_at"] is not None) == self.archived
        )

    def query(self, **changes: Any) -> dict[str, Any]:
        """The parameters of this view with some changed; the first page unless a cursor is said."""
        now = replace(self, **{"cursor": None, **changes})
        return {
            "q": now.text or None,
            "status": list(now.statuses) or None,
            "template": now.template_id,
            "version": now.version_id,
            "sort": now.order if now.order != DEFAULT.order else None,
            "cursor": now.cursor,
        }


DEFAULT = View()


def view_of(visit: Visit, *, archived: bool = False) -> View:
    """The view that the address asks for; what it cannot mean is left out."""
    parameters = visit.request.query_params
    sort, descending = _sort(parameters.get("sort", ""), archived=archived)
    return View(
        text=parameters.get("q", "").strip()[:100],
        statuses=tuple(
            status
            for status in dict.fromkeys(parameters.getlist("status"))
            if status in words.INFRASTRUCTURE
        ),
        template_id=_id(parameters.get("template")),
        version_id=_id(parameters.get("version")),
        sort=sort,
        descending=descending,
        cursor=parameters.get("cursor") or None,
        archived=archived,
    )


def understood(view: View, templates: Sequence[Shown]) -> View:
    """A text that is a status or a template's name becomes a filter on it."""
    text = view.text.casefold()
    for status, word in words.INFRASTRUCTURE.items():
        if text in (word.casefold(), status):
            return replace(view, text="", statuses=tuple(dict.fromkeys((*view.statuses, status))))
    for template in templates:
        if text and text == template["name"].casefold():
            return replace(view, text="", template_id=_id(template["id"]))
    return view


def columns_of(visit: Visit) -> list[Column]:
    """The columns this person wants to see."""
    chosen = visit.preferences.columns
    own = [] if visit.shown_workspace else [WORKSPACE]
    return own + [
        column
        for column in COLUMNS
        if (column.is_usual if chosen is None else column.key in chosen)
    ]


def _sort(text: str, *, archived: bool) -> tuple[Sort, bool]:
    name = text.removeprefix("-")
    if name not in {sort.value for sort in Sort}:
        return (Sort.LAST_CHANGE, True) if archived else (DEFAULT.sort, False)
    return Sort(name), text.startswith("-")


def _id(text: str | None) -> UUID | None:
    return id_in(text) if text else None

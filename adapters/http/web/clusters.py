"""The list of clusters: filtered, sorted, live, and what is done with many of them at once."""

import csv
from io import StringIO
from typing import Any
from uuid import UUID

from starlette.responses import RedirectResponse, Response

from adapters.http.web import live, pages, words
from adapters.http.web.cluster_rows import homes_of, path_of, shown, within
from adapters.http.web.cluster_view import View, understood, view_of
from adapters.http.web.clusters_live import watch_list
from adapters.http.web.endpoints import act, page
from adapters.http.web.forms import faults_of
from adapters.http.web.visit import Visit
from application.clusters import CheckCluster, DeleteCluster
from application.permissions import Permission
from domain.model import Refusal
from projections.cluster_detail import cluster as cluster_by_id
from projections.cluster_list import clusters_where
from projections.cluster_templates import templates_of
from projections.history import HistoryFilter, history_where
from projections.reader import Shown

MOST_SELECTED = 500


async def show(visit: Visit) -> Response:
    return await _list(visit, archived=False)


async def everywhere(visit: Visit) -> Response:
    """The clusters of all workspaces."""
    return await _list(visit, archived=False)


async def archive(visit: Visit) -> Response:
    """Clusters that were deleted; their configuration and history are kept."""
    return await _list(visit, archived=True)


async def _list(visit: Visit, *, archived: bool) -> Response:
    asked = view_of(visit, archived=archived)
    templates = (
        await templates_of(visit.reader, visit.workspace_id) if visit.shown_workspace else []
    )
    view = understood(asked, templates)
    if view != asked and not visit.is_fragment:
        return RedirectResponse(visit.to(path_of(visit, view), **view.query()), 303)
    found = await shown(visit, view, visit.reader)
    if visit.is_fragment:
        return pages.fragment(visit, "clusters/_region.html", templates=templates, **found)
    if not found["everything"] and not view.is_filtered and visit.shown_workspace:
        where = HistoryFilter(workspace_id=within(visit), only_audited=True)
        log = (await history_where(visit.reader, where, limit=2, oldest_first=True)).rows
        return await pages.page(
            visit, "clusters/empty.html", log=log, templates=templates, archived=archived
        )
    return await pages.page(visit, "clusters/list.html", templates=templates, **found)


async def as_csv(visit: Visit) -> Response:
    """Exactly the rows that the list shows, all pages of them."""
    view = asked_of(visit)
    found = await clusters_where(
        visit.reader, view.where(within(visit)), sort=view.sort, descending=view.descending
    )
    homes = await homes_of(visit, visit.reader)
    slugs = [{"workspace": homes[row["workspace_id"]]["slug"], **row} for row in found.rows]
    return Response(
        table(slugs),
        media_type="text/csv; charset=utf-8",
        headers={
            "Content-Disposition": 'attachment; filename="clusters.csv"',
            "Cache-Control": "no-store",
        },
    )


def asked_of(visit: Visit) -> View:
    """The view of a list or, where the address says so, of the archive."""
    return view_of(visit, archived=visit.query("archived") == "1")


CSV_COLUMNS = (
    "id",
    "workspace",
    "name",
    "status",
    "cluster_template_name",
    "cluster_template_version",
    "current_revision",
    "last_change_at",
    "last_change_by",
    "last_change",
    "last_change_detail",
    "created_at",
    "archived_at",
)


def table(rows: list[Shown], columns: tuple[str, ...] = CSV_COLUMNS) -> str:
    """The rows as CSV (RFC 4180); what a spreadsheet would run as a formula is quoted."""
    text = StringIO()
    writer = csv.writer(text)
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_cell(row[column]) for column in columns])
    return text.getvalue()


def _cell(value: Any) -> Any:
    is_formula = isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r")
    return f"'{value}" if is_formula else value


async def show_live(visit: Visit) -> Response:
    """The list as it changes."""
    watch = await watch_list(visit, asked_of(visit))
    return live.live(visit, watch, visit.number("position") or 0)


async def selected(visit: Visit) -> Response:
    """What was asked for with the clusters that were ticked."""
    form = await visit.form()
    ids = form.ids("id")[:MOST_SELECTED]
    address = visit.to(f"{visit.home}/clusters")
    if not ids:
        return pages.done(visit, address, "No cluster was ticked.")
    if form.text("do") == "delete":
        return await _confirm(visit, ids)
    return await _for_each(visit, ids, address, "check")


async def delete_selected(visit: Visit) -> Response:
    """Delete the clusters whose number was written out."""
    form = await visit.form()
    ids = form.ids("id")[:MOST_SELECTED]
    if form.line("confirm") != str(len(ids)):
        return await _confirm(visit, ids, wrong=True)
    return await _for_each(visit, ids, visit.to(f"{visit.home}/clusters"), "delete")


async def _confirm(visit: Visit, ids: list[UUID], *, wrong: bool = False) -> Response:
    found = [await cluster_by_id(visit.reader, visit.workspace_id, each) for each in ids]
    clusters = [each for each in found if each is not None]
    return await pages.page(
        visit,
        "clusters/delete_selected.html",
        status=422 if wrong else 200,
        clusters=clusters,
        wrong=wrong,
    )


async def _for_each(visit: Visit, ids: list[UUID], address: str, what: str) -> Response:
    kind = CheckCluster if what == "check" else DeleteCluster
    position, refusals = 0, []
    for each in ids:
        try:
            outcome = await visit.execute(kind(workspace_id=visit.workspace_id, cluster_id=each))
            position = max(position, outcome.position)
        except Refusal as refusal:
            refusals += faults_of(refusal).but(())
    asked = words.plural(len(ids) - len(refusals), "cluster")
    said = f"{asked} {'will be checked' if what == 'check' else 'will be deleted'}."
    if refusals:
        said += f" {words.plural(len(refusals), 'cluster')} not: {refusals[0]}"
    return pages.done(visit, address, said, position)


PAGES = [
    page("/clusters", everywhere, Permission.READ_CLUSTERS),
    page("/clusters.csv", as_csv, Permission.READ_CLUSTERS),
    page("/clusters/live", show_live, Permission.READ_CLUSTERS),
    page("/workspaces/{workspace}/clusters", show, Permission.READ_CLUSTERS),
    page("/workspaces/{workspace}/clusters.csv", as_csv, Permission.READ_CLUSTERS),
    page("/workspaces/{workspace}/clusters/live", show_live, Permission.READ_CLUSTERS),
    page("/workspaces/{workspace}/archive", archive, Permission.READ_CLUSTERS),
    act("/workspaces/{workspace}/clusters/selected", selected, Permission.WRITE_CLUSTERS),
    act("/workspaces/{workspace}/clusters/delete", delete_selected, Permission.WRITE_CLUSTERS),
]

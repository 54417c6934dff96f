"""The list of clusters: filtered, sorted, live, and what is done with many of them at once."""

import csv
from collections import Counter
from collections.abc import Hashable
from dataclasses import replace
from io import StringIO
from time import perf_counter
from typing import Any
from uuid import UUID

from starlette.responses import RedirectResponse, Response

from adapters.http.problems import BadRequest
from adapters.http.web import live, pages, words
from adapters.http.web.cluster_view import (
    COLUMNS,
    ROWS,
    SORTS,
    View,
    columns_of,
    understood,
    view_of,
)
from adapters.http.web.endpoints import act, page
from adapters.http.web.forms import faults_of
from adapters.http.web.live import EVERYTHING
from adapters.http.web.visit import Visit
from application.clusters import CheckCluster, DeleteCluster
from application.permissions import Permission
from domain.model import Recorded, Refusal
from projections.cluster_detail import cluster as cluster_by_id
from projections.cluster_list import clusters_where, count_by_status
from projections.cluster_templates import templates_of
from projections.history import HistoryFilter, history_where
from projections.reader import BadCursor, Page, Reader, Shown

FEW = 8
"""So many changed rows are looked up one by one; for more, the page is asked for anew."""
MOST_SELECTED = 500


async def show(visit: Visit) -> Response:
    return await _list(visit, archived=False)


async def archive(visit: Visit) -> Response:
    """Clusters that were deleted; their configuration and history are kept."""
    return await _list(visit, archived=True)


async def _list(visit: Visit, *, archived: bool) -> Response:
    asked = view_of(visit, archived=archived)
    templates = await templates_of(visit.reader, visit.workspace_id)
    view = understood(asked, templates)
    if view != asked and not visit.is_fragment:
        return RedirectResponse(visit.to(_path(visit, view), **view.query()), 303)
    shown = await _shown(visit, view, visit.reader)
    if visit.is_fragment:
        return pages.fragment(visit, "clusters/_region.html", templates=templates, **shown)
    if not shown["everything"] and not view.is_filtered:
        where = HistoryFilter(workspace_id=visit.workspace_id, only_audited=True)
        log = (await history_where(visit.reader, where, limit=2, oldest_first=True)).rows
        return await pages.page(
            visit, "clusters/empty.html", log=log, templates=templates, archived=archived
        )
    return await pages.page(visit, "clusters/list.html", templates=templates, **shown)


async def _shown(visit: Visit, view: View, reader: Reader) -> dict[str, Any]:
    """What the list shows: a page of rows, and the numbers of all."""
    began = perf_counter()
    found = await _rows(visit, view, reader)
    counts = Counter(await count_by_status(reader, view.where(visit.workspace_id)))
    unfiltered = View(archived=view.archived)
    everything = (
        await count_by_status(reader, unfiltered.where(visit.workspace_id))
        if view.is_filtered
        else counts
    )
    return {
        "view": view,
        "path": _path(visit, view),
        "columns": columns_of(visit),
        "all_columns": COLUMNS,
        "sorts": SORTS,
        "acts": _acts(visit, view),
        "rows": found.rows,
        "next_cursor": found.next_cursor,
        "page_size": ROWS,
        "counts": counts,
        "total": sum(counts.values()),
        "everything": sum(everything.values()),
        "milliseconds": round((perf_counter() - began) * 1000),
        "position": await visit.edge.log.head() if visit.at is None else 0,
    }


async def _rows(visit: Visit, view: View, reader: Reader) -> Page:
    try:
        return await clusters_where(
            reader,
            view.where(visit.workspace_id),
            sort=view.sort,
            descending=view.descending,
            limit=ROWS,
            cursor=view.cursor,
        )
    except BadCursor as error:
        raise BadRequest(str(error)) from error


def _acts(visit: Visit, view: View) -> bool:
    """Whether rows can be ticked."""
    return visit.may(Permission.WRITE_CLUSTERS) and not view.archived


def _path(visit: Visit, view: View) -> str:
    return f"{visit.home}/{'archive' if view.archived else 'clusters'}"


async def as_csv(visit: Visit) -> Response:
    """Exactly the rows that the list shows, all pages of them."""
    view = view_of(visit)
    found = await clusters_where(
        visit.reader,
        view.where(visit.workspace_id),
        sort=view.sort,
        descending=view.descending,
    )
    return Response(
        table(found.rows),
        media_type="text/csv; charset=utf-8",
        headers={
            "Content-Disposition": f'attachment; filename="clusters-{visit.workspace["slug"]}.csv"',
            "Cache-Control": "no-store",
        },
    )


CSV_COLUMNS = (
    "id",
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
    view = view_of(visit, archived=visit.query("archived") == "1")
    return live.live(visit, _ListWatch(visit, view), int(visit.query("position") or 0))


class _ListWatch:
    """A changed cluster is a changed row; one that is not on the page waits behind a button."""

    pulse_seconds = None

    def __init__(self, visit: Visit, view: View) -> None:
        self._visit = visit
        self._view = view
        self._on_page: set[str] | None = None
        self._waiting: set[str] = set()

    def parts(self, recorded: Recorded) -> list[Hashable]:
        topic = recorded.event.topic
        if not topic.startswith("cluster."):
            return []
        if recorded.metadata.workspace_id != self._visit.workspace_id:
            return []
        return [str(recorded.stream_id), "tally"]

    async def show(self, parts: frozenset[Hashable], reader: Reader) -> str:
        if self._on_page is None:
            self._on_page = {row["id"] for row in (await self._page(reader)).rows}
        if EVERYTHING in parts:
            return await self._everything(reader)
        ids = {str(part) for part in parts} - {"tally"}
        html = [await self._tally(reader)] if "tally" in parts else []
        html.extend([self._changed(each) for each in await self._clusters(reader, ids)])
        if self._waiting:
            html.append(self._news())
        return "".join(html)

    async def _page(self, reader: Reader) -> Page:
        return await _rows(self._visit, self._view, reader)

    async def _everything(self, reader: Reader) -> str:
        shown = await _shown(self._visit, self._view, reader)
        self._on_page = {row["id"] for row in shown["rows"]}
        self._waiting.clear()
        html = pages.html(self._visit, "clusters/_table.html", **shown)
        return live.partials({"#clusters": html}) + await self._tally(reader)

    async def _clusters(self, reader: Reader, ids: set[str]) -> list[Shown]:
        if len(ids) > FEW:
            found = {row["id"]: row for row in (await self._page(reader)).rows}
            self._waiting |= ids & found.keys() - (self._on_page or set())
            return [found[each] for each in ids & found.keys()]
        rows = [await cluster_by_id(reader, self._visit.workspace_id, UUID(each)) for each in ids]
        return [row for row in rows if row is not None]

    def _changed(self, cluster: Shown) -> str:
        passes = self._view.passes(cluster)
        if cluster["id"] not in (self._on_page or set()):
            if passes:
                self._waiting.add(cluster["id"])
            return ""
        html = pages.html(
            self._visit,
            "clusters/_row.html",
            cluster=cluster,
            columns=columns_of(self._visit),
            acts=_acts(self._visit, self._view),
            fresh=True,
            gone=not passes,
        )
        return live.partials({f"#c-{cluster['id']}": html})

    async def _tally(self, reader: Reader) -> str:
        shown = await _shown(self._visit, replace(self._view, cursor=None), reader)
        return live.partials({"#tally": pages.html(self._visit, "clusters/_tally.html", **shown)})

    def _news(self) -> str:
        html = pages.html(
            self._visit, "clusters/_news.html", waiting=len(self._waiting), here=self._here()
        )
        return live.partials({"#news": html})

    def _here(self) -> str:
        return self._visit.to(_path(self._visit, self._view), **self._view.query())


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
    page("/workspaces/{workspace}/clusters", show, Permission.READ_CLUSTERS),
    page("/workspaces/{workspace}/clusters.csv", as_csv, Permission.READ_CLUSTERS),
    page("/workspaces/{workspace}/clusters/live", show_live, Permission.READ_CLUSTERS),
    page("/workspaces/{workspace}/archive", archive, Permission.READ_CLUSTERS),
    act("/workspaces/{workspace}/clusters/selected", selected, Permission.WRITE_CLUSTERS),
    act("/workspaces/{workspace}/clusters/delete", delete_selected, Permission.WRITE_CLUSTERS),
]

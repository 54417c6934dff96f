"""The rows of a list of clusters, with the numbers of all that its filter lets pass."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from time import perf_counter
from typing import Any
from uuid import UUID

from adapters.http.web.cluster_view import COLUMNS, ROWS, SORTS, View, columns_of
from adapters.http.web.cursors import cursor_of_ours
from adapters.http.web.visit import Visit
from application.permissions import Permission
from projections.cluster_list import clusters_where, count_before, count_by_status
from projections.reader import Page, Reader, Shown
from projections.workspaces import all_workspaces


async def shown(visit: Visit, view: View, reader: Reader) -> dict[str, Any]:
    """What the list shows: a page of rows, and the numbers of all."""
    began = perf_counter()
    found = await rows(visit, view, reader)
    counted = await numbers(visit, view, reader)
    return {
        "columns": columns_of(visit),
        "all_columns": COLUMNS,
        "sorts": SORTS,
        "acts": may_tick(visit, view),
        "homes": await homes_of(visit, reader),
        "rows": found.rows,
        "first": 1 + await _before(visit, view, reader, found),
        "beside": found,
        **counted,
        "milliseconds": round((perf_counter() - began) * 1000),
    }


async def numbers(visit: Visit, view: View, reader: Reader) -> dict[str, Any]:
    """How many clusters there are by status, whichever of these is chosen, and in all."""
    began = perf_counter()
    of_any_status = replace(view, statuses=())
    counts = Counter(await count_by_status(reader, of_any_status.where(within(visit))))
    everything: Mapping[str, int] = counts
    if of_any_status.is_filtered:
        unfiltered = View(archived=view.archived)
        everything = await count_by_status(reader, unfiltered.where(within(visit)))
    return {
        "view": view,
        "path": path_of(visit, view),
        "counts": counts,
        "total": sum(counts[status] for status in view.statuses or counts),
        "everything": sum(everything.values()),
        "milliseconds": round((perf_counter() - began) * 1000),
    }


async def rows(visit: Visit, view: View, reader: Reader) -> Page:
    with cursor_of_ours():
        return await clusters_where(
            reader,
            view.where(within(visit)),
            sort=view.sort,
            descending=view.descending,
            limit=ROWS,
            cursor=view.cursor,
        )


async def _before(visit: Visit, view: View, reader: Reader, page: Page) -> int:
    where = view.where(within(visit))
    return await count_before(reader, where, page, sort=view.sort, descending=view.descending)


def within(visit: Visit) -> UUID | None:
    """The workspace that the list is of; None for all that this person may see."""
    return visit.workspace_id if visit.shown_workspace else visit.principal.workspace_id


async def homes_of(visit: Visit, reader: Reader) -> dict[str, Shown]:
    """The workspaces of the clusters by id."""
    if visit.shown_workspace is not None:
        return {visit.workspace["id"]: visit.workspace}
    return {each["id"]: each for each in await all_workspaces(reader)}


def may_tick(visit: Visit, view: View) -> bool:
    """Whether rows can be ticked."""
    is_one = visit.shown_workspace is not None
    return is_one and visit.may(Permission.WRITE_CLUSTERS) and not view.archived


def path_of(visit: Visit, view: View) -> str:
    if visit.shown_workspace is None:
        return "/clusters"
    return f"{visit.home}/{'archive' if view.archived else 'clusters'}"

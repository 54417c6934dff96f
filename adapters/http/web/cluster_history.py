"""A cluster's history: every event of it, before and after, and two instants side by side."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any
from uuid import UUID

import orjson
from starlette.responses import Response

from adapters.http.telling import told
from adapters.http.web import pages, words
from adapters.http.web.cluster import HOME, OWN_RECORDS, found, head_of
from adapters.http.web.cursors import cursor_of_ours
from adapters.http.web.differences import Difference, difference
from adapters.http.web.endpoints import page
from adapters.http.web.sentences import FieldChange, field_changes
from adapters.http.web.times import parsed, rfc3339
from adapters.http.web.visit import Visit
from application.permissions import Permission
from domain.clusters import ClusterRendered
from domain.model import NotFound, Recorded
from projections.cluster_detail import cluster as cluster_by_id
from projections.history import HistoryFilter, history_row, history_where, who_acted
from projections.reader import Page, Shown

ROWS = 50
MOMENT = timedelta(microseconds=1)
KINDS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "configuration": (
        "Configuration",
        (
            "cluster.created",
            "cluster.configured",
            "cluster.renamed",
            "cluster.registry_chosen",
            "cluster.rendered",
            "cluster.render_failed",
            "cluster_settings.created",
            "cluster_settings.changed",
        ),
    ),
    "operations": (
        "Operations",
        (
            "cluster.operation_requested",
            "cluster.operation_started",
            "cluster.applied",
            "cluster.checked",
            "cluster.operation_failed",
            "cluster.deletion_wanted",
            "cluster.archived",
        ),
    ),
    "tasks": (
        "Tasks",
        (
            "task.queued",
            "task.claimed",
            "task.phase_started",
            "task.phase_ended",
            "task.traces_lost",
            "task.cancel_requested",
            "task.succeeded",
            "task.failed",
            "task.cancelled",
            "task.lost",
        ),
    ),
}


@dataclass(frozen=True, slots=True)
class Opened:
    """A row that is open: what was before and after, the event itself, and what goes with it."""

    row: Shown
    changes: Sequence[FieldChange]
    differences: Mapping[str, Difference]
    event: str
    others: Sequence[Shown]
    before: str
    """The instant just before it."""


async def history(visit: Visit) -> Response:
    """Everything that happened to a cluster, newest first."""
    cluster = await found(visit)
    cluster_id = UUID(cluster["id"])
    kind, who = visit.query("kind"), visit.query("who")
    everything = visit.query("every") == "1"
    where = HistoryFilter(
        subject_id=cluster_id,
        user_name=who or None,
        topics=KINDS[kind][1] if kind in KINDS else (),
        auditable_types=() if everything or kind in KINDS else OWN_RECORDS,
    )
    found_rows = await _page(visit, where)
    position = visit.number("open")
    open_row = None if position is None else await _opened(visit, cluster_id, position)
    return await pages.page(
        visit,
        "cluster/history.html",
        subject=cluster_id,
        tab="history",
        head=await head_of(visit, cluster, visit.reader),
        cluster=cluster,
        days=_by_day(visit, found_rows.rows),
        count=len(found_rows.rows),
        beside=found_rows,
        kinds=KINDS,
        kind=kind,
        who=who,
        people=await who_acted(visit.reader, workspace_id=visit.workspace_id),
        everything=everything,
        opened=open_row,
    )


async def _page(visit: Visit, where: HistoryFilter) -> Page:
    cursor = visit.query("cursor") or None
    with cursor_of_ours():
        return await history_where(visit.reader, where, limit=ROWS, cursor=cursor)


def _by_day(visit: Visit, rows: Sequence[Shown]) -> list[tuple[str, list[Shown]]]:
    return [
        (day, list(group)) for day, group in groupby(rows, lambda row: visit.times.day(row["time"]))
    ]


async def event(visit: Visit) -> Response:
    """One row, opened."""
    cluster = await found(visit)
    opened = await _opened(visit, UUID(cluster["id"]), visit.path_number("position"))
    home = f"{visit.home}/clusters/{cluster['id']}"
    return pages.fragment(visit, "cluster/_event.html", opened=opened, home=home)


async def _opened(visit: Visit, cluster_id: UUID, position: int) -> Opened:
    row = await history_row(visit.reader, position)
    if row is None or str(cluster_id) not in (row["stream_id"], row["belongs_to"]):
        raise NotFound(f"Change {position} is none of this cluster.")
    stream = await visit.edge.log.load(UUID(row["stream_id"]))
    recorded = next(each for each in stream if each.position == position)
    others = HistoryFilter(correlation_id=_id(row["correlation_id"]))
    same = await history_where(visit.reader, others, limit=12) if row["correlation_id"] else None
    return Opened(
        row,
        field_changes(row["audited_changes"], row["action"]),
        await _rendered(visit, cluster_id, stream, recorded),
        orjson.dumps(told(recorded)["event"], option=orjson.OPT_INDENT_2).decode(),
        [each for each in same.rows if each["position"] != position] if same else [],
        rfc3339(parsed(row["time"]) - MOMENT),
    )


def _id(text: str | None) -> UUID | None:
    return UUID(text) if text else None


async def _rendered(
    visit: Visit, cluster_id: UUID, stream: Sequence[Recorded], recorded: Recorded
) -> dict[str, Difference]:
    """For a rendering, how each section differs from the rendering before."""
    if not isinstance(recorded.event, ClusterRendered):
        return {}
    earlier = [
        each.event.sections
        for each in stream
        if isinstance(each.event, ClusterRendered) and each.position < recorded.position
    ]
    before = await _texts(visit, cluster_id, earlier[-1] if earlier else {})
    after = await _texts(visit, cluster_id, recorded.event.sections)
    found_all = {
        name: difference(before.get(name, ""), after.get(name, ""))
        for name in dict.fromkeys((*after, *before))
    }
    return {name: found_one for name, found_one in found_all.items() if found_one.count}


async def _texts(visit: Visit, cluster_id: UUID, sections: Mapping[str, Any]) -> dict[str, str]:
    references = {name: ref.model_dump(mode="json") for name, ref in sections.items()}
    return await visit.shared.rendered(cluster_id, references)


async def compare(visit: Visit) -> Response:
    """What of a cluster differs between two instants."""
    cluster = await found(visit)
    before, after = _past(visit, "from"), _past(visit, "to") or visit.at
    old = await _at(visit, cluster, before)
    new = cluster if after == visit.at else await _at(visit, cluster, after)
    return await pages.page(
        visit,
        "cluster/compare.html",
        subject=UUID(cluster["id"]),
        tab="history",
        head=await head_of(visit, cluster, visit.reader),
        cluster=cluster,
        before=before,
        after=after,
        old=old,
        new=new,
        changes=_fields(old, new),
        differences=await _sections(visit, cluster, old, new),
    )


def _past(visit: Visit, name: str) -> datetime | None:
    moment = visit.instant(name)
    return moment if moment is None or moment < visit.times.now else None


async def _at(visit: Visit, cluster: Shown, moment: datetime | None) -> Shown | None:
    reader = await visit.edge.reads.reader(at=moment)
    return await cluster_by_id(reader, visit.workspace_id, UUID(cluster["id"]))


COMPARED = {
    "name": "Name",
    "status": "Infrastructure",
    "cluster_template_name": "Template",
    "cluster_template_version": "Version",
    "current_revision": "Revision",
    "rendering": "Rendering",
    "applied_rendering": "On the machines",
}


def _fields(old: Shown | None, new: Shown | None) -> list[FieldChange]:
    one, other = old or {}, new or {}
    pairs = [(label, one.get(key), other.get(key)) for key, label in COMPARED.items()]
    values = (one.get("values") or {}, other.get("values") or {})
    pairs += [(key, values[0].get(key), values[1].get(key)) for key in {**values[0], **values[1]}]
    return [
        FieldChange(label, _said(before), _said(after))
        for label, before, after in pairs
        if before != after
    ]


def _said(value: Any) -> str | None:
    return None if value is None else words.INFRASTRUCTURE.get(value, words.shown(value))


async def _sections(
    visit: Visit, cluster: Shown, old: Shown | None, new: Shown | None
) -> dict[str, Difference]:
    cluster_id = UUID(cluster["id"])
    before = await visit.shared.rendered(cluster_id, old["sections"] if old else {})
    after = await visit.shared.rendered(cluster_id, new["sections"] if new else {})
    found_all = {
        name: difference(before.get(name, ""), after.get(name, ""))
        for name in dict.fromkeys((*after, *before))
    }
    return {name: found_one for name, found_one in found_all.items() if found_one.count}


PAGES = [
    page(f"{HOME}/history", history, Permission.READ_CLUSTERS),
    page(f"{HOME}/history/compare", compare, Permission.READ_CLUSTERS),
    page(f"{HOME}/history/{{position}}", event, Permission.READ_CLUSTERS),
]

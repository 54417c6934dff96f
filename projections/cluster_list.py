"""The clusters as lists show them: filtered and sorted, ten thousand of them in a moment."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from domain.clusters import (
    UNDER_WAY,
    ClusterApplied,
    ClusterArchived,
    ClusterChecked,
    ClusterConfigured,
    ClusterCreated,
    ClusterDeletionWanted,
    ClusterHostKeyForgotten,
    ClusterHostKeyPinned,
    ClusterOperationFailed,
    ClusterOperationRequested,
    ClusterOperationStarted,
    ClusterRegistryChosen,
    ClusterRenamed,
    ClusterRendered,
    ClusterRenderFailed,
    ClusterStatus,
)
from domain.model import Recorded
from domain.values import OperationKind
from projections.projection import Change, Projection, Row, Rows, Table
from projections.reader import Page, Reader, Slice, containing, slice_of

MOST_URGENT_FIRST = (
    ClusterStatus.CREATION_FAILED,
    ClusterStatus.SYNCHRONIZATION_FAILURE,
    ClusterStatus.DELETION_FAILED,
    ClusterStatus.CONFIGURATION_ERROR,
    ClusterStatus.UNKNOWN,
    ClusterStatus.PENDING_CHANGES,
    ClusterStatus.DELETE,
    ClusterStatus.DELETING,
    ClusterStatus.CHANGING,
    ClusterStatus.CREATING,
    ClusterStatus.NEW,
    ClusterStatus.IN_SYNC,
    ClusterStatus.DELETED,
)
URGENCY = {status: place for place, status in enumerate(MOST_URGENT_FIRST)}

clusters = Table(
    "clusters",
    {
        "cluster_id": "uuid",
        "workspace_id": "uuid",
        "name": "text",
        "status": "text",
        "urgency": "smallint",
        "current_revision": "bigint",
        "template_id": "uuid",
        "template_version_id": "uuid",
        "registry_id": "uuid",
        "rendering": "integer",
        "applied_rendering": "integer",
        "masters": "jsonb",
        "is_broken": "boolean",
        "was_created": "boolean",
        "has_drifted": "boolean",
        "task_id": "uuid",
        "task_kind": "text",
        "last_change_at": "timestamptz",
        "last_change_by": "text",
        "last_change_by_type": "text",
        "last_change": "text",
        "last_change_detail": "text",
        "created_at": "timestamptz",
        "updated_at": "timestamptz",
        "archived_at": "timestamptz",
        "archive_number": "text",
        "position": "bigint",
    },
    key=["cluster_id"],
    # Sorting some thousand rows is cheap; an index on what each event changes is not.
    indexes=[
        "(workspace_id, name, cluster_id)",
        "(template_id)",
        "(template_version_id)",
    ],
)
cluster_list = Projection("cluster_list", 3, [clusters])


@cluster_list.when
def created(event: ClusterCreated, recorded: Recorded) -> Iterator[Change]:
    yield clusters.put(
        recorded.stream_id,
        workspace_id=event.workspace_id,
        name=event.name,
        current_revision=1,
        template_id=event.configuration.template_id,
        template_version_id=event.configuration.template_version_id,
        registry_id=event.registry_id,
        rendering=0,
        applied_rendering=0,
        masters=[],
        is_broken=False,
        was_created=False,
        has_drifted=False,
        created_at=recorded.recorded_at,
        **_status(ClusterStatus.NEW),
        **_change(recorded),
    )


@cluster_list.when
def renamed(event: ClusterRenamed, recorded: Recorded, rows: Rows) -> Iterator[Change]:
    detail = f"{event.previous_name} → {event.name}"
    yield clusters.patch(
        recorded.stream_id,
        name=event.name,
        **_next_revision(recorded, rows),
        **_change(recorded, detail),
    )


@cluster_list.when
def registry_chosen(
    event: ClusterRegistryChosen, recorded: Recorded, rows: Rows
) -> Iterator[Change]:
    yield clusters.patch(
        recorded.stream_id,
        registry_id=event.registry_id,
        **_next_revision(recorded, rows),
        **_change(recorded),
    )


@cluster_list.when
def configured(event: ClusterConfigured, recorded: Recorded, rows: Rows) -> Iterator[Change]:
    yield clusters.patch(
        recorded.stream_id,
        template_id=event.configuration.template_id,
        template_version_id=event.configuration.template_version_id,
        **_next_revision(recorded, rows),
        **_change(recorded, ", ".join(_changed_parameters(event))),
    )


@cluster_list.when
def rendered(event: ClusterRendered, recorded: Recorded, rows: Rows) -> Iterator[Change]:
    cluster = rows.of(clusters, recorded.stream_id)
    if cluster is not None:
        yield clusters.patch(
            recorded.stream_id,
            rendering=event.rendering,
            masters=[master.model_dump() for master in event.masters],
            is_broken=False,
            position=recorded.position,
            **_status(_status_once_rendered(cluster)),
        )


@cluster_list.when
def render_failed(event: ClusterRenderFailed, recorded: Recorded, rows: Rows) -> Iterator[Change]:
    cluster = rows.of(clusters, recorded.stream_id)
    if cluster is not None:
        at_rest = cluster["task_id"] is None
        yield clusters.patch(
            recorded.stream_id,
            is_broken=True,
            **_status(ClusterStatus.CONFIGURATION_ERROR if at_rest else cluster["status"]),
            **_change(recorded, event.errors[0].detail if event.errors else ""),
        )


@cluster_list.when
def operation_requested(event: ClusterOperationRequested, recorded: Recorded) -> Iterator[Change]:
    yield clusters.patch(
        recorded.stream_id,
        task_id=event.task_id,
        task_kind=event.kind,
        **_status(event.status),
        **_change(recorded, event.kind),
    )


@cluster_list.when
def operation_started(event: ClusterOperationStarted, recorded: Recorded) -> Iterator[Change]:
    columns: dict[str, Any] = {"position": recorded.position}
    if event.kind is OperationKind.INSTALL:
        columns["was_created"] = True
    if event.kind in UNDER_WAY:
        columns |= _status(UNDER_WAY[event.kind])
    yield clusters.patch(recorded.stream_id, **columns)


@cluster_list.when
def applied(event: ClusterApplied, recorded: Recorded) -> Iterator[Change]:
    yield clusters.patch(
        recorded.stream_id,
        applied_rendering=event.rendering,
        has_drifted=False,
        **_status(event.status),
        **_no_task(),
        **_change(recorded, event.kind),
    )


@cluster_list.when
def checked(event: ClusterChecked, recorded: Recorded) -> Iterator[Change]:
    yield clusters.patch(
        recorded.stream_id,
        has_drifted=not event.in_sync,
        **_status(event.status),
        **_no_task(),
        **_change(recorded, event.detail),
    )


@cluster_list.when
def operation_failed(event: ClusterOperationFailed, recorded: Recorded) -> Iterator[Change]:
    yield clusters.patch(
        recorded.stream_id,
        **_status(event.status),
        **_no_task(),
        **_change(recorded, event.reason),
    )


@cluster_list.when
def host_keys_changed(
    event: ClusterHostKeyPinned | ClusterHostKeyForgotten, recorded: Recorded
) -> Iterator[Change]:
    detail = f"{event.host}:{event.port} {event.fingerprint}"
    yield clusters.patch(recorded.stream_id, **_change(recorded, detail))


@cluster_list.when
def deletion_wanted(event: ClusterDeletionWanted, recorded: Recorded) -> Iterator[Change]:
    yield clusters.patch(recorded.stream_id, **_status(event.status), **_change(recorded))


@cluster_list.when
def archived(event: ClusterArchived, recorded: Recorded) -> Iterator[Change]:
    yield clusters.patch(
        recorded.stream_id,
        archived_at=event.archived_at,
        archive_number=event.archive_number,
        **_status(ClusterStatus.DELETED),
        **_no_task(),
        **_change(recorded),
    )


def _status(status: str) -> Row:
    return {"status": status, "urgency": URGENCY[ClusterStatus(status)]}


def _no_task() -> Row:
    return {"task_id": None, "task_kind": None}


def _change(recorded: Recorded, detail: str = "") -> Row:
    """Who did what and when; `position` is what a reader of the list may wait for."""
    actor = recorded.metadata.actor
    return {
        "last_change_at": recorded.recorded_at,
        "last_change_by": actor.name,
        "last_change_by_type": actor.type,
        "last_change": recorded.event.topic,
        "last_change_detail": detail or None,
        "updated_at": recorded.recorded_at,
        "position": recorded.position,
    }


def _next_revision(recorded: Recorded, rows: Rows) -> Row:
    cluster = rows.of(clusters, recorded.stream_id)
    return {"current_revision": cluster["current_revision"] + 1} if cluster else {}


def _changed_parameters(event: ClusterConfigured) -> list[str]:
    before, after = event.previous, event.configuration
    pairs = [(before.values, after.values), (before.secret_values, after.secret_values)]
    names = [
        name
        for old, new in pairs
        for name in sorted(old.keys() | new.keys())
        if old.get(name) != new.get(name)
    ]
    moved = before.template_version_id != after.template_version_id
    return ["template version", *names] if moved else names


def _status_once_rendered(cluster: Row) -> str:
    """What domain.clusters says of it; a property test holds the two together."""
    status: str = cluster["status"]
    if cluster["task_id"] is not None:
        return status
    if cluster["applied_rendering"]:
        return ClusterStatus.PENDING_CHANGES
    return ClusterStatus.CREATION_FAILED if cluster["was_created"] else ClusterStatus.NEW


class Sort(StrEnum):
    """What a list is sorted by."""

    NAME = "name"
    URGENCY = "urgency"
    LAST_CHANGE = "last_change"
    CREATED = "created"


SORT_COLUMNS: Mapping[Sort, tuple[tuple[str, str], ...]] = {
    Sort.NAME: (("name", "text"),),
    Sort.URGENCY: (("urgency", "smallint"), ("name", "text")),
    Sort.LAST_CHANGE: (("last_change_at", "timestamptz"),),
    Sort.CREATED: (("created_at", "timestamptz"),),
}


@dataclass(frozen=True, slots=True)
class ClusterFilter:
    """Which clusters; a field that is not given lets all pass."""

    workspace_id: UUID | None = None
    text: str = ""
    statuses: Collection[str] = ()
    template_id: UUID | None = None
    template_version_id: UUID | None = None
    without_archived: bool = False
    only_archived: bool = False

    def condition(self) -> str:
        """The SQL of it over `clusters c`; its parameters are `parameters()`."""
        given = {
            "c.workspace_id = %(workspace_id)s": self.workspace_id,
            "c.name ilike %(pattern)s": self.text,
            "c.status = any(%(statuses)s)": self.statuses,
            "c.template_id = %(template_id)s": self.template_id,
            "c.template_version_id = %(template_version_id)s": self.template_version_id,
            "c.archived_at is null": self.without_archived,
            "c.archived_at is not null": self.only_archived,
        }
        return " and ".join(sql for sql, value in given.items() if value) or "true"

    def parameters(self) -> dict[str, Any]:
        return {
            "workspace_id": self.workspace_id,
            "pattern": containing(self.text),
            "statuses": [str(status) for status in self.statuses],
            "template_id": self.template_id,
            "template_version_id": self.template_version_id,
        }


SHOWN = """
    select c.cluster_id as id, c.workspace_id, c.name, c.status, c.current_revision,
           c.template_id as cluster_template_id,
           c.template_version_id as cluster_template_version_id,
           t.name as cluster_template_name, v.number::text as cluster_template_version,
           t.current_version_id = c.template_version_id as is_on_current_version,
           c.registry_id, c.was_created, c.is_broken,
           jsonb_build_object('masters', c.masters) as connection_hosts,
           c.has_drifted, c.was_created and not c.is_broken
               and (c.rendering <> c.applied_rendering or c.has_drifted) as has_pending_changes,
           c.task_id, c.task_kind, c.last_change_at, c.last_change_by, c.last_change_by_type,
           c.last_change, c.last_change_detail,
           c.created_at, c.updated_at, c.archived_at, c.archive_number, c.position
"""
JOINED = """
    left join cluster_templates t on t.template_id = c.template_id
    left join cluster_template_versions v on v.version_id = c.template_version_id
"""


async def clusters_where(
    reader: Reader,
    where: ClusterFilter,
    *,
    sort: Sort = Sort.NAME,
    descending: bool = False,
    limit: int | None = None,
    cursor: str | None = None,
) -> Page:
    """The clusters that the filter lets pass, a page of `limit` or all. Raises BadCursor."""
    here = _slice(sort, descending, limit, cursor)
    sorted_by = "".join(f", c.{name} as _{name}" for name, _ in here.columns)
    # The page is chosen before its templates are looked up.
    page = (
        f"select * from clusters c where {where.condition()} and {here.condition('c')}"
        f" order by {here.order('c')} limit %(fetch)s"
    )
    found = await reader.rows(
        f"{SHOWN} {sorted_by} from ({page}) c {JOINED} order by {here.order('c')}",
        where.parameters() | here.parameters,
    )
    return here.page(found)


async def count_before(
    reader: Reader,
    where: ClusterFilter,
    page: Page,
    *,
    sort: Sort = Sort.NAME,
    descending: bool = False,
) -> int:
    """How many clusters that the filter lets pass come before a page of theirs."""
    if page.previous_cursor is None:
        return 0
    before = _slice(sort, descending, None, page.previous_cursor)
    counted = await reader.row(
        "select count(*) as n from clusters c"
        f" where {where.condition()} and {before.condition('c')}",
        where.parameters() | before.parameters,
    )
    return int(counted["n"]) if counted else 0


def _slice(sort: Sort, descending: bool, limit: int | None, cursor: str | None) -> Slice:
    columns = [*SORT_COLUMNS[sort], ("cluster_id", "uuid")]
    return slice_of(columns, descending=descending, limit=limit, cursor=cursor)


async def count_by_status(reader: Reader, where: ClusterFilter) -> dict[str, int]:
    """How many clusters the filter lets pass, by status; a status without any is left out."""
    counted = await reader.rows(
        f"select status, count(*) as n from clusters c where {where.condition()} group by status",
        where.parameters(),
    )
    return {row["status"]: row["n"] for row in counted}


async def count_by_workspace(reader: Reader) -> dict[str, dict[str, int]]:
    """How many clusters there are outside the archive: workspace id to status to number."""
    counted = await reader.rows(
        "select workspace_id, status, count(*) as n from clusters"
        " where archived_at is null group by workspace_id, status"
    )
    numbers: dict[str, dict[str, int]] = {}
    for row in counted:
        numbers.setdefault(row["workspace_id"], {})[row["status"]] = row["n"]
    return numbers

"""The tasks of the clusters: what was asked, who runs it, and how far it is, phase by phase."""

from collections.abc import Collection, Iterator
from uuid import UUID

from domain.model import Recorded
from domain.tasks import (
    TaskCancelled,
    TaskCancelRequested,
    TaskClaimed,
    TaskFailed,
    TaskLost,
    TaskPhaseEnded,
    TaskPhaseStarted,
    TaskQueued,
    TaskStatus,
    TaskSucceeded,
    TaskTracesLost,
)
from projections.projection import Change, Projection, Table
from projections.reader import Page, Reader, Shown, slice_of, visible

table = Table(
    "tasks",
    {
        "task_id": "uuid",
        "workspace_id": "uuid",
        "cluster_id": "uuid",
        "cluster_name": "text",
        "kind": "text",
        "status": "text",
        "rendering": "integer",
        "manager": "text",
        "attempts": "integer",
        "phase": "text",
        "phase_is_critical": "boolean",
        "plan": "jsonb",
        "cancel_requested": "boolean",
        "reason": "text",
        "created_at": "timestamptz",
        "created_by": "text",
        "created_by_type": "text",
        "started_at": "timestamptz",
        "ended_at": "timestamptz",
        "position": "bigint",
    },
    key=["task_id"],
    indexes=[
        "(cluster_id, created_at, task_id)",
        "(workspace_id, created_at, task_id)",
        "(created_at, task_id)",
        "(status) where ended_at is null",
    ],
)
phases = Table(
    "task_phases",
    {
        "task_id": "uuid",
        "phase": "text",
        "is_critical": "boolean",
        "started_at": "timestamptz",
        "ended_at": "timestamptz",
        "is_skipped": "boolean",
    },
    key=["task_id", "phase"],
)
tasks = Projection("tasks", 1, [table, phases])


@tasks.when
def queued(event: TaskQueued, recorded: Recorded) -> Iterator[Change]:
    actor = recorded.metadata.actor
    yield table.put(
        recorded.stream_id,
        workspace_id=event.workspace_id,
        cluster_id=event.cluster_id,
        cluster_name=event.cluster_name,
        kind=event.kind,
        status=TaskStatus.QUEUED,
        rendering=event.rendering,
        attempts=0,
        plan=[],
        cancel_requested=False,
        created_at=recorded.recorded_at,
        created_by=actor.name,
        created_by_type=actor.type,
        position=recorded.position,
    )


@tasks.when
def claimed(event: TaskClaimed, recorded: Recorded) -> Iterator[Change]:
    yield table.patch(
        recorded.stream_id,
        status=TaskStatus.RUNNING,
        manager=event.manager,
        attempts=event.attempt,
        position=recorded.position,
    )
    if event.attempt == 1:
        yield table.patch(recorded.stream_id, started_at=recorded.recorded_at)


@tasks.when
def phase_started(event: TaskPhaseStarted, recorded: Recorded) -> Iterator[Change]:
    yield table.patch(
        recorded.stream_id,
        phase=event.phase,
        phase_is_critical=event.critical,
        plan=list(event.phases),
        position=recorded.position,
    )
    yield phases.put(
        recorded.stream_id,
        event.phase,
        is_critical=event.critical,
        started_at=recorded.recorded_at,
    )


@tasks.when
def traces_lost(event: TaskTracesLost, recorded: Recorded) -> Iterator[Change]:
    yield table.patch(recorded.stream_id, position=recorded.position)
    yield phases.put(recorded.stream_id, event.phase, started_at=recorded.recorded_at)


@tasks.when
def phase_ended(event: TaskPhaseEnded, recorded: Recorded) -> Iterator[Change]:
    yield table.patch(
        recorded.stream_id,
        phase=event.next_phase,
        phase_is_critical=event.next_phase_critical,
        position=recorded.position,
    )
    yield phases.put(
        recorded.stream_id, event.phase, ended_at=recorded.recorded_at, is_skipped=event.skipped
    )


@tasks.when
def cancel_requested(_: TaskCancelRequested, recorded: Recorded) -> Iterator[Change]:
    yield table.patch(recorded.stream_id, cancel_requested=True, position=recorded.position)


@tasks.when
def succeeded(event: TaskSucceeded, recorded: Recorded) -> Iterator[Change]:
    yield _ended(recorded, TaskStatus.SUCCEEDED, event.detail)


@tasks.when
def failed(event: TaskFailed, recorded: Recorded) -> Iterator[Change]:
    yield _ended(recorded, TaskStatus.FAILED, event.reason)


@tasks.when
def cancelled(_: TaskCancelled, recorded: Recorded) -> Iterator[Change]:
    yield _ended(recorded, TaskStatus.CANCELLED)


@tasks.when
def lost(event: TaskLost, recorded: Recorded) -> Iterator[Change]:
    status = TaskStatus.LOST_IN_CRITICAL if event.in_critical else TaskStatus.LOST
    yield _ended(recorded, status, event.reason)


def _ended(recorded: Recorded, status: TaskStatus, reason: str = "") -> Change:
    return table.patch(
        recorded.stream_id,
        status=status,
        reason=reason or None,
        ended_at=recorded.recorded_at,
        position=recorded.position,
    )


SHOWN = """
    select t.task_id as id, t.workspace_id, t.cluster_id, t.cluster_name, t.kind, t.status,
           t.rendering, t.manager, t.attempts, t.phase, t.phase_is_critical, t.plan,
           coalesce(p.phases, '[]') as phases, t.cancel_requested, t.reason, t.created_at,
           t.created_by, t.created_by_type, t.started_at, t.ended_at, t.position,
           t.created_at as _created_at, t.task_id as _task_id
    from tasks t
    left join lateral (
        select jsonb_agg(jsonb_build_object(
                   'phase', phase, 'is_critical', is_critical, 'is_skipped', is_skipped,
                   'started_at', to_char(started_at, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
                   'ended_at', to_char(ended_at, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
               ) order by coalesce(started_at, ended_at), ended_at) as phases
        from task_phases where task_id = t.task_id
    ) p on true
"""
"""A task as JSON: `plan` names all phases in order, `phases` those that began or were skipped."""

NEWEST_FIRST = (("created_at", "timestamptz"), ("task_id", "uuid"))


async def task(reader: Reader, workspace_id: UUID, task_id: UUID) -> Shown | None:
    """One task; None when it is of another workspace."""
    found = await reader.row(
        f"{SHOWN} where t.task_id = %(id)s and t.workspace_id = %(workspace_id)s",
        {"id": task_id, "workspace_id": workspace_id},
    )
    return visible(found) if found else None


async def tasks_where(
    reader: Reader,
    *,
    workspace_id: UUID | None = None,
    cluster_id: UUID | None = None,
    statuses: Collection[str] = (),
    kinds: Collection[str] = (),
    limit: int | None = None,
    cursor: str | None = None,
) -> Page:
    """Tasks, newest first; what is not given lets all pass. Raises BadCursor."""
    here = slice_of(NEWEST_FIRST, descending=True, limit=limit, cursor=cursor)
    given = {
        "t.workspace_id = %(workspace_id)s": workspace_id,
        "t.cluster_id = %(cluster_id)s": cluster_id,
        "t.status = any(%(statuses)s)": statuses,
        "t.kind = any(%(kinds)s)": kinds,
    }
    parameters = {
        "workspace_id": workspace_id,
        "cluster_id": cluster_id,
        "statuses": [str(status) for status in statuses],
        "kinds": [str(kind) for kind in kinds],
        **here.parameters,
    }
    condition = " and ".join([*(sql for sql, value in given.items() if value), here.condition("t")])
    found = await reader.rows(
        f"{SHOWN} where {condition} order by {here.order('t')} limit %(fetch)s", parameters
    )
    return here.page(found)


async def count_by_task_status(
    reader: Reader, *, workspace_id: UUID | None = None
) -> dict[str, int]:
    """How many tasks there are by status, of one workspace or of all."""
    counted = await reader.rows(
        "select status, count(*) as n from tasks"
        " where %(workspace_id)s::uuid is null or workspace_id = %(workspace_id)s group by status",
        {"workspace_id": workspace_id},
    )
    return {row["status"]: row["n"] for row in counted}


async def unfinished_tasks(reader: Reader) -> list[UUID]:
    """The ids of the tasks that are not over, oldest first."""
    found = await reader.rows(
        "select task_id from tasks where ended_at is null order by created_at, task_id limit 1000"
    )
    return [UUID(row["task_id"]) for row in found]

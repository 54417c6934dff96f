"""How much happened in each minute: what stands on the time rail."""

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from domain.clusters import ClusterOperationFailed, ClusterRenderFailed
from domain.model import Event, Recorded
from domain.tasks import TaskFailed, TaskLost
from projections.projection import Change, Projection, Rows, Table
from projections.reader import Reader, Shown

FAILURES = (ClusterOperationFailed, ClusterRenderFailed, TaskFailed, TaskLost)
NO_WORKSPACE = UUID(int=0)
"""Stands in the key for what happened in no workspace."""

table = Table(
    "activity",
    {
        "workspace_id": "uuid",
        "minute": "timestamptz",
        "changes": "integer",
        "failures": "integer",
    },
    key=["workspace_id", "minute"],
    indexes=["(minute)"],
    as_of="minute <= %(moment)s",
)
activity = Projection("activity", 1, [table])


def is_failure(event: Event) -> bool:
    """Whether the event tells that something went wrong."""
    return isinstance(event, FAILURES)


@activity.when
def happened(event: Event, recorded: Recorded, rows: Rows) -> Iterator[Change]:
    workspace_id = recorded.metadata.workspace_id or NO_WORKSPACE
    minute = recorded.recorded_at.replace(second=0, microsecond=0)
    before = rows.of(table, workspace_id, minute) or {"changes": 0, "failures": 0}
    yield table.put(
        workspace_id,
        minute,
        changes=before["changes"] + 1,
        failures=before["failures"] + is_failure(event),
    )


async def activity_between(
    reader: Reader,
    since: datetime,
    until: datetime,
    bucket_seconds: int,
    *,
    workspace_id: UUID | None = None,
) -> list[Shown]:
    """`at`, `changes` and `failures` of each bucket in which something happened, in order.

    Buckets of whole minutes count from `since`; of one workspace, or of all.
    """
    return await reader.rows(
        "select date_bin(make_interval(secs => %(bucket)s), minute, %(since)s) as at,"
        " sum(changes)::int as changes, sum(failures)::int as failures from activity"
        " where minute >= %(since)s and minute < %(until)s"
        " and (%(workspace_id)s::uuid is null or workspace_id = %(workspace_id)s)"
        " group by 1 order by 1",
        {
            "since": since,
            "until": until,
            "bucket": bucket_seconds,
            "workspace_id": workspace_id,
        },
    )


async def activity_of(
    reader: Reader, subject_id: UUID, since: datetime, until: datetime, bucket_seconds: int
) -> list[Shown]:
    """The same for one thing and what belongs to it, to the second."""
    return await reader.rows(
        "select date_bin(make_interval(secs => %(bucket)s), recorded_at, %(since)s) as at,"
        " count(*)::int as changes, count(*) filter (where is_failure)::int as failures"
        " from history where stream_id in (select stream_id from subjects"
        " where belongs_to = %(id)s union all select %(id)s::uuid)"
        " and recorded_at >= %(since)s and recorded_at < %(until)s group by 1 order by 1",
        {"since": since, "until": until, "bucket": bucket_seconds, "id": subject_id},
    )

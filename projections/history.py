"""Everything that happened, one row an event: the audit, and the history of each thing."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from domain.model import Event, Recorded, Value
from domain.secrets import MASK, Secret
from projections.activity import is_failure
from projections.projection import Change, Projection, Table
from projections.reader import Page, Reader, Shown, rfc3339, slice_of, visible

table = Table(
    "history",
    {
        "position": "bigint",
        "stream_id": "uuid",
        "version": "bigint",
        "topic": "text",
        "recorded_at": "timestamptz",
        "user_type": "text",
        "user_id": "uuid",
        "user_name": "text",
        "workspace_id": "uuid",
        "workspace_slug": "text",
        "remote_address": "text",
        "request_id": "text",
        "pid": "integer",
        "correlation_id": "uuid",
        "causation_id": "uuid",
        "command_id": "text",
        "auditable_type": "text",
        "action": "text",
        "audited_changes": "jsonb",
        "is_failure": "boolean",
    },
    key=["position"],
    indexes=[
        "(stream_id, position)",
        "(workspace_id, position)",
        "(user_name, position)",
        "(correlation_id, position) where correlation_id is not null",
        "(auditable_type, position) where auditable_type is not null",
        "(recorded_at, position)",
    ],
    as_of="position <= %(position)s",
)
history = Projection("history", 1, [table])


@history.when
def happened(event: Event, recorded: Recorded) -> Iterator[Change]:
    metadata, audited = recorded.metadata, event.audited()
    yield table.put(
        recorded.position,
        stream_id=recorded.stream_id,
        version=recorded.version,
        topic=event.topic,
        recorded_at=recorded.recorded_at,
        user_type=metadata.actor.type,
        user_id=metadata.actor.id,
        user_name=metadata.actor.name,
        workspace_id=metadata.workspace_id,
        workspace_slug=metadata.workspace,
        remote_address=metadata.remote_address,
        request_id=metadata.request_id,
        pid=metadata.pid,
        correlation_id=metadata.correlation_id,
        causation_id=metadata.causation_id,
        command_id=metadata.command_id,
        auditable_type=audited.auditable_type if audited else None,
        action=audited.action if audited else None,
        audited_changes=_plain(audited.audited_changes) if audited else None,
        is_failure=is_failure(event),
    )


def _plain(value: Any) -> Any:
    """The value as JSON knows it; a secret is masked."""
    match value:
        case datetime():
            return rfc3339(value)
        case Secret():
            return MASK
        case Value():
            return {name: _plain(field) for name, field in value}
        case Mapping():
            return {str(name): _plain(item) for name, item in value.items()}
        case list() | tuple():
            return [_plain(item) for item in value]
    return value


SHOWN = """
    select h.position, h.recorded_at as time, h.topic, h.stream_id, h.version,
           h.user_type, h.user_id, h.user_name, h.remote_address, h.request_id, h.pid,
           h.workspace_id, h.workspace_slug, h.correlation_id, h.causation_id, h.command_id,
           h.auditable_type, case when h.auditable_type is not null then h.stream_id end
               as auditable_id, h.action, h.audited_changes,
           s.kind, coalesce(s.name, whole.name) as name, s.belongs_to, h.is_failure,
           h.position as _position
    from history h left join subjects s on s.stream_id = h.stream_id
    left join subjects whole on whole.stream_id = s.belongs_to and s.name is null
"""
"""A row as JSON. `kind` and `name` say what it is about, `belongs_to` of what
that is a part, whose name it has when it has none of its own;
`action`, `auditable_type` and `audited_changes` are null for an event that the audit leaves out."""

BY_POSITION = (("position", "bigint"),)


@dataclass(frozen=True, slots=True)
class HistoryFilter:
    """Which rows; a field that is not given lets all pass. `subject_id` is a stream, with what
    belongs to it: a cluster's history has its tasks and settings."""

    workspace_id: UUID | None = None
    subject_id: UUID | None = None
    user_name: str | None = None
    user_type: str | None = None
    auditable_types: Collection[str] = ()
    actions: Collection[str] = ()
    topics: Collection[str] = ()
    since: datetime | None = None
    until: datetime | None = None
    correlation_id: UUID | None = None
    only_audited: bool = False
    only_failures: bool = False

    def condition(self) -> str:
        """The SQL of it over `history h`; its parameters are `parameters()`."""
        given = {
            "h.workspace_id = %(workspace_id)s": self.workspace_id,
            "h.stream_id in (select stream_id from subjects where belongs_to = %(subject_id)s"
            " union all select %(subject_id)s::uuid)": self.subject_id,
            "h.user_name = %(user_name)s": self.user_name,
            "h.user_type = %(user_type)s": self.user_type,
            "h.auditable_type = any(%(auditable_types)s)": self.auditable_types,
            "h.action = any(%(actions)s)": self.actions,
            "h.topic = any(%(topics)s)": self.topics,
            f"h.position >= {_first_at('since')}": self.since,
            f"h.position < {_first_at('until')}": self.until,
            "h.correlation_id = %(correlation_id)s": self.correlation_id,
            "h.action is not null": self.only_audited,
            "h.is_failure": self.only_failures,
        }
        return " and ".join(sql for sql, value in given.items() if value) or "true"

    def parameters(self) -> dict[str, Any]:
        return {
            "workspace_id": self.workspace_id,
            "subject_id": self.subject_id,
            "user_name": self.user_name,
            "user_type": self.user_type,
            "auditable_types": list(self.auditable_types),
            "actions": list(self.actions),
            "topics": list(self.topics),
            "since": self.since,
            "until": self.until,
            "correlation_id": self.correlation_id,
        }


def _first_at(moment: str) -> str:
    """The SQL of the first position at or after a parameter: times rise with positions."""
    first = (
        f"select position from history where recorded_at >= %({moment})s"
        " order by recorded_at, position limit 1"
    )
    return f"coalesce(({first}), {2**62})"


async def history_where(
    reader: Reader,
    where: HistoryFilter,
    *,
    limit: int | None = 100,
    cursor: str | None = None,
    oldest_first: bool = False,
) -> Page:
    """What happened, newest first unless asked otherwise. Raises BadCursor."""
    here = slice_of(BY_POSITION, descending=not oldest_first, limit=limit, cursor=cursor)
    found = await reader.rows(
        f"{SHOWN} where {where.condition()} and {here.condition('h')}"
        f" order by {here.order('h')} limit %(fetch)s",
        where.parameters() | here.parameters,
    )
    return here.page(found)


async def history_row(reader: Reader, position: int) -> Shown | None:
    """What happened at a position."""
    found = await reader.row(f"{SHOWN} where h.position = %(at)s", {"at": position})
    return visible(found) if found else None


async def who_acted(reader: Reader, *, workspace_id: UUID | None = None) -> list[Shown]:
    """Everyone who did something, by name, with how often and when last."""
    return await reader.rows(
        "select user_type, user_name, count(*) as acts, max(recorded_at) as last_at from history"
        " where action is not null"
        " and (%(workspace_id)s::uuid is null or workspace_id = %(workspace_id)s)"
        " group by user_type, user_name order by user_name nulls last, user_type",
        {"workspace_id": workspace_id},
    )

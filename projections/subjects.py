"""What each stream is about: its kind, its name, its workspace, and the thing it belongs to."""

from collections.abc import Iterator
from uuid import UUID

from domain.auth_tokens import AuthTokenCreated
from domain.cluster_settings import ClusterSettingsCreated
from domain.cluster_templates import ClusterTemplateChanged, ClusterTemplateCreated
from domain.clusters import ClusterCreated, ClusterRenamed
from domain.model import Recorded
from domain.tasks import TaskQueued
from domain.users import SessionStarted, UserRegistered
from domain.workspaces import WorkspaceCreated, WorkspaceRenamed
from projections.projection import Change, Projection, Table
from projections.reader import Reader, Shown, containing

table = Table(
    "subjects",
    {
        "stream_id": "uuid",
        "kind": "text",
        "name": "text",
        "workspace_id": "uuid",
        "belongs_to": "uuid",
    },
    key=["stream_id"],
    indexes=["(belongs_to) where belongs_to is not null", "(workspace_id, kind, name)"],
)
subjects = Projection("subjects", 1, [table])


@subjects.when
def workspace_created(event: WorkspaceCreated, recorded: Recorded) -> Iterator[Change]:
    workspace_id = recorded.stream_id
    yield table.put(workspace_id, kind="Workspace", name=event.name, workspace_id=workspace_id)


@subjects.when
def template_created(event: ClusterTemplateCreated, recorded: Recorded) -> Iterator[Change]:
    yield table.put(
        recorded.stream_id,
        kind="ClusterTemplate",
        name=event.name,
        workspace_id=event.workspace_id,
    )


@subjects.when
def cluster_created(event: ClusterCreated, recorded: Recorded) -> Iterator[Change]:
    yield table.put(
        recorded.stream_id, kind="Cluster", name=event.name, workspace_id=event.workspace_id
    )


@subjects.when
def settings_created(event: ClusterSettingsCreated, recorded: Recorded) -> Iterator[Change]:
    yield table.put(
        recorded.stream_id,
        kind="ClusterSettings",
        workspace_id=recorded.metadata.workspace_id,
        belongs_to=event.cluster_id,
    )


@subjects.when
def task_queued(event: TaskQueued, recorded: Recorded) -> Iterator[Change]:
    yield table.put(
        recorded.stream_id,
        kind="Task",
        name=event.kind,
        workspace_id=event.workspace_id,
        belongs_to=event.cluster_id,
    )


@subjects.when
def token_created(event: AuthTokenCreated, recorded: Recorded) -> Iterator[Change]:
    yield table.put(
        recorded.stream_id, kind="AuthToken", name=event.name, workspace_id=event.workspace_id
    )


@subjects.when
def user_registered(event: UserRegistered, recorded: Recorded) -> Iterator[Change]:
    yield table.put(recorded.stream_id, kind="User", name=event.name)


@subjects.when
def session_started(event: SessionStarted, recorded: Recorded) -> Iterator[Change]:
    yield table.put(
        recorded.stream_id, kind="Session", name=event.user_name, belongs_to=event.user_id
    )


@subjects.when
def renamed(
    event: WorkspaceRenamed | ClusterRenamed | ClusterTemplateChanged, recorded: Recorded
) -> Iterator[Change]:
    yield table.patch(recorded.stream_id, name=event.name)


async def subjects_called(
    reader: Reader, text: str, *, workspace_id: UUID | None = None, limit: int = 20
) -> list[Shown]:
    """What has a name that contains the text, those that begin with it first."""
    return await reader.rows(
        "select stream_id as id, kind, name, workspace_id from subjects"
        " where kind in ('Workspace', 'Cluster', 'ClusterTemplate') and name ilike %(pattern)s"
        " and (%(workspace_id)s::uuid is null or workspace_id = %(workspace_id)s)"
        " order by position(lower(%(text)s) in lower(name)), name, stream_id limit %(limit)s",
        {
            "text": text,
            "pattern": containing(text),
            "workspace_id": workspace_id,
            "limit": limit,
        },
    )

"""What the API's answers look like: the fields that clients may count on."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import Field

from domain.clusters import ClusterStatus
from domain.model import Value
from domain.tasks import TaskStatus
from domain.values import ChangeMode, OperationKind


class Fault(Value):
    detail: str
    pointer: str = Field(
        description="JSON pointer into the body, ?name of a parameter, or a header's name."
    )


class Problem(Value):
    """RFC 9457, with our code in `error`."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    request_id: str | None
    error: str
    errors: list[Fault] = []


class WorkspaceSettings(Value):
    change_mode: ChangeMode
    check_interval: int = Field(description="Minutes.")


class Workspace(Value):
    id: UUID
    name: str
    slug: str
    settings: WorkspaceSettings
    created_at: datetime
    updated_at: datetime


class Section(Value):
    name: str
    format: Literal["yaml", "text"]
    source: str


class SectionReference(Value):
    """A section's text is at the version's own address."""

    name: str
    format: Literal["yaml", "text"]
    size: int = Field(description="Bytes.")
    digest: str


class TemplateVersion(Value):
    id: UUID
    cluster_template_id: UUID
    name: str
    comment: str
    version: str
    params: list[dict[str, Any]]
    sections: list[SectionReference]
    is_withdrawn: bool
    created_at: datetime
    created_by: str | None


class TemplateVersionText(TemplateVersion):
    sections: list[Section]  # type: ignore[assignment]


class ClusterTemplateListed(Value):
    id: UUID
    workspace_id: UUID
    name: str
    comment: str
    current_revision: int
    immutable: bool
    current_cluster_template_version_id: UUID | None
    cluster_template_versions: list[TemplateVersion]
    created_at: datetime
    updated_at: datetime
    archived_at: datetime | None
    archive_number: str | None


class ClusterTemplate(ClusterTemplateListed):
    """With the parameters and the sections of its newest version, so that it can be sent back."""

    params: list[dict[str, Any]]
    sections: list[Section]


class ClusterListed(Value):
    id: UUID
    workspace_id: UUID
    name: str
    status: ClusterStatus
    current_revision: int
    cluster_template_id: UUID
    cluster_template_version_id: UUID
    cluster_template_name: str | None
    cluster_template_version: str | None
    is_on_current_version: bool | None
    registry_id: UUID | None
    was_created: bool
    is_broken: bool
    has_drifted: bool
    has_pending_changes: bool
    task_id: UUID | None
    task_kind: OperationKind | None
    last_change_at: datetime | None
    last_change_by: str | None
    last_change_by_type: str | None
    last_change: str | None
    last_change_detail: str | None
    created_at: datetime
    updated_at: datetime
    archived_at: datetime | None
    archive_number: str | None
    position: int


class RenderError(Value):
    section: str
    detail: str
    line: int | None = None
    column: int | None = None


class HostKey(Value):
    host: str
    port: int
    fingerprint: str


class ClusterSettings(Value):
    id: UUID
    change_mode: ChangeMode
    check_interval: int = Field(description="Minutes.")


class Cluster(Value):
    """Passwords among the `values` are masked; the mask, sent back, keeps the password."""

    id: UUID
    workspace_id: UUID
    name: str
    status: ClusterStatus
    current_revision: int
    values: dict[str, Any]
    cluster_template_id: UUID
    cluster_template_version_id: UUID
    cluster_template_version_switched_at: datetime | None
    cluster_template_name: str | None
    cluster_template_version: str | None
    is_on_current_version: bool | None
    registry_id: UUID | None
    registry_mode: str | None
    created_at: datetime
    updated_at: datetime
    archived_at: datetime | None
    archive_number: str | None
    was_created: bool
    is_locked: bool
    cluster_type: str | None
    agent_status: str | None
    agent_api_key: None
    cluster_configuration_applied_at: datetime | None
    cluster_configuration_checked_at: datetime | None
    cluster_configuration_updated_at: datetime | None
    resources_sync_state: str
    resources_state_results: list[Any]
    resources_checked_at: datetime | None
    resources_applied_at: datetime | None
    init_configuration_rendered: str | None
    init_resources_rendered: str | None
    dhctl_configuration_rendered: str | None
    applied_cluster_configuration_rendered: str | None
    applied_provider_specific_cluster_configuration_rendered: str | None
    applied_resources_rendered: str | None
    desired_cluster_configuration_rendered: str | None
    desired_provider_specific_cluster_configuration_rendered: str | None
    desired_resources_rendered: str | None
    sections_rendered: dict[str, str]
    applied_sections_rendered: dict[str, str]
    render_errors: list[RenderError]
    connection_hosts: dict[str, Any]
    cluster_agent_data: list[Any]
    has_drifted: bool
    has_pending_changes: bool
    rendering: int
    applied_rendering: int
    rendered_at: datetime | None
    is_as_declared: bool | None
    check_detail: str | None
    failed_at: datetime | None
    failure: str | None
    task_id: UUID | None
    task_kind: OperationKind | None
    ssh_public_key: str
    host_keys: list[HostKey]
    settings: ClusterSettings | None
    last_change_at: datetime | None
    last_change_by: str | None
    last_change_by_type: str | None
    last_change: str | None
    last_change_detail: str | None
    position: int


class Phase(Value):
    phase: str
    is_critical: bool | None
    is_skipped: bool | None
    started_at: datetime | None
    ended_at: datetime | None


class Task(Value):
    id: UUID
    workspace_id: UUID
    cluster_id: UUID
    cluster_name: str
    kind: OperationKind
    status: TaskStatus
    rendering: int
    manager: str | None
    attempts: int
    phase: str | None
    phase_is_critical: bool | None
    plan: list[str]
    phases: list[Phase]
    cancel_requested: bool
    reason: str | None
    created_at: datetime
    created_by: str | None
    created_by_type: str | None
    started_at: datetime | None
    ended_at: datetime | None
    position: int


class LogLine(Value):
    number: int
    at: datetime
    phase: str
    stream: str
    text: str


class HistoryRow(Value):
    """What happened; `kind` and `name` say to what, `belongs_to` of what that is a part."""

    position: int
    time: datetime
    topic: str
    stream_id: UUID
    version: int
    user_type: str | None
    user_id: UUID | None
    user_name: str | None
    remote_address: str | None
    request_id: str | None
    pid: int | None
    workspace_id: UUID | None
    workspace_slug: str | None
    correlation_id: UUID | None
    causation_id: UUID | None
    command_id: str | None
    auditable_type: str | None
    auditable_id: UUID | None
    action: str | None
    audited_changes: dict[str, Any] | None
    kind: str | None
    name: str | None
    belongs_to: UUID | None
    is_failure: bool


class AuthToken(Value):
    id: UUID
    name: str
    scope: Literal["global", "workspace"]
    workspace_id: UUID | None
    read_only: bool
    hint: str
    created_at: datetime
    created_by: str | None
    expires_at: datetime | None
    revoked_at: datetime | None


class NewAuthToken(AuthToken):
    token: str | None = Field(description="Shown once; null when the request is repeated.")


class EventActor(Value):
    type: str | None
    id: UUID | None
    name: str | None


class ToldEvent(Value):
    """The `data` of a server-sent event."""

    position: int
    id: UUID
    stream_id: UUID
    version: int
    topic: str
    recorded_at: datetime
    workspace_id: UUID | None
    workspace: str | None
    actor: EventActor
    remote_address: str | None
    request_id: str | None
    correlation_id: UUID | None
    causation_id: UUID | None
    event: dict[str, Any]


class LogReader(Value):
    """A projection or a delivery that follows the log."""

    name: str
    kind: str
    version: int | None
    position: int
    lag_seconds: float | None
    parked: int


class ParkedEvent(Value):
    """An event that a reader could not show or send, and went past."""

    reader: str
    position: int
    topic: str | None
    reason: str
    tries: int | None
    parked_at: datetime
    name: str | None
    can_retry: bool


class Process(Value):
    kind: str
    name: str
    seen_at: datetime | None
    detail: str | None
    is_alive: bool


class System(Value):
    """`faults` are the reasons why this process cannot serve just now."""

    instance: str
    version: str
    time: datetime
    position: int
    readers: list[LogReader]
    parked: list[ParkedEvent]
    processes: list[Process]
    faults: list[str]


class Accepted(Value):
    """The command took effect; the read models do not show it yet."""

    id: UUID | None
    position: int


def read_only(shape: type[Value], *written: str) -> frozenset[str]:
    """The fields of a shape that clients read back and that no command takes."""
    return frozenset(shape.model_fields) - frozenset(written)

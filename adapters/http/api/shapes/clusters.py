"""Clusters as the API shows them: in a list and alone."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import Field

from domain.clusters import ClusterStatus
from domain.model import Value
from domain.values import ChangeMode, ConnectionHost, OperationKind


class ConnectionHosts(Value):
    masters: list[ConnectionHost]


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
    connection_hosts: ConnectionHosts
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
    is_locked: bool = Field(description="Whether a task is at work on it.")
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
    connection_hosts: ConnectionHosts
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

"""A task as the API shows it, with its phases and its log."""

from datetime import datetime
from uuid import UUID

from domain.model import Value
from domain.tasks import TaskStatus
from domain.values import OperationKind


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

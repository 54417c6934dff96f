"""A line of the audit as the API shows it."""

from datetime import datetime
from typing import Any
from uuid import UUID

from domain.model import Value


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

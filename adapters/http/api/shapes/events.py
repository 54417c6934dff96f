"""An event as the API tells it while it happens."""

from datetime import datetime
from typing import Any
from uuid import UUID

from domain.model import Value


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

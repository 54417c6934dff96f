"""A token as the API shows it: with its word only when it is made."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import Field

from domain.model import Value


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

"""A workspace as the API shows it."""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from domain.model import Value
from domain.values import ChangeMode


class WorkspaceSettingsShown(Value):
    change_mode: ChangeMode
    check_interval: int = Field(description="Minutes.")
    install_on_create: bool = Field(description="Whether a new cluster is installed at once.")


class Workspace(Value):
    id: UUID
    name: str
    slug: str
    settings: WorkspaceSettingsShown
    created_at: datetime
    updated_at: datetime

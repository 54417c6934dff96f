"""Templates as the API shows them: in a list, alone, and one version of them."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import Field

from domain.model import Value


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

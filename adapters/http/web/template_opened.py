"""A template with the version of it that is looked at, and how many clusters each version has."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from uuid import UUID

from adapters.http.web.visit import Visit
from domain.model import NotFound
from projections.cluster_list import ClusterFilter, count_by_status
from projections.cluster_templates import template as template_by_id
from projections.reader import Shown


@dataclass(frozen=True, slots=True)
class Opened:
    """The template and version that a page is open on; both None for a new template."""

    template: Shown | None = None
    version: Shown | None = None
    clusters: Mapping[str, int] = field(default_factory=dict)
    """How many clusters each version has, by its id."""

    @property
    def next_number(self) -> int:
        return len(self.template["cluster_template_versions"]) + 1 if self.template else 1

    @property
    def is_current(self) -> bool:
        if self.template is None or self.version is None:
            return True
        current = self.template["current_cluster_template_version_id"]
        return bool(self.version["id"] == current)


async def opened(visit: Visit, version_id: str = "") -> Opened:
    """The template of the address, at this version or its current one. Raises NotFound."""
    template_id = visit.path_id("template_id")
    template = await template_by_id(visit.reader, visit.workspace_id, template_id)
    if template is None:
        raise NotFound(f"There is no template {template_id} in {visit.workspace['name']}.")
    versions: list[Shown] = template["cluster_template_versions"]
    wanted = version_id or template["current_cluster_template_version_id"]
    version = next((each for each in versions if each["id"] == wanted), None)
    if version is None and version_id:
        raise NotFound(f"{template['name']} has no version {version_id[:60]}.")
    clusters = {
        each["id"]: await count(visit, ClusterFilter(template_version_id=UUID(each["id"])))
        for each in versions
    }
    return Opened(template, version, clusters)


async def count(visit: Visit, where: ClusterFilter) -> int:
    """How many clusters outside the archive there are of these."""
    living = replace(where, workspace_id=visit.workspace_id, without_archived=True)
    return sum((await count_by_status(visit.reader, living)).values())

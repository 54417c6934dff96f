"""What is claimed, told again by the log: the table of claims can be rebuilt from the events."""

from collections.abc import Iterable
from uuid import UUID

from application.cluster_templates import template_name_key, version_key
from application.tasks import cluster_name_key
from application.workspaces import slug_key
from domain.cluster_templates import (
    ClusterTemplateArchived,
    ClusterTemplateChanged,
    ClusterTemplateCreated,
    ClusterTemplateVersionAdded,
)
from domain.clusters import ClusterArchived, ClusterCreated, ClusterRenamed
from domain.model import Recorded
from domain.workspaces import WorkspaceCreated


def claims_of(log: Iterable[Recorded]) -> dict[str, UUID]:
    """Each claimed key with its holder, after these records of the log from its beginning on."""
    held = _Held()
    for recorded in log:
        held.see(recorded)
    return held.claims


class _Held:
    def __init__(self) -> None:
        self.claims: dict[str, UUID] = {}
        self._names: dict[UUID, str] = {}
        self._workspaces: dict[UUID, UUID] = {}

    def see(self, recorded: Recorded) -> None:
        stream_id = recorded.stream_id
        match recorded.event:
            case WorkspaceCreated(slug=slug):
                self.claims[slug_key(slug)] = stream_id
            case ClusterCreated(workspace_id=workspace_id, name=name):
                self._workspaces[stream_id] = workspace_id
                self._name(stream_id, cluster_name_key(workspace_id, name))
            case ClusterRenamed(name=name):
                self._name(stream_id, cluster_name_key(self._workspaces[stream_id], name))
            case ClusterTemplateCreated(workspace_id=workspace_id, name=name):
                self._workspaces[stream_id] = workspace_id
                self._name(stream_id, template_name_key(workspace_id, name))
            case ClusterTemplateChanged(name=name):
                self._name(stream_id, template_name_key(self._workspaces[stream_id], name))
            case ClusterTemplateVersionAdded(version_id=version_id):
                self.claims[version_key(version_id)] = stream_id
            case ClusterArchived() | ClusterTemplateArchived():
                del self.claims[self._names.pop(stream_id)]

    def _name(self, stream_id: UUID, key: str) -> None:
        """One stream has one name: the one before is free again."""
        before = self._names.pop(stream_id, None)
        if before is not None:
            del self.claims[before]
        self._names[stream_id] = key
        self.claims[key] = stream_id

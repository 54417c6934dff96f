"""What is claimed, told again by the log: the table of claims can be rebuilt from the events."""

from collections.abc import Collection, Iterable
from uuid import UUID

from application.cluster_templates import template_name_key, version_key
from application.tasks import cluster_name_key
from application.unique_values import Params, unique_values
from application.workspaces import slug_key
from domain.cluster_templates import (
    ClusterTemplateArchived,
    ClusterTemplateChanged,
    ClusterTemplateCreated,
    ClusterTemplateVersionAdded,
)
from domain.clusters import (
    ClusterArchived,
    ClusterConfigured,
    ClusterCreated,
    ClusterRenamed,
    Configuration,
)
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
        self._values: dict[UUID, Collection[str]] = {}
        self._params: dict[UUID, Params] = {}
        self._workspaces: dict[UUID, UUID] = {}

    def see(self, recorded: Recorded) -> None:
        stream_id = recorded.stream_id
        match recorded.event:
            case WorkspaceCreated(slug=slug):
                self.claims[slug_key(slug)] = stream_id
            case ClusterCreated(workspace_id=workspace_id, name=name, configuration=configuration):
                self._workspaces[stream_id] = workspace_id
                self._name(stream_id, cluster_name_key(workspace_id, name))
                self._value(stream_id, configuration)
            case ClusterConfigured(configuration=configuration):
                self._value(stream_id, configuration)
            case ClusterRenamed(name=name):
                self._name(stream_id, cluster_name_key(self._workspaces[stream_id], name))
            case ClusterTemplateCreated(workspace_id=workspace_id, name=name):
                self._workspaces[stream_id] = workspace_id
                self._name(stream_id, template_name_key(workspace_id, name))
            case ClusterTemplateChanged(name=name):
                self._name(stream_id, template_name_key(self._workspaces[stream_id], name))
            case ClusterTemplateVersionAdded(version_id=version_id, params=params):
                self.claims[version_key(version_id)] = stream_id
                self._params[version_id] = params
            case ClusterArchived() | ClusterTemplateArchived():
                del self.claims[self._names.pop(stream_id)]
                self._forget_values(stream_id)

    def _name(self, stream_id: UUID, key: str) -> None:
        """One stream has one name: the one before is free again."""
        before = self._names.pop(stream_id, None)
        if before is not None:
            del self.claims[before]
        self._names[stream_id] = key
        self.claims[key] = stream_id

    def _value(self, stream_id: UUID, configuration: Configuration) -> None:
        """A cluster has the unique values of its newest configuration, and no others."""
        self._forget_values(stream_id)
        held = unique_values(configuration, self._params[configuration.template_version_id])
        self._values[stream_id] = held
        self.claims.update(dict.fromkeys(held, stream_id))

    def _forget_values(self, stream_id: UUID) -> None:
        for key in self._values.pop(stream_id, ()):
            del self.claims[key]

"""What happens to a cluster, in the order of its life."""

from datetime import datetime
from typing import Any
from uuid import UUID

from domain.clusters.configuration import Configuration, RenderError, differences
from domain.clusters.statuses import ClusterStatus
from domain.model import Action, Audited, Event
from domain.secrets import Secret
from domain.values import ClusterName, ConnectionHost, DocumentRef, OperationKind, host_and_port


class ClusterCreated(Event, topic="cluster.created"):
    workspace_id: UUID
    name: ClusterName
    configuration: Configuration
    registry_id: UUID | None = None
    ssh_public_key: str
    ssh_private_key: Secret
    install: bool = False
    """Whether it is to be installed as soon as its configuration renders."""

    def audited(self) -> Audited:
        return _audited(Action.CREATE, {"name": self.name, "archived_at": None})


class ClusterRenamed(Event, topic="cluster.renamed"):
    name: ClusterName
    previous_name: ClusterName

    def audited(self) -> Audited:
        return _audited(Action.UPDATE, {"name": [self.previous_name, self.name]})


class ClusterRegistryChosen(Event, topic="cluster.registry_chosen"):
    """Where its releases come from; None says nothing about it."""

    registry_id: UUID | None
    previous: UUID | None

    def audited(self) -> Audited:
        before, after = (each and str(each) for each in (self.previous, self.registry_id))
        return _audited(Action.UPDATE, {"registry_id": [before, after]})


class ClusterConfigured(Event, topic="cluster.configured"):
    configuration: Configuration
    previous: Configuration

    def audited(self) -> Audited:
        return _audited(Action.UPDATE, dict(differences(self.previous, self.configuration)))


class ClusterRendered(Event, topic="cluster.rendered"):
    """The configuration gave these texts; `rendering` counts them from 1."""

    rendering: int
    sections: dict[str, DocumentRef]
    engine: str
    masters: tuple[ConnectionHost, ...] = ()


class ClusterRenderFailed(Event, topic="cluster.render_failed"):
    errors: tuple[RenderError, ...]
    engine: str

    def audited(self) -> Audited:
        return _audited(Action.UPDATE, {"render_errors": [[], [e.detail for e in self.errors]]})


class ClusterOperationRequested(Event, topic="cluster.operation_requested"):
    """A task was queued that will touch the infrastructure."""

    task_id: UUID
    kind: OperationKind
    previous_status: ClusterStatus
    status: ClusterStatus

    def audited(self) -> Audited:
        changes: dict[str, Any] = {"task": [None, f"{self.kind} {self.task_id}"]}
        if self.previous_status != self.status:
            changes["status"] = [self.previous_status, self.status]
        return _audited(Action.UPDATE, changes)


class ClusterOperationStarted(Event, topic="cluster.operation_started"):
    task_id: UUID
    kind: OperationKind


class ClusterHostKeyPinned(Event, topic="cluster.host_key_pinned"):
    """First contact with a host: from now on only this key is accepted for it."""

    host: str
    port: int
    key: str
    fingerprint: str

    def audited(self) -> Audited:
        return _audited(
            Action.UPDATE,
            {f"host_keys.{host_and_port(self.host, self.port)}": [None, self.fingerprint]},
        )


class ClusterHostKeyForgotten(Event, topic="cluster.host_key_forgotten"):
    """A person says that a host has a new key; the next contact pins it."""

    host: str
    port: int
    fingerprint: str

    def audited(self) -> Audited:
        return _audited(
            Action.UPDATE,
            {f"host_keys.{host_and_port(self.host, self.port)}": [self.fingerprint, None]},
        )


class ClusterApplied(Event, topic="cluster.applied"):
    """An install or a change ended well: this rendering is what the machines have."""

    task_id: UUID
    kind: OperationKind
    rendering: int
    sections: dict[str, DocumentRef] = {}
    previous_status: ClusterStatus
    status: ClusterStatus

    def audited(self) -> Audited:
        return _audited(Action.UPDATE, {"status": [self.previous_status, self.status]})


class ClusterChecked(Event, topic="cluster.checked"):
    """A check found the machines as declared, or says what differs."""

    task_id: UUID
    in_sync: bool
    detail: str = ""
    previous_status: ClusterStatus
    status: ClusterStatus

    def audited(self) -> Audited | None:
        if self.previous_status == self.status:
            return None
        return _audited(Action.UPDATE, {"status": [self.previous_status, self.status]})


class ClusterOperationFailed(Event, topic="cluster.operation_failed"):
    task_id: UUID
    kind: OperationKind
    reason: str
    previous_status: ClusterStatus
    status: ClusterStatus

    def audited(self) -> Audited:
        changes = {"status": [self.previous_status, self.status], "error": [None, self.reason]}
        return _audited(Action.UPDATE, changes)


class ClusterStateSaved(Event, topic="cluster.state_saved"):
    """What the installer will want back at the next operation, base64 by name."""

    task_id: UUID
    state: dict[str, Secret]


class ClusterDeletionWanted(Event, topic="cluster.deletion_wanted"):
    """Its deletion was asked for while a task was at work, and begins when that is over.

    `forget`: nothing that was installed will be touched.
    """

    forget: bool
    previous_status: ClusterStatus
    status: ClusterStatus

    def audited(self) -> Audited:
        changes: dict[str, Any] = {"deletion": [None, "forget" if self.forget else "destroy"]}
        if self.previous_status != self.status:
            changes["status"] = [self.previous_status, self.status]
        return _audited(Action.UPDATE, changes)


class ClusterArchived(Event, topic="cluster.archived"):
    archived_at: datetime
    archive_number: str
    task_id: UUID | None = None

    def audited(self) -> Audited:
        return _audited(Action.UPDATE, {"archived_at": [None, self.archived_at]})


def _audited(action: Action, changes: dict[str, Any]) -> Audited:
    return Audited(auditable_type="Cluster", action=action, audited_changes=changes)

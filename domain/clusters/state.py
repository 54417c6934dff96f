"""A cluster's state, what it answers, and what each event makes of it: nothing here refuses."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Self, TypeVar
from uuid import UUID

from domain.clusters import events
from domain.clusters.configuration import Configuration, RenderError
from domain.clusters.statuses import (
    LEAVING,
    LOOKED_AT,
    UNDER_WAY,
    ClusterStatus,
    Deletion,
    Found,
)
from domain.model import Aggregate, Event, OutOfOrder
from domain.secrets import Secret
from domain.values import DocumentRef, OperationKind, host_and_port


class ClusterState(Aggregate):
    """The fold of a cluster's events. `rendering` and `applied` count renderings from 1."""

    evolution = 3

    workspace_id: UUID
    name: str
    configuration: Configuration
    registry_id: UUID | None
    ssh_public_key: str
    ssh_private_key: Secret
    install: bool = False
    """Whether it is installed as soon as it can be; asked for once."""
    status: ClusterStatus = ClusterStatus.NEW
    revision: int = 1
    rendering: int = 0
    sections: dict[str, DocumentRef] = {}
    render_errors: tuple[RenderError, ...] = ()
    applied: int = 0
    applied_sections: dict[str, DocumentRef] = {}
    was_created: bool = False
    has_drifted: bool = False
    failed: OperationKind | None = None
    """What failed last, if nothing went well since."""
    task_id: UUID | None = None
    deletion: Deletion | None = None
    """What begins when the task is over."""
    installer_state: dict[str, Secret] = {}
    host_keys: dict[str, str] = {}
    host_fingerprints: dict[str, str] = {}
    archived_at: datetime | None = None

    @property
    def has_pending_changes(self) -> bool:
        differs = self.rendering != self.applied or self.has_drifted
        return self.was_created and not self.render_errors and differs

    @property
    def awaits_installation(self) -> bool:
        """Whether it is to be installed at once, and can be."""
        is_ready = bool(self.rendering) and not self.render_errors
        return self.install and is_ready and self.task_id is None

    @property
    def is_looked_at(self) -> bool:
        """Whether routine checks are for it: it is installed, at rest, and nobody must come first.

        After a check that told nothing they go on; after a task that was lost a person looks.
        """
        is_away = self.status is ClusterStatus.UNKNOWN and self.failed is OperationKind.CHECK
        is_at_rest = self.task_id is None and self.archived_at is None
        return bool(self.applied) and is_at_rest and (self.status in LOOKED_AT or is_away)

    def is_news(self, found: Found) -> bool:
        """Whether a look found anything else than is known."""
        if self.status is ClusterStatus.UNKNOWN:
            return found is not Found.NOTHING
        return found is not (Found.DRIFTED if self.has_drifted else Found.IN_SYNC)

    def sections_for(self, kind: OperationKind) -> Mapping[str, DocumentRef]:
        """What a task of this kind works by: to check or undo, what the machines have."""
        return self.applied_sections if self._looks_back(kind) else self.sections

    def rendering_for(self, kind: OperationKind) -> int:
        return self.applied if self._looks_back(kind) else self.rendering

    def _looks_back(self, kind: OperationKind) -> bool:
        return bool(self.applied) and kind in (OperationKind.CHECK, OperationKind.DELETE)

    @property
    def is_leaving(self) -> bool:
        return self.status in LEAVING

    @classmethod
    def evolve(cls, state: Self | None, event: Event) -> Self:
        match state, event:
            case None, events.ClusterCreated():
                return _created(cls, event)
            case ClusterState(), events.ClusterRenamed():
                return state._next(name=event.name)
            case ClusterState(), events.ClusterRegistryChosen():
                return state._next(registry_id=event.registry_id)
            case ClusterState(), events.ClusterConfigured():
                return state._next(configuration=event.configuration)
            case ClusterState(), events.ClusterRendered():
                return state.after(
                    rendering=event.rendering,
                    sections=event.sections,
                    render_errors=(),
                    status=_rendered_status(state),
                )
            case ClusterState(), events.ClusterRenderFailed():
                return state.after(render_errors=event.errors, status=_broken_status(state))
            case ClusterState(), events.ClusterOperationRequested():
                return state.after(
                    task_id=event.task_id, status=event.status, install=False, deletion=None
                )
            case ClusterState(), events.ClusterOperationStarted():
                return state.after(
                    was_created=state.was_created or event.kind is OperationKind.INSTALL,
                    status=UNDER_WAY.get(event.kind, state.status),
                )
            case ClusterState(), events.ClusterHostKeyPinned():
                return state.after(
                    host_keys=state.host_keys | {_address(event): event.key},
                    host_fingerprints=state.host_fingerprints
                    | {_address(event): event.fingerprint},
                )
            case ClusterState(), events.ClusterHostKeyForgotten():
                return state.after(
                    host_keys=_without(state.host_keys, _address(event)),
                    host_fingerprints=_without(state.host_fingerprints, _address(event)),
                )
            case ClusterState(), events.ClusterApplied():
                return state.after(
                    applied=event.rendering,
                    applied_sections=event.sections,
                    status=event.status,
                    has_drifted=False,
                    failed=None,
                    task_id=None,
                )
            case ClusterState(), events.ClusterChecked():
                return state.after(
                    status=event.status,
                    has_drifted=not event.in_sync,
                    failed=None,
                    task_id=None,
                )
            case ClusterState(), events.ClusterOperationFailed():
                return state.after(status=event.status, failed=event.kind, task_id=None)
            case ClusterState(), events.ClusterStateSaved():
                return state.after(installer_state=event.state)
            case ClusterState(), events.ClusterDeletionWanted():
                return state.after(
                    status=event.status,
                    deletion=Deletion.FORGET if event.forget else Deletion.DESTROY,
                )
            case ClusterState(), events.ClusterArchived():
                return state.after(
                    status=ClusterStatus.DELETED,
                    archived_at=event.archived_at,
                    task_id=None,
                    deletion=None,
                )
        raise OutOfOrder(state, event)

    def _next(self, **changes: Any) -> Self:
        return self.after(revision=self.revision + 1, **changes)


C = TypeVar("C", bound=ClusterState)


def _created(cls: type[C], event: events.ClusterCreated) -> C:
    return cls(
        workspace_id=event.workspace_id,
        name=event.name,
        configuration=event.configuration,
        registry_id=event.registry_id,
        ssh_public_key=event.ssh_public_key,
        ssh_private_key=event.ssh_private_key,
        install=event.install,
    )


def _address(event: events.ClusterHostKeyPinned | events.ClusterHostKeyForgotten) -> str:
    return host_and_port(event.host, event.port)


def _without(keys: Mapping[str, str], address: str) -> dict[str, str]:
    return {k: v for k, v in keys.items() if k != address}


def _rendered_status(state: ClusterState) -> ClusterStatus:
    """A cluster at rest shows at once that something waits to be applied."""
    if state.task_id is not None:
        return state.status
    if state.applied:
        return ClusterStatus.PENDING_CHANGES
    return ClusterStatus.CREATION_FAILED if state.was_created else ClusterStatus.NEW


def _broken_status(state: ClusterState) -> ClusterStatus:
    return state.status if state.task_id is not None else ClusterStatus.CONFIGURATION_ERROR

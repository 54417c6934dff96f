"""A cluster is what was declared of it, what was rendered from that, and what was last applied."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, Self, TypeVar
from uuid import UUID

from domain.model import (
    Action,
    Aggregate,
    Audited,
    Event,
    OutOfOrder,
    Refusal,
    RevisionConflict,
    Value,
)
from domain.secrets import MASK, Secret
from domain.values import ClusterName, DocumentRef, OperationKind


class ClusterStatus(StrEnum):
    """The state of a cluster's infrastructure, in the words of the integration API."""

    NEW = "new"
    CONFIGURATION_ERROR = "configuration_error"
    CREATING = "creating"
    CREATION_FAILED = "creation_failed"
    IN_SYNC = "in_sync"
    PENDING_CHANGES = "pending_changes"
    CHANGING = "changing"
    SYNCHRONIZATION_FAILURE = "synchronization_failure"
    UNKNOWN = "unknown"
    DELETE = "delete"
    DELETING = "deleting"
    DELETION_FAILED = "deletion_failed"
    DELETED = "deleted"


class RenderError(Value):
    """Why a section does not render, and where (from 1)."""

    section: str
    detail: str
    line: int | None = None
    column: int | None = None


class Configuration(Value):
    """What a person declares: a template's version and the values for its parameters."""

    template_id: UUID
    template_version_id: UUID
    values: dict[str, Any] = {}
    secret_values: dict[str, Secret] = {}


class ClusterCreated(Event, topic="cluster.created"):
    workspace_id: UUID
    name: ClusterName
    configuration: Configuration
    registry_id: UUID | None = None
    ssh_public_key: str
    ssh_private_key: Secret

    def audited(self) -> Audited:
        return _audited(Action.CREATE, {"name": self.name, "archived_at": None})


class ClusterRenamed(Event, topic="cluster.renamed"):
    name: ClusterName
    previous_name: ClusterName

    def audited(self) -> Audited:
        return _audited(Action.UPDATE, {"name": [self.previous_name, self.name]})


class ClusterConfigured(Event, topic="cluster.configured"):
    configuration: Configuration
    previous: Configuration

    def audited(self) -> Audited:
        return _audited(Action.UPDATE, dict(_differences(self.previous, self.configuration)))


class ClusterRendered(Event, topic="cluster.rendered"):
    """The configuration gave these texts; `rendering` counts them from 1."""

    rendering: int
    sections: dict[str, DocumentRef]
    engine: str


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
            Action.UPDATE, {f"host_keys.{self.host}:{self.port}": [None, self.fingerprint]}
        )


class ClusterHostKeyForgotten(Event, topic="cluster.host_key_forgotten"):
    """A person says that a host has a new key; the next contact pins it."""

    host: str
    port: int
    fingerprint: str

    def audited(self) -> Audited:
        return _audited(
            Action.UPDATE, {f"host_keys.{self.host}:{self.port}": [self.fingerprint, None]}
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


def _differences(before: Configuration, after: Configuration) -> Iterator[tuple[str, Any]]:
    if before.template_version_id != after.template_version_id:
        pair = [str(before.template_version_id), str(after.template_version_id)]
        yield "cluster_template_version_id", pair
    old, new = _shown(before), _shown(after)
    keys = [k for k in (old | new) if old.get(k) != new.get(k)]
    keys += [
        k
        for k, secret in after.secret_values.items()
        if before.secret_values.get(k) not in (None, secret)
    ]
    if keys:
        yield (
            "values",
            [{k: old[k] for k in keys if k in old}, {k: new[k] for k in keys if k in new}],
        )


def _shown(configuration: Configuration) -> dict[str, Any]:
    return {**configuration.values, **dict.fromkeys(configuration.secret_values, MASK)}


class ClusterIsArchived(Refusal, code="cluster_archived"):
    """Nothing happens any more to an archived cluster."""


class ClusterIsBusy(Refusal, code="cluster_busy"):
    """Another task is at work on the cluster."""


class CannotInstall(Refusal, code="cluster_cannot_be_installed"):
    """The cluster is there already, or its configuration does not render."""


class CannotApply(Refusal, code="cluster_cannot_be_converged"):
    """There is no infrastructure to change or check, or nothing rendered to apply."""


UNDER_WAY = {
    OperationKind.INSTALL: ClusterStatus.CREATING,
    OperationKind.CHANGE: ClusterStatus.CHANGING,
    OperationKind.DELETE: ClusterStatus.DELETING,
}
FAILED = {
    OperationKind.INSTALL: ClusterStatus.CREATION_FAILED,
    OperationKind.CHANGE: ClusterStatus.SYNCHRONIZATION_FAILURE,
    OperationKind.CHECK: ClusterStatus.UNKNOWN,
    OperationKind.DELETE: ClusterStatus.DELETION_FAILED,
}
LEAVING = {ClusterStatus.DELETE, ClusterStatus.DELETING}
LOOKED_AT = {ClusterStatus.IN_SYNC, ClusterStatus.PENDING_CHANGES}


class Deletion(StrEnum):
    """What is wanted of a cluster whose running task must end first."""

    DESTROY = "destroy"
    FORGET = "forget"


class Found(StrEnum):
    """What a look at a cluster's machines found."""

    IN_SYNC = "in_sync"
    DRIFTED = "drifted"
    NOTHING = "nothing"
    """It could not be told: a host is away, or its check does not end."""


class Cluster(Aggregate):
    evolution = 2

    workspace_id: UUID
    name: str
    configuration: Configuration
    registry_id: UUID | None
    ssh_public_key: str
    ssh_private_key: Secret
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

    @classmethod
    def create(
        cls,
        *,
        workspace_id: UUID,
        name: str,
        configuration: Configuration,
        registry_id: UUID | None,
        ssh_public_key: str,
        ssh_private_key: str,
    ) -> Iterator[Event]:
        yield ClusterCreated(
            workspace_id=workspace_id,
            name=name,
            configuration=configuration,
            registry_id=registry_id,
            ssh_public_key=ssh_public_key,
            ssh_private_key=Secret(ssh_private_key),
        )

    def rename(self, name: str) -> Iterator[Event]:
        self.must_stay()
        if name != self.name:
            yield ClusterRenamed(name=name, previous_name=self.name)

    def configure(self, configuration: Configuration) -> Iterator[Event]:
        """Declare something else; secrets that were not given anew are those of before."""
        self.must_stay()
        if configuration != self.configuration:
            yield ClusterConfigured(configuration=configuration, previous=self.configuration)

    def render(self, sections: Mapping[str, DocumentRef], engine: str) -> Iterator[Event]:
        yield ClusterRendered(rendering=self.rendering + 1, sections=dict(sections), engine=engine)

    def fail_to_render(self, errors: tuple[RenderError, ...], engine: str) -> Iterator[Event]:
        if errors != self.render_errors:
            yield ClusterRenderFailed(errors=errors, engine=engine)

    def request(self, kind: OperationKind, task_id: UUID) -> Iterator[Event]:
        """Ask for a task of this kind; one at a time."""
        self.must_live()
        self.must_rest()
        self._must_allow(kind)
        yield ClusterOperationRequested(
            task_id=task_id,
            kind=kind,
            previous_status=self.status,
            status=self._requested_status(kind),
        )

    def start(self, kind: OperationKind, task_id: UUID) -> Iterator[Event]:
        yield ClusterOperationStarted(task_id=task_id, kind=kind)

    def pin_host_key(self, host: str, port: int, key: str, fingerprint: str) -> Iterator[Event]:
        if self.host_keys.get(f"{host}:{port}") != key:
            yield ClusterHostKeyPinned(host=host, port=port, key=key, fingerprint=fingerprint)

    def forget_host_key(self, host: str, port: int) -> Iterator[Event]:
        self.must_live()
        fingerprint = self.host_fingerprints.get(f"{host}:{port}")
        if fingerprint is not None:
            yield ClusterHostKeyForgotten(host=host, port=port, fingerprint=fingerprint)

    def apply(
        self,
        kind: OperationKind,
        task_id: UUID,
        rendering: int,
        sections: Mapping[str, DocumentRef],
    ) -> Iterator[Event]:
        yield ClusterApplied(
            task_id=task_id,
            kind=kind,
            rendering=rendering,
            sections=dict(sections),
            previous_status=self.status,
            status=self._status_at_rest(in_sync=rendering == self.rendering),
        )

    def check(self, task_id: UUID, detail: str, *, in_sync: bool) -> Iterator[Event]:
        yield ClusterChecked(
            task_id=task_id,
            in_sync=in_sync,
            detail=detail,
            previous_status=self.status,
            status=self._status_at_rest(in_sync=in_sync and self.rendering == self.applied),
        )

    def fail(
        self, kind: OperationKind, task_id: UUID, reason: str, *, lost: bool
    ) -> Iterator[Event]:
        yield ClusterOperationFailed(
            task_id=task_id,
            kind=kind,
            reason=reason,
            previous_status=self.status,
            status=ClusterStatus.UNKNOWN if lost else FAILED[kind],
        )

    def save_state(self, task_id: UUID, state: Mapping[str, Secret]) -> Iterator[Event]:
        if state:
            yield ClusterStateSaved(task_id=task_id, state=dict(state))

    def want_deletion(self, *, forget: bool) -> Iterator[Event]:
        """Delete it once the task that runs is over; who only forgets it has the last word."""
        if self.deletion is None or (forget and self.deletion is Deletion.DESTROY):
            yield ClusterDeletionWanted(
                forget=forget, previous_status=self.status, status=ClusterStatus.DELETE
            )

    def archive(
        self, now: datetime, archive_number: str, task_id: UUID | None = None
    ) -> Iterator[Event]:
        if self.archived_at is None:
            yield ClusterArchived(archived_at=now, archive_number=archive_number, task_id=task_id)

    def sections_for(self, kind: OperationKind) -> Mapping[str, DocumentRef]:
        """What a task of this kind works by: to check or undo, what the machines have."""
        looks_back = kind in (OperationKind.CHECK, OperationKind.DELETE) and self.applied
        return self.applied_sections if looks_back else self.sections

    def rendering_for(self, kind: OperationKind) -> int:
        looks_back = kind in (OperationKind.CHECK, OperationKind.DELETE) and self.applied
        return self.applied if looks_back else self.rendering

    @property
    def is_leaving(self) -> bool:
        return self.status in LEAVING

    def must_rest(self) -> None:
        """Raise ClusterIsBusy while a task is at work."""
        if self.task_id is not None:
            after = "; after it the cluster is deleted" if self.deletion is not None else ""
            raise ClusterIsBusy(f"Task {self.task_id} is at work on {self.name}{after}.")

    def must_be_at(self, revision: int | None) -> None:
        if revision is not None and revision != self.revision:
            raise RevisionConflict(
                f"The cluster was changed since it was read: it is at revision {self.revision},"
                f" not {revision}.",
                pointer="/current_revision",
            )

    def _status_at_rest(self, *, in_sync: bool) -> ClusterStatus:
        if self.render_errors:
            return ClusterStatus.CONFIGURATION_ERROR
        return ClusterStatus.IN_SYNC if in_sync else ClusterStatus.PENDING_CHANGES

    def must_live(self) -> None:
        """Raise ClusterIsArchived when it is over."""
        if self.archived_at is not None:
            raise ClusterIsArchived(f"Cluster {self.name} is in the archive.")

    def must_stay(self) -> None:
        """Raise ClusterIsArchived or ClusterIsBusy when it is over or being deleted."""
        self.must_live()
        if self.status in LEAVING:
            raise ClusterIsBusy(f"Cluster {self.name} is being deleted.")

    def _must_allow(self, kind: OperationKind) -> None:
        if kind is OperationKind.INSTALL:
            self._must_be_installable()
        elif kind in (OperationKind.CHANGE, OperationKind.CHECK):
            self._must_be_there()

    def _must_be_installable(self) -> None:
        if self.applied:
            raise CannotInstall(f"Cluster {self.name} is installed already.")
        if self.render_errors or not self.rendering:
            raise CannotInstall(
                f"The configuration of {self.name} does not render; correct it first."
            )

    def _must_be_there(self) -> None:
        if not self.applied:
            raise CannotApply(f"Cluster {self.name} is not installed yet.")
        if self.render_errors:
            raise CannotApply(
                f"The configuration of {self.name} does not render; correct it first."
            )

    def _requested_status(self, kind: OperationKind) -> ClusterStatus:
        if kind is OperationKind.DELETE:
            return ClusterStatus.DELETE
        return UNDER_WAY.get(kind, self.status)

    @classmethod
    def evolve(cls, state: Self | None, event: Event) -> Self:
        match state, event:
            case None, ClusterCreated():
                return _created(cls, event)
            case Cluster(), ClusterRenamed():
                return state._next(name=event.name)
            case Cluster(), ClusterConfigured():
                return state._next(configuration=event.configuration)
            case Cluster(), ClusterRendered():
                return state.after(
                    rendering=event.rendering,
                    sections=event.sections,
                    render_errors=(),
                    status=_rendered_status(state),
                )
            case Cluster(), ClusterRenderFailed():
                return state.after(render_errors=event.errors, status=_broken_status(state))
            case Cluster(), ClusterOperationRequested():
                return state.after(task_id=event.task_id, status=event.status, deletion=None)
            case Cluster(), ClusterOperationStarted():
                return state.after(
                    was_created=state.was_created or event.kind is OperationKind.INSTALL,
                    status=UNDER_WAY.get(event.kind, state.status),
                )
            case Cluster(), ClusterHostKeyPinned():
                return state.after(
                    host_keys=state.host_keys | {_address(event): event.key},
                    host_fingerprints=state.host_fingerprints
                    | {_address(event): event.fingerprint},
                )
            case Cluster(), ClusterHostKeyForgotten():
                return state.after(
                    host_keys=_without(state.host_keys, _address(event)),
                    host_fingerprints=_without(state.host_fingerprints, _address(event)),
                )
            case Cluster(), ClusterApplied():
                return state.after(
                    applied=event.rendering,
                    applied_sections=event.sections,
                    status=event.status,
                    has_drifted=False,
                    failed=None,
                    task_id=None,
                )
            case Cluster(), ClusterChecked():
                return state.after(
                    status=event.status,
                    has_drifted=not event.in_sync,
                    failed=None,
                    task_id=None,
                )
            case Cluster(), ClusterOperationFailed():
                return state.after(status=event.status, failed=event.kind, task_id=None)
            case Cluster(), ClusterStateSaved():
                return state.after(installer_state=event.state)
            case Cluster(), ClusterDeletionWanted():
                return state.after(
                    status=event.status,
                    deletion=Deletion.FORGET if event.forget else Deletion.DESTROY,
                )
            case Cluster(), ClusterArchived():
                return state.after(
                    status=ClusterStatus.DELETED,
                    archived_at=event.archived_at,
                    task_id=None,
                    deletion=None,
                )
        raise OutOfOrder(state, event)

    def _next(self, **changes: Any) -> Self:
        return self.after(revision=self.revision + 1, **changes)


C = TypeVar("C", bound=Cluster)


def _created(cls: type[C], event: ClusterCreated) -> C:
    return cls(
        workspace_id=event.workspace_id,
        name=event.name,
        configuration=event.configuration,
        registry_id=event.registry_id,
        ssh_public_key=event.ssh_public_key,
        ssh_private_key=event.ssh_private_key,
    )


def _address(event: ClusterHostKeyPinned | ClusterHostKeyForgotten) -> str:
    return f"{event.host}:{event.port}"


def _without(keys: Mapping[str, str], address: str) -> dict[str, str]:
    return {k: v for k, v in keys.items() if k != address}


def _rendered_status(state: Cluster) -> ClusterStatus:
    """A cluster at rest shows at once that something waits to be applied."""
    if state.task_id is not None:
        return state.status
    if state.applied:
        return ClusterStatus.PENDING_CHANGES
    return ClusterStatus.CREATION_FAILED if state.was_created else ClusterStatus.NEW


def _broken_status(state: Cluster) -> ClusterStatus:
    return state.status if state.task_id is not None else ClusterStatus.CONFIGURATION_ERROR

"""What may be asked of a cluster: each decision yields what happens, or refuses."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from uuid import UUID

from domain.clusters import events
from domain.clusters.configuration import Configuration, RenderError
from domain.clusters.state import ClusterState
from domain.clusters.statuses import (
    FAILED,
    UNDER_WAY,
    ClusterStatus,
    Deletion,
)
from domain.model import Event, Refusal, RevisionConflict
from domain.secrets import Secret
from domain.values import ConnectionHost, DocumentRef, OperationKind, canonical_host, host_and_port


class ClusterIsArchived(Refusal, code="cluster_archived"):
    """Nothing happens any more to an archived cluster."""


class ClusterIsBusy(Refusal, code="cluster_busy"):
    """Another task is at work on the cluster."""


class CannotInstall(Refusal, code="cluster_cannot_be_installed"):
    """The cluster is there already, or its configuration does not render."""


class CannotApply(Refusal, code="cluster_cannot_be_converged"):
    """There is no infrastructure to change or check, or nothing rendered to apply."""


class Cluster(ClusterState):
    """The decisions, in the order of a cluster's life; then what each of them insists on."""

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
        install: bool = False,
    ) -> Iterator[Event]:
        yield events.ClusterCreated(
            workspace_id=workspace_id,
            name=name,
            configuration=configuration,
            registry_id=registry_id,
            ssh_public_key=ssh_public_key,
            ssh_private_key=Secret(ssh_private_key),
            install=install,
        )

    def rename(self, name: str) -> Iterator[Event]:
        self.must_stay()
        if name != self.name:
            yield events.ClusterRenamed(name=name, previous_name=self.name)

    def choose_registry(self, registry_id: UUID | None) -> Iterator[Event]:
        self.must_stay()
        if registry_id != self.registry_id:
            yield events.ClusterRegistryChosen(registry_id=registry_id, previous=self.registry_id)

    def configure(self, configuration: Configuration) -> Iterator[Event]:
        """Declare something else; secrets that were not given anew are those of before."""
        self.must_stay()
        if configuration != self.configuration:
            yield events.ClusterConfigured(configuration=configuration, previous=self.configuration)

    def render(
        self,
        sections: Mapping[str, DocumentRef],
        engine: str,
        masters: tuple[ConnectionHost, ...] = (),
    ) -> Iterator[Event]:
        yield events.ClusterRendered(
            rendering=self.rendering + 1, sections=dict(sections), engine=engine, masters=masters
        )

    def fail_to_render(self, errors: tuple[RenderError, ...], engine: str) -> Iterator[Event]:
        if errors != self.render_errors:
            yield events.ClusterRenderFailed(errors=errors, engine=engine)

    def request(self, kind: OperationKind, task_id: UUID) -> Iterator[Event]:
        """Ask for a task of this kind; one at a time."""
        self.must_live()
        self.must_rest()
        self._must_allow(kind)
        yield events.ClusterOperationRequested(
            task_id=task_id,
            kind=kind,
            previous_status=self.status,
            status=self._requested_status(kind),
        )

    def start(self, kind: OperationKind, task_id: UUID) -> Iterator[Event]:
        yield events.ClusterOperationStarted(task_id=task_id, kind=kind)

    def pin_host_key(self, host: str, port: int, key: str, fingerprint: str) -> Iterator[Event]:
        if self.host_keys.get(host_and_port(host, port)) != key:
            yield events.ClusterHostKeyPinned(
                host=host, port=port, key=key, fingerprint=fingerprint
            )

    def forget_host_key(self, host: str, port: int) -> Iterator[Event]:
        self.must_live()
        with suppress(ValueError):
            host = canonical_host(host)
        fingerprint = self.host_fingerprints.get(host_and_port(host, port))
        if fingerprint is not None:
            yield events.ClusterHostKeyForgotten(host=host, port=port, fingerprint=fingerprint)

    def apply(
        self,
        kind: OperationKind,
        task_id: UUID,
        rendering: int,
        sections: Mapping[str, DocumentRef],
    ) -> Iterator[Event]:
        yield events.ClusterApplied(
            task_id=task_id,
            kind=kind,
            rendering=rendering,
            sections=dict(sections),
            previous_status=self.status,
            status=self._status_at_rest(in_sync=rendering == self.rendering),
        )

    def check(self, task_id: UUID, detail: str, *, in_sync: bool) -> Iterator[Event]:
        yield events.ClusterChecked(
            task_id=task_id,
            in_sync=in_sync,
            detail=detail,
            previous_status=self.status,
            status=self._status_at_rest(in_sync=in_sync and self.rendering == self.applied),
        )

    def fail(
        self, kind: OperationKind, task_id: UUID, reason: str, *, lost: bool
    ) -> Iterator[Event]:
        yield events.ClusterOperationFailed(
            task_id=task_id,
            kind=kind,
            reason=reason,
            previous_status=self.status,
            status=ClusterStatus.UNKNOWN if lost else FAILED[kind],
        )

    def save_state(self, task_id: UUID, state: Mapping[str, Secret]) -> Iterator[Event]:
        if state:
            yield events.ClusterStateSaved(task_id=task_id, state=dict(state))

    def want_deletion(self, *, forget: bool) -> Iterator[Event]:
        """Delete it once the task that runs is over; who only forgets it has the last word."""
        if self.deletion is None or (forget and self.deletion is Deletion.DESTROY):
            yield events.ClusterDeletionWanted(
                forget=forget, previous_status=self.status, status=ClusterStatus.DELETE
            )

    def archive(
        self, now: datetime, archive_number: str, task_id: UUID | None = None
    ) -> Iterator[Event]:
        if self.archived_at is None:
            yield events.ClusterArchived(
                archived_at=now, archive_number=archive_number, task_id=task_id
            )

    def must_live(self) -> None:
        """Raise ClusterIsArchived when it is over."""
        if self.archived_at is not None:
            raise ClusterIsArchived(f"Cluster {self.name} is in the archive.")

    def must_stay(self) -> None:
        """Raise ClusterIsArchived or ClusterIsBusy when it is over or being deleted."""
        self.must_live()
        if self.is_leaving:
            raise ClusterIsBusy(f"Cluster {self.name} is being deleted.")

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

    def _must_allow(self, kind: OperationKind) -> None:
        if kind is OperationKind.INSTALL:
            self._must_be_installable()
        elif kind in (OperationKind.CHANGE, OperationKind.CHECK):
            self._must_be_there()

    def _must_be_installable(self) -> None:
        if self.applied:
            raise CannotInstall(f"Cluster {self.name} is installed already.")
        self._must_render(CannotInstall)

    def _must_be_there(self) -> None:
        if not self.applied:
            raise CannotApply(f"Cluster {self.name} is not installed yet.")
        self._must_render(CannotApply)

    def _must_render(self, refusal: type[Refusal]) -> None:
        if self.render_errors or not self.rendering:
            raise refusal(f"The configuration of {self.name} does not render; correct it first.")

    def _requested_status(self, kind: OperationKind) -> ClusterStatus:
        if kind is OperationKind.DELETE:
            return ClusterStatus.DELETE
        return UNDER_WAY.get(kind, self.status)

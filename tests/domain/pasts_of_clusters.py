"""What has happened to a cluster, as events, up to each state it can be in."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from domain.clusters import (
    ClusterApplied,
    ClusterArchived,
    ClusterChecked,
    ClusterConfigured,
    ClusterCreated,
    ClusterDeletionWanted,
    ClusterHostKeyPinned,
    ClusterOperationFailed,
    ClusterOperationRequested,
    ClusterOperationStarted,
    ClusterRendered,
    ClusterRenderFailed,
    ClusterStatus,
    Configuration,
    RenderError,
)
from domain.model import Event
from domain.secrets import Secret
from domain.values import DocumentRef, OperationKind

S, K = ClusterStatus, OperationKind
NOON = datetime(2025, 6, 18, 12, tzinfo=UTC)
WORKSPACE, TASK = UUID(int=1), UUID(int=5)
KEY = Secret(token="sealed key")


def declared(**values: Any) -> Configuration:
    return Configuration(template_id=UUID(int=2), template_version_id=UUID(int=3), values=values)


def text(digest: str) -> dict[str, DocumentRef]:
    return {"resources": DocumentRef(digest=digest, size=9)}


def requested(
    kind: OperationKind, before: ClusterStatus, after: ClusterStatus
) -> ClusterOperationRequested:
    return ClusterOperationRequested(task_id=TASK, kind=kind, previous_status=before, status=after)


def began(kind: OperationKind) -> ClusterOperationStarted:
    return ClusterOperationStarted(task_id=TASK, kind=kind)


def failed(
    kind: OperationKind, before: ClusterStatus, after: ClusterStatus
) -> ClusterOperationFailed:
    return ClusterOperationFailed(
        task_id=TASK, kind=kind, reason="No disk.", previous_status=before, status=after
    )


def applied(
    rendering: int, kind: OperationKind, before: ClusterStatus, after: ClusterStatus = S.IN_SYNC
) -> ClusterApplied:
    return ClusterApplied(
        task_id=TASK,
        kind=kind,
        rendering=rendering,
        sections=text(str(rendering)),
        previous_status=before,
        status=after,
    )


created = ClusterCreated(
    workspace_id=WORKSPACE,
    name="north",
    configuration=declared(size=3),
    ssh_public_key="ssh-ed25519 AAAA",
    ssh_private_key=KEY,
)
rendered = ClusterRendered(rendering=1, sections=text("1"), engine="gotpl 0.1")
rendered_again = ClusterRendered(rendering=2, sections=text("2"), engine="gotpl 0.1")
ERRORS = (RenderError(section="resources", detail="no such value", line=3, column=7),)
broken = ClusterRenderFailed(errors=ERRORS, engine="gotpl 0.1")
configured = ClusterConfigured(configuration=declared(size=5), previous=declared(size=3))
archived = ClusterArchived(archived_at=NOON, archive_number="20250618")
pinned = ClusterHostKeyPinned(host="10.0.0.1", port=22, key="ssh-ed25519 K", fingerprint="SHA:x")
NEW: list[Event] = [created, rendered]
INSTALLING: list[Event] = [*NEW, requested(K.INSTALL, S.NEW, S.CREATING), began(K.INSTALL)]
INSTALLED: list[Event] = [*INSTALLING, applied(1, K.INSTALL, S.CREATING)]
INSTALL_FAILED: list[Event] = [*INSTALLING, failed(K.INSTALL, S.CREATING, S.CREATION_FAILED)]
PENDING: list[Event] = [*INSTALLED, configured, rendered_again]
CHANGING: list[Event] = [
    *PENDING,
    requested(K.CHANGE, S.PENDING_CHANGES, S.CHANGING),
    began(K.CHANGE),
]
DELETING: list[Event] = [*INSTALLED, requested(K.DELETE, S.IN_SYNC, S.DELETE), began(K.DELETE)]
DELETION_FAILED: list[Event] = [*DELETING, failed(K.DELETE, S.DELETING, S.DELETION_FAILED)]
ARCHIVED: list[Event] = [*DELETING, archived]


def checking() -> list[Event]:
    return [*INSTALLED, requested(K.CHECK, S.IN_SYNC, S.IN_SYNC), began(K.CHECK)]


def checked(*, in_sync: bool, after: ClusterStatus) -> ClusterChecked:
    return ClusterChecked(task_id=TASK, in_sync=in_sync, previous_status=S.IN_SYNC, status=after)


DRIFTED: list[Event] = [*INSTALLED, checked(in_sync=False, after=S.PENDING_CHANGES)]
AWAY: list[Event] = [*INSTALLED, failed(K.CHECK, S.IN_SYNC, S.UNKNOWN)]
LOST: list[Event] = [*CHANGING, failed(K.CHANGE, S.CHANGING, S.UNKNOWN)]


def wanted(before: ClusterStatus, *, forget: bool = False) -> ClusterDeletionWanted:
    return ClusterDeletionWanted(forget=forget, previous_status=before, status=S.DELETE)


LEAVING: list[Event] = [*CHANGING, wanted(S.CHANGING)]

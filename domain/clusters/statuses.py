"""The words for how a cluster stands, and which of them follow which operation."""

from enum import StrEnum

from domain.values import OperationKind


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

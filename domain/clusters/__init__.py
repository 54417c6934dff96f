"""A cluster is what was declared of it, what was rendered from that, and what was last applied."""

from domain.clusters.cluster import (
    CannotApply,
    CannotInstall,
    Cluster,
    ClusterIsArchived,
    ClusterIsBusy,
)
from domain.clusters.configuration import (
    Configuration,
    RenderError,
)
from domain.clusters.events import (
    ClusterApplied,
    ClusterArchived,
    ClusterChecked,
    ClusterConfigured,
    ClusterCreated,
    ClusterDeletionWanted,
    ClusterHostKeyForgotten,
    ClusterHostKeyPinned,
    ClusterOperationFailed,
    ClusterOperationRequested,
    ClusterOperationStarted,
    ClusterRegistryChosen,
    ClusterRenamed,
    ClusterRendered,
    ClusterRenderFailed,
    ClusterStateSaved,
)
from domain.clusters.statuses import (
    UNDER_WAY,
    ClusterStatus,
    Deletion,
    Found,
)

__all__ = [
    "UNDER_WAY",
    "CannotApply",
    "CannotInstall",
    "Cluster",
    "ClusterApplied",
    "ClusterArchived",
    "ClusterChecked",
    "ClusterConfigured",
    "ClusterCreated",
    "ClusterDeletionWanted",
    "ClusterHostKeyForgotten",
    "ClusterHostKeyPinned",
    "ClusterIsArchived",
    "ClusterIsBusy",
    "ClusterOperationFailed",
    "ClusterOperationRequested",
    "ClusterOperationStarted",
    "ClusterRegistryChosen",
    "ClusterRenamed",
    "ClusterRenderFailed",
    "ClusterRendered",
    "ClusterStateSaved",
    "ClusterStatus",
    "Configuration",
    "Deletion",
    "Found",
    "RenderError",
]

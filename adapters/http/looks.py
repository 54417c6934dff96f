"""When a cluster was looked at last: by a check that the log tells of, or by a routine one."""

from datetime import UTC
from uuid import UUID

from adapters.http.edge import Edge
from projections.reader import Shown

CHECKED_AT = "cluster_configuration_checked_at"


async def with_last_look(edge: Edge, cluster: Shown) -> Shown:
    """The cluster as it is now, checked when it was looked at last. The past knows no looks."""
    id_ = UUID(cluster["id"])
    look = (await edge.last_looks([id_])).get(id_)
    if look is None:
        return cluster
    at = look.at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    return {**cluster, CHECKED_AT: max(at, cluster[CHECKED_AT] or "")}

"""What a cluster's configuration was when something was rendered from it, out of its own events."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from adapters.http.edge import Log
from domain.clusters import ClusterConfigured, ClusterCreated, ClusterRendered, Configuration
from domain.model import Recorded


async def configuration_of(
    log: Log, cluster_id: UUID, rendering: int, until: datetime | None = None
) -> Configuration | None:
    """The configuration that gave this rendering; None when there is no such rendering."""
    return folded(await log.load(cluster_id), rendering, until)


def folded(
    history: Iterable[Recorded], rendering: int, until: datetime | None = None
) -> Configuration | None:
    """The same from the events of a cluster."""
    configuration: Configuration | None = None
    for recorded in history:
        if until is not None and recorded.recorded_at > until:
            return None
        match recorded.event:
            case ClusterCreated(configuration=declared) | ClusterConfigured(configuration=declared):
                configuration = declared
            case ClusterRendered(rendering=number) if number == rendering:
                return configuration
    return None

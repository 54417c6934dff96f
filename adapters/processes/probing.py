"""Who watches over a process asks its probes; one without pages answers them on a port."""

from collections.abc import Collection, Sequence

from adapters.bootstrap import Hub
from adapters.http import probes
from adapters.http.edge import Readiness
from adapters.observability.metrics import PrometheusMeasures
from adapters.postgres.lost_events import LostEvents
from adapters.postgres.read_models import outdated
from adapters.processes.lifetime import Lifetime
from adapters.processes.reads import ReadModels
from adapters.processes.serving import bind, serve_http
from application.ports import Unavailable
from projections import PROJECTIONS


def answer_probes(
    hub: Hub, life: Lifetime, measures: PrometheusMeasures, readers: Collection[str] = ()
) -> None:
    """Answer /livez, /readyz and /metrics where a port is set for them.

    `readers`: those of the log that work in this process.
    Raises CannotStart when it is taken.
    """
    settings = hub.settings
    if settings.probe_port is None:
        return
    listener = bind(settings.host, settings.probe_port, "QUARTERDECK_PROBE_PORT")
    life.start(
        "probes", serve_http(probes.alone(readiness(hub, readers=readers), measures), listener)
    )


def readiness(
    hub: Hub, reads: ReadModels | None = None, readers: Collection[str] = ()
) -> Readiness:
    """A process can do its work when its database can be reached and shows what it reads, and none
    of its readers stands still because events were lost."""
    losses = LostEvents(hub.pool)

    async def reasons() -> Sequence[str]:
        try:
            await hub.store.head()
            waited_for = await outdated(reads.now, PROJECTIONS) if reads else []
            lost = [str(loss) for loss in await losses.open() if loss.reader in readers]
        except Unavailable as error:
            return [error.detail]
        if waited_for:
            lost.append(f"Read models are built for this version: {', '.join(waited_for)}.")
        return lost

    return reasons

"""Who watches over a process asks its probes; one without pages answers them on a port."""

from collections.abc import Sequence

from adapters.bootstrap import Hub
from adapters.http import probes
from adapters.http.edge import Readiness
from adapters.observability.metrics import PrometheusMeasures
from adapters.processes.lifetime import Lifetime
from adapters.processes.serving import bind, serve_http
from application.ports import Unavailable


def answer_probes(hub: Hub, life: Lifetime, measures: PrometheusMeasures) -> None:
    """Answer /livez, /readyz and /metrics where a port is set for them.

    Raises CannotStart when it is taken.
    """
    settings = hub.settings
    if settings.probe_port is None:
        return
    listener = bind(settings.host, settings.probe_port, "QUARTERDECK_PROBE_PORT")
    life.start("probes", serve_http(probes.alone(readiness(hub), measures), listener))


def readiness(hub: Hub) -> Readiness:
    """A process can do its work when its database can be reached."""

    async def reasons() -> Sequence[str]:
        try:
            await hub.store.head()
        except Unavailable as error:
            return [error.detail]
        return []

    return reasons

"""The system itself over the API: how far the log is, and everything that follows it."""

from adapters.http.api.shapes import system as shapes
from adapters.http.calls import Call
from adapters.http.parameters import Parameters
from adapters.http.routing import Route, query
from application.permissions import Permission
from projections.reader import Shown, rfc3339


async def read_system(call: Call) -> Shown:
    """How far the log is, what follows it and how far behind, what is parked, what runs."""
    edge, system = call.edge, call.edge.system
    return {
        "instance": edge.site.instance,
        "version": edge.site.version,
        "time": rfc3339(edge.clock.now()),
        "position": await edge.log.head(),
        "readers": await system.readers() if system else [],
        "parked": await system.parked() if system else [],
        "processes": await system.processes() if system else [],
        "faults": [*await edge.readiness(), *(await system.lost() if system else ())],
    }


ROUTES: tuple[Route, ...] = (
    query(
        "/system",
        read_system,
        Permission.READ_SYSTEM,
        shows=shapes.System,
        parameters=Parameters,
    ),
)

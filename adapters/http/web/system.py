"""The system itself: how far each reader of the log is, what is parked, what runs."""

from collections.abc import Sequence
from typing import Any

from starlette.responses import Response

from adapters.http.problems import NoSuchPage
from adapters.http.web import live, pages
from adapters.http.web.endpoints import act, page
from adapters.http.web.visit import Visit
from application.permissions import Permission
from domain.model import Recorded
from projections.reader import Reader

BEHIND_SECONDS = 10


async def show(visit: Visit) -> Response:
    """What operators trust: how the system itself is."""
    return await pages.page(visit, "system/show.html", **await _shown(visit))


async def show_live(visit: Visit) -> Response:
    """The same, every second."""
    return live.live(visit, _Watch(visit), visit.number("position") or 0)


class _Watch:
    """Nothing of this is in events: it is asked again and again."""

    pulse_seconds = 1.0

    def __init__(self, visit: Visit) -> None:
        self._visit = visit

    def parts(self, _: Recorded) -> Sequence[str]:
        return ()

    async def show(self, _: frozenset[Any], __: Reader) -> str:
        html = pages.html(self._visit, "system/_body.html", **await _shown(self._visit))
        return live.partials({"#system": html})


async def _shown(visit: Visit) -> dict[str, Any]:
    system = visit.edge.system
    head = await visit.edge.log.head()
    readers = await system.readers() if system else ()
    behind = [each for each in readers if (each["lag_seconds"] or 0) > BEHIND_SECONDS]
    return {
        "head": head,
        "is_known": system is not None,
        "readers": readers,
        "behind": behind,
        "parked": await system.parked() if system else (),
        "processes": await system.processes() if system else (),
        "faults": [*await visit.edge.readiness(), *(await system.lost() if system else ())],
    }


async def retry(visit: Visit) -> Response:
    """Try again what a reader has parked."""
    system = visit.edge.system
    if system is None:
        raise NoSuchPage("This process cannot reach the read models.")
    form = await visit.form()
    return pages.done(visit, "/system", await system.retry(form.line("reader")))


PAGES = [
    page("/system", show, Permission.READ_SYSTEM),
    page("/system/live", show_live, Permission.READ_SYSTEM),
    act("/system/retry", retry, Permission.WRITE_SYSTEM),
]

"""Build read models anew from the log, or build them beside and compare."""

from collections.abc import AsyncIterator

from adapters.bootstrap import CannotStart
from adapters.operations.administration import administration
from adapters.postgres.comparison import NotSettled
from adapters.postgres.read_models import install
from adapters.postgres.rebuild import Rebuilder
from adapters.settings import Settings
from projections import PROJECTIONS, RETIRED
from projections.projection import Projection


class NotEqual(CannotStart):
    """A read model is not what the log says."""


async def rebuild(settings: Settings, name: str | None, *, check: bool) -> AsyncIterator[str]:
    """A line for each projection that was rebuilt, or found equal. Raises NotEqual at the end."""
    different = []
    async with administration(settings) as hub:
        await install(hub.dsn, PROJECTIONS, RETIRED)
        rebuilder = Rebuilder(hub.dsn, hub.store.mapper.recorded)
        for projection in named(name):
            if not check:
                build = await rebuilder.rebuild(projection)
                yield f"{projection.name}: rebuilt up to {build.built_to}"
                continue
            try:
                comparison = await rebuilder.check(projection)
            except (NotSettled, LookupError) as error:
                raise CannotStart(f"{projection.name}: {error}") from None
            if comparison.is_equal:
                yield f"{projection.name}: equal at {comparison.position}"
            else:
                different.append(projection.name)
                for difference in comparison.differences:
                    yield f"{projection.name}: {difference}"
    if different:
        raise NotEqual(f"Not what the log says: {', '.join(different)}.")


def named(name: str | None) -> list[Projection]:
    """The projection of a name, or all. Raises CannotStart when there is none."""
    found = [p for p in PROJECTIONS if name in (None, p.name)]
    if not found:
        known = ", ".join(p.name for p in PROJECTIONS)
        raise CannotStart(f"There is no projection {name}; there are {known}.")
    return found

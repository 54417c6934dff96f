"""Every process of the hub is seen on the system page."""

from collections.abc import Callable

from adapters.bootstrap import Hub
from adapters.postgres.processes import Presence
from adapters.processes.lifetime import Lifetime


def tell_presence(hub: Hub, life: Lifetime, kind: str, detail: Callable[[], str]) -> None:
    """Tell that this process is there, and what it does just now, for as long as it lives."""
    presence = Presence(hub.pool, kind, hub.settings.process_name, detail)
    life.start("presence", presence.run())

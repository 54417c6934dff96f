"""Load the example from the command line."""

from adapters.operations.administration import administration
from adapters.settings import Settings
from adapters.ssh.example_place import example_port
from application.example import SLUG, load_example
from application.work import of_its_own_accord


async def example(settings: Settings) -> str:
    """Load it, unless it is there; the address of its clusters."""
    async with administration(settings, begins=True) as hub:
        await load_example(hub.bus, of_its_own_accord(), example_port(settings.data))
        return f"{settings.url}/workspaces/{SLUG}/clusters"

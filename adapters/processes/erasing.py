"""Every process that opens secrets lets go of a key as soon as it is erased."""

from adapters.bootstrap import Hub
from adapters.postgres.data_keys import erasures


async def forget_erased(hub: Hub) -> None:
    """For ever: forget what was opened whenever some key may have been erased."""
    async for _ in erasures(hub.dsn):
        hub.vault.forget()
        hub.documents.forget()

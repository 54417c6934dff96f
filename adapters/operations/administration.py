"""What the operations open: the hub without a server, for one command or one look."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID

from adapters.bootstrap import (
    CannotStart,
    Hub,
    database_folder,
    keys_file,
    open_database,
    open_hub,
    write_keys,
)
from adapters.crypto.key_ring import KeyRing
from adapters.gotpl.renderer import SubprocessRenderer
from adapters.settings import Settings
from adapters.ssh.keys import AsyncsshKeyPairs


@asynccontextmanager
async def administration(settings: Settings, *, begins: bool = False) -> AsyncIterator[Hub]:
    """The hub for an operation; it uses the embedded database that runs, or starts it.

    One that `begins` may be the first to come to a data folder. Raises CannotStart.
    """
    if begins:
        make_keys_once(settings)
    elif _is_fresh(settings):
        raise CannotStart(
            f"There is no data in {settings.data}. Name its folder by --data or QUARTERDECK_DATA."
        )
    async with (
        open_database(settings) as dsn,
        SubprocessRenderer(workers=1) as renderer,
        open_hub(settings, dsn, renderer, AsyncsshKeyPairs()) as hub,
    ):
        yield hub


def make_keys_once(settings: Settings) -> Path | None:
    """Make master keys for a fresh data folder; the path of the file when they were made."""
    if settings.keys is not None or keys_file(settings).exists() or not _is_fresh(settings):
        return None
    return write_keys(settings, KeyRing.generate())


def _is_fresh(settings: Settings) -> bool:
    return settings.database_url is None and not database_folder(settings.data).exists()


async def workspace_of(hub: Hub, slug: str) -> UUID:
    """The workspace of a slug. Raises CannotStart when there is none."""
    workspace_id = await hub.store.holder(f"workspace:{slug}")
    if workspace_id is None:
        raise CannotStart(f"There is no workspace {slug}.")
    return workspace_id

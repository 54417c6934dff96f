"""A process that starts while the database recovers waits for it."""

import asyncio
import os
import secrets
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from psycopg.pq import PGconn, Ping

from adapters.bootstrap import migrate_database
from adapters.embedded.postgres import EmbeddedPostgres
from adapters.settings import Settings
from tests.support import servers


@pytest.fixture
def recovering(server_folder: Path) -> Iterator[EmbeddedPostgres]:
    """A server that recovers, once started, until it is promoted, and lets nobody in meanwhile."""
    folder = server_folder / f"recovering-{secrets.token_hex(4)}"
    with servers.postgres(folder, settings={"hot_standby": "off"}) as server:
        server.stop()
        standby = server.folder.cluster / "standby.signal"
        standby.touch()
        server.folder.account.own(standby)
        yield server


async def test_a_database_that_recovers_is_waited_for(recovering: EmbeddedPostgres) -> None:
    server = recovering
    starting = asyncio.create_task(asyncio.to_thread(server.start))
    await lets_nobody_in(server)
    migrating = asyncio.create_task(_migrated(Settings(database_url=server.dsn)))
    await asyncio.wait([migrating], timeout=0.5)
    waits = not migrating.done()
    (server.folder.cluster / "promote").touch()
    os.kill(server.pid, signal.SIGUSR1)
    told, _ = await asyncio.gather(migrating, starting)
    assert waits
    assert told[-1] == "The database is of this version."


async def _migrated(settings: Settings) -> list[str]:
    return [line async for line in migrate_database(settings)]


async def lets_nobody_in(server: EmbeddedPostgres) -> None:
    async with asyncio.timeout(60):
        while PGconn.ping(server.dsn.encode()) != Ping.REJECT:
            await asyncio.sleep(0.05)

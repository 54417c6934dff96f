"""A process that starts while the database recovers waits for it."""

import asyncio
import os
import signal

from psycopg.pq import PGconn, Ping

from adapters.bootstrap import migrate_database
from adapters.embedded.postgres import EmbeddedPostgres
from adapters.settings import Settings


async def test_a_database_that_recovers_is_waited_for(own_postgres: EmbeddedPostgres) -> None:
    """A standby that nobody may read lets nobody in until it is promoted: recovery on demand."""
    server = own_postgres
    server.stop()
    cluster = server.folder.cluster
    for name in ("standby.signal", "postgresql.auto.conf"):
        (cluster / name).write_text("hot_standby = off\n" if name.endswith("conf") else "")
        server.folder.account.own(cluster / name)
    starting = asyncio.create_task(asyncio.to_thread(server.start))
    await answers(server, Ping.REJECT)
    migrating = asyncio.create_task(migrate_database(Settings(database_url=server.dsn)))
    await asyncio.wait([migrating], timeout=0.5)
    assert not migrating.done()
    (cluster / "promote").touch()
    os.kill(server.pid, signal.SIGUSR1)
    await asyncio.gather(starting, migrating)


async def answers(server: EmbeddedPostgres, wanted: Ping) -> None:
    async with asyncio.timeout(60):
        while PGconn.ping(server.dsn.encode()) != wanted:
            await asyncio.sleep(0.05)

"""Pools are of use again as soon as the server is, however long it was away."""

import time
from collections.abc import Awaitable, Callable

import psycopg
import pytest
from psycopg_pool import PoolTimeout

from adapters.postgres.reader import open_reader
from adapters.postgres.sessions import open_pool
from application.ports import Unavailable
from tests.support.servers import PostgresServer

pytestmark = pytest.mark.slow
AWAY_SECONDS = 8.0
"""Long enough for pauses that double to be longer than anybody waits for a connection."""
ABSENT = (psycopg.OperationalError, PoolTimeout, Unavailable)


async def test_a_pool_connects_again_as_soon_as_somebody_asks(
    own_postgres: PostgresServer,
) -> None:
    async with open_pool(own_postgres.dsn, name="test", size=3) as pool:

        async def ask() -> object:
            async with pool.connection(timeout=2) as connection:
                return await connection.execute("select 1")

        await must_be_back_at_once(own_postgres, ask)


async def test_a_reader_connects_again_as_soon_as_somebody_asks(
    own_postgres: PostgresServer,
) -> None:
    async with open_reader(own_postgres.dsn, connections=3) as reader:
        await must_be_back_at_once(own_postgres, lambda: reader.rows("select 1"))


async def must_be_back_at_once(
    server: PostgresServer, ask: Callable[[], Awaitable[object]]
) -> None:
    await ask()
    server.stop()
    until = time.monotonic() + AWAY_SECONDS
    while time.monotonic() < until:
        with pytest.raises(ABSENT):
            await ask()
    server.start()
    await ask()

"""Leadership is a session's advisory lock: one process at a time, and the next when it is gone."""

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import psycopg

from adapters.postgres.connection import reachable
from adapters.postgres.sessions import connect
from application.ports import Unavailable

logger = logging.getLogger(__name__)

LOCK_SPACE = 0x7175_6172
"""The first half of the locks of leaders: "quar"."""
ASK_SECONDS = 0.5
PING_SECONDS = 2.0
AGAIN_SECONDS = 2.0
KEPT_ALIVE = {
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
}
"""The server notices within half a minute that a leader's machine is gone."""

Connection = psycopg.AsyncConnection[Any]


class LeadershipLost(Exception):
    """The connection that held the lock broke: another process may lead by now."""


@asynccontextmanager
async def lead(dsn: str, name: str) -> AsyncIterator[None]:
    """Wait until nobody else leads under this name, and lead until the context is left.

    Raises Unavailable. When the lock is lost the body is cancelled and LeadershipLost is raised.
    """
    connection = await _elected(dsn, name)
    try:
        async with asyncio.timeout(None) as term:
            watch = asyncio.create_task(_watch(connection, term), name=f"leadership: {name}")
            try:
                yield
            finally:
                watch.cancel()
                await asyncio.wait([watch])
    except TimeoutError:
        if term.expired():
            raise LeadershipLost(name) from None
        raise
    finally:
        await connection.close()


async def lead_and_work(dsn: str, name: str, work: Callable[[], Awaitable[None]]) -> None:
    """Do the work whenever this process leads; returns when the work does."""
    while True:
        try:
            async with lead(dsn, name):
                logger.info("%s: this process leads", name)
                return await work()
        except (LeadershipLost, Unavailable) as error:
            logger.warning("%s: %s: %s", name, type(error).__name__, error)
        await asyncio.sleep(AGAIN_SECONDS * random.uniform(0.5, 1))


async def _elected(dsn: str, name: str) -> Connection:
    """A connection that holds the lock. It asks again and again: a query that waits for days
    would keep the server from clearing away what was deleted since."""
    with reachable():
        connection = await connect(dsn, name=f"leader of {name}", settings=KEPT_ALIVE)
        try:
            while not await _takes(connection, name):
                await asyncio.sleep(ASK_SECONDS * random.uniform(0.5, 1))
        except BaseException:
            await connection.close()
            raise
    return connection


async def _takes(connection: Connection, name: str) -> bool:
    cursor = await connection.execute(
        "select pg_try_advisory_lock(%s, hashtext(%s))", [LOCK_SPACE, name]
    )
    row = await cursor.fetchone()
    return bool(row and row[0])


async def _watch(connection: Connection, term: asyncio.Timeout) -> None:
    """End the term as soon as the connection does not answer."""
    try:
        while True:
            async for _ in connection.notifies(timeout=PING_SECONDS):
                pass
            async with asyncio.timeout(PING_SECONDS):
                await connection.execute("select 1")
    except (psycopg.Error, OSError, TimeoutError):
        term.reschedule(asyncio.get_running_loop().time())

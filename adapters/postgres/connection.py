"""Connections to PostgreSQL, and what its errors mean to those who asked."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import errors
from psycopg.conninfo import make_conninfo
from psycopg.pq import PGconn, Ping
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from adapters.postgres import arrays
from application.ports import Unavailable

GONE = (psycopg.OperationalError, psycopg.InterfaceError, PoolTimeout)
RECONNECT_SECONDS = 1.0
"""A pool that finds no server lets go after so long, and tries anew at once for who asks next.

By itself it would go on with pauses that double: after an outage of a minute for a minute more.
"""
RECOVERY_SECONDS = 60.0
"""How long a process waits at its start for a server that recovers from a crash."""
BY_KEY_ONLY = "set enable_seqscan = off; set enable_hashjoin = off; set enable_mergejoin = off"
"""Plans of prepared statements last: one made while a table is small would read all of it later."""
REFUSES_TO_WRITE = (errors.ReadOnlySqlTransaction, errors.DiskFull, errors.InsufficientResources)


@contextmanager
def reachable() -> Iterator[None]:
    """Turn "it cannot be reached" and "it refuses to write" into Unavailable."""
    try:
        yield
    except REFUSES_TO_WRITE as error:
        raise Unavailable(f"The database takes no writes: {sentence(error)}") from error
    except GONE as error:
        raise Unavailable(f"The database cannot be reached: {sentence(error)}") from error


def sentence(error: BaseException) -> str:
    """The first line of a driver's error, which holds no parameters, as a sentence's end."""
    first = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return f"{first.rstrip('.')}."


async def until_it_accepts(dsn: str) -> None:
    """Wait while a server is there and lets nobody in yet, because it starts or recovers.

    Every other trouble is left to whoever connects next.
    """
    asked = make_conninfo(dsn, connect_timeout=5).encode()
    deadline = time.monotonic() + RECOVERY_SECONDS
    while await asyncio.to_thread(PGconn.ping, asked) == Ping.REJECT:
        if time.monotonic() > deadline:
            return
        await asyncio.sleep(0.2)


async def connect(dsn: str, *, name: str) -> psycopg.AsyncConnection[tuple[object, ...]]:
    """One connection in autocommit mode that takes packed arrays."""
    connection = await psycopg.AsyncConnection.connect(
        dsn, autocommit=True, application_name=f"quarterdeck {name}", connect_timeout=5
    )
    arrays.register(connection)
    return connection


async def _configure(connection: psycopg.AsyncConnection[tuple[object, ...]]) -> None:
    arrays.register(connection)


async def _configure_for_keys(connection: psycopg.AsyncConnection[tuple[object, ...]]) -> None:
    await _configure(connection)
    await connection.execute(BY_KEY_ONLY)


def open_pool(dsn: str, *, name: str, size: int, by_key: bool = False) -> AsyncConnectionPool:
    """A pool of autocommit connections, not opened yet; it waits at most 5 s for one.

    `by_key`: all that is read is looked up by a key, never by reading a whole table.
    """
    return AsyncConnectionPool(
        dsn,
        min_size=1,
        max_size=size,
        open=False,
        timeout=5,
        reconnect_timeout=RECONNECT_SECONDS,
        name=name,
        configure=_configure_for_keys if by_key else _configure,
        kwargs={"autocommit": True, "application_name": f"quarterdeck {name}"},
    )

"""Connections to PostgreSQL, and what its errors mean to those who asked."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import errors
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from adapters.postgres import arrays
from application.ports import Unavailable

GONE = (psycopg.OperationalError, psycopg.InterfaceError, PoolTimeout)
RECONNECT_SECONDS = 1.0
"""A pool that finds no server lets go after so long, and tries anew at once for who asks next.

By itself it would go on with pauses that double: after an outage of a minute for a minute more.
"""
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
    """The first line of a driver's error, which holds no parameters."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


async def connect(dsn: str, *, name: str) -> psycopg.AsyncConnection[tuple[object, ...]]:
    """One connection in autocommit mode that takes packed arrays."""
    connection = await psycopg.AsyncConnection.connect(
        dsn, autocommit=True, application_name=f"quarterdeck {name}", connect_timeout=5
    )
    arrays.register(connection)
    return connection


async def _configure(connection: psycopg.AsyncConnection[tuple[object, ...]]) -> None:
    arrays.register(connection)


def open_pool(dsn: str, *, name: str, size: int) -> AsyncConnectionPool:
    """A pool of autocommit connections, not opened yet; it waits at most 5 s for one."""
    return AsyncConnectionPool(
        dsn,
        min_size=1,
        max_size=size,
        open=False,
        timeout=5,
        reconnect_timeout=RECONNECT_SECONDS,
        name=name,
        configure=_configure,
        kwargs={"autocommit": True, "application_name": f"quarterdeck {name}"},
    )

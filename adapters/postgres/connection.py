"""What the errors of a connection to PostgreSQL mean, and waiting until it takes connections."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import errors
from psycopg.conninfo import make_conninfo
from psycopg.pq import PGconn, Ping
from psycopg_pool import PoolTimeout

from application.ports import Unavailable

GONE = (psycopg.OperationalError, psycopg.InterfaceError, PoolTimeout)
RECOVERY_SECONDS = 60.0
"""How long a process waits at its start for a server that recovers from a crash."""
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

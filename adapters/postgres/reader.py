"""The reader runs the queries of the read models on connections that may only look."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import orjson
import psycopg
from psycopg import AsyncConnection
from psycopg.abc import Buffer
from psycopg.adapt import Loader
from psycopg.rows import dict_row
from psycopg.types.string import TextLoader
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from adapters.postgres.connection import reachable
from adapters.postgres.sessions import Settings, open_pool
from application.ports import Unavailable
from projections.reader import BadCursor, Shown

STATEMENT_SECONDS = 10
MICROSECONDS = 6
OF_ANOTHER_VERSION = (psycopg.errors.UndefinedColumn, psycopg.errors.UndefinedTable)
"""What a query meets until the tables that its version declares are filled and switched to."""

Connection = AsyncConnection[Any]
Pool = AsyncConnectionPool[Connection]


class PostgresReader:
    """Runs the queries of the read models on the active builds (see projections.reader.Reader)."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def rows(self, sql: str, parameters: Mapping[str, Any] | None = None) -> list[Shown]:
        """All rows.

        Raises Unavailable when the database is away or takes longer than 10 s, or when the
        read models are of another version.
        """
        try:
            with reachable():
                return await self._rows(sql, parameters)
        except OF_ANOTHER_VERSION as error:
            told = "The read models are of another version; this one's are being built."
            raise Unavailable(told) from error

    async def row(self, sql: str, parameters: Mapping[str, Any] | None = None) -> Shown | None:
        """The first row, or None."""
        return next(iter(await self.rows(sql, parameters)), None)

    async def _rows(self, sql: str, parameters: Mapping[str, Any] | None) -> list[Shown]:
        try:
            return await self._rows_once(sql, parameters)
        except psycopg.OperationalError as error:
            if isinstance(error, psycopg.errors.QueryCanceled | PoolTimeout):
                raise
            # The server was restarted: every connection of the pool may be dead.
            await self._pool.check()
            return await self._rows_once(sql, parameters)

    async def _rows_once(self, sql: str, parameters: Mapping[str, Any] | None) -> list[Shown]:
        async with self._pool.connection() as connection:
            return await fetch(connection, sql, parameters)


async def fetch(
    connection: Connection, sql: str, parameters: Mapping[str, Any] | None = None
) -> list[Shown]:
    """The rows of a query as JSON shows them, on a session that `reads` describes."""
    cursor = connection.cursor(row_factory=dict_row)
    for kind, loader in LOADERS.items():
        cursor.adapters.register_loader(kind, loader)
    try:
        await cursor.execute(sql.encode(), parameters)
    except psycopg.errors.FeatureNotSupported:
        # A statement was prepared over a build that is no longer the active one.
        await connection.execute("deallocate all")
        await cursor.execute(sql.encode(), parameters)
    except psycopg.DataError as error:
        # Only a cursor brings values that nobody has checked.
        raise BadCursor("This cursor is not one of ours.") from error
    return await cursor.fetchall()


@asynccontextmanager
async def open_reader(dsn: str, connections: int = 8) -> AsyncIterator[PostgresReader]:
    """A reader over the database, also when the database is not there yet."""
    async with open_pool(dsn, name="reader", size=connections, settings=reads()) as pool:
        yield PostgresReader(pool)


def reads(search_path: str = "read") -> Settings:
    """The settings of a session that reads the tables in that path."""
    return {
        "search_path": search_path,
        "statement_timeout": f"{STATEMENT_SECONDS}s",
        # What a filter lets pass differs by orders of magnitude from one workspace to another.
        "plan_cache_mode": "force_custom_plan",
        "default_transaction_read_only": "on",
    }


class MomentLoader(Loader):
    """A timestamptz of a session in UTC as RFC 3339 with microseconds and Z."""

    def load(self, data: Buffer) -> str:
        day, _, clock = bytes(data).decode().removesuffix("+00").partition(" ")
        seconds, _, fraction = clock.partition(".")
        return f"{day}T{seconds}.{fraction:0<{MICROSECONDS}}Z"


class JsonLoader(Loader):
    """A jsonb as Python's own dicts, lists and values."""

    def load(self, data: Buffer) -> Any:
        return orjson.loads(data)


LOADERS: Mapping[str, type[Loader]] = {
    "timestamptz": MomentLoader,
    "uuid": TextLoader,
    "jsonb": JsonLoader,
}

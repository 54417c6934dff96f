"""A scratch copy of the read models at one position, in tables that end with its connection."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection

from adapters.postgres.connection import GONE, reachable
from adapters.postgres.feeding import Connection, rows_after
from adapters.postgres.read_models import Build, create_tables
from adapters.postgres.reader import fetch, reading
from adapters.postgres.stream import Decode, LogReader
from domain.model import Recorded
from projections.projection import Projection
from projections.reader import Shown

SCHEMA = "pg_temp"
PAGE_RECORDS = 500
"""Small pages: the process that builds has others to serve meanwhile."""


class Scratch:
    """The read models as they were when `position` was the last; it is a Reader.

    What was not built is not there: a query never shows the present by mistake.
    """

    def __init__(self, dsn: str, decode: Decode, position: int, moment: str) -> None:
        self.position = position
        self._dsn = dsn
        self._decode = decode
        self._moment = moment
        self._connection: Connection | None = None
        self._built: set[Projection] = set()
        self._building = asyncio.Lock()
        self.users = 0

    async def build(self, projections: Collection[Projection]) -> None:
        """See to it that these are there, also when the session was lost. Raises Unavailable."""
        async with self._building:
            with reachable():
                if self._connection is None or not await _answers(self._connection):
                    self._connection, self._built = await self._connect(), set()
                missing = [known for known in projections if known not in self._built]
                if missing:
                    await self._connection.execute("set default_transaction_read_only = off")
                    await self._build(self._connection, missing)
                    await self._connection.execute("set default_transaction_read_only = on")
                self._built.update(missing)

    async def rows(self, sql: str, parameters: Mapping[str, Any] | None = None) -> list[Shown]:
        """All rows (see projections.reader.Reader)."""
        assert self._connection is not None
        with reachable():
            return await fetch(self._connection, sql, parameters)

    async def row(self, sql: str, parameters: Mapping[str, Any] | None = None) -> Shown | None:
        """The first row, or None."""
        return next(iter(await self.rows(sql, parameters)), None)

    async def close(self) -> None:
        if self._connection is not None:
            await self._connection.close()

    async def _build(self, connection: Connection, projections: Sequence[Projection]) -> None:
        builds = [Build(0, known, SCHEMA) for known in projections if _is_built(known)]
        for projection in projections:
            await self._create(connection, projection)
        async with await self._connect() as log:
            reader = LogReader(log, self._decode, _topics(builds), PAGE_RECORDS)
            fillers = [_Filler(connection, build) for build in builds]
            offset = 1
            while builds and (page := await reader.page(offset, self.position)):
                for filler in fillers:
                    await filler.fill(page.records)
                offset = page.next_offset
        for build in builds:
            for table in build.projection.tables:
                await connection.execute(f'analyze "{table.name}"'.encode())

    async def _connect(self) -> Connection:
        dsn = reading(self._dsn, SCHEMA, "past")
        return await AsyncConnection.connect(dsn, autocommit=True, connect_timeout=5)

    async def _create(self, connection: Connection, projection: Projection) -> None:
        await create_tables(
            connection, "", [t for t in projection.tables if not t.as_of], "temporary"
        )
        # A view has no parameters: the values stand in it as literals.
        known = {"position": self.position, "moment": f"timestamptz '{self._moment}'"}
        for table in projection.tables:
            if table.as_of:
                await connection.execute(
                    f'create temporary view "{table.name}" as select * from read."{table.name}"'
                    f" where {table.as_of % known}".encode()
                )


class _Filler:
    """Fills one projection's tables; a stream whose event cannot be shown ends there."""

    def __init__(self, connection: Connection, build: Build) -> None:
        self._connection = connection
        self._build = build
        self._ended: set[UUID] = set()

    async def fill(self, records: Sequence[Recorded]) -> None:
        ready = [r for r in records if r.stream_id not in self._ended]
        try:
            await self._write(ready)
        except Exception:
            # A rule may raise anything at all.
            for recorded in ready:
                await self._fill_one(recorded)

    async def _fill_one(self, recorded: Recorded) -> None:
        if recorded.stream_id in self._ended:
            return
        try:
            await self._write([recorded])
        except Exception:
            if self._connection.closed:
                raise
            self._ended.add(recorded.stream_id)

    async def _write(self, records: Sequence[Recorded]) -> None:
        rows = await rows_after(self._connection, self._build, records)
        async with self._connection.transaction():
            for text, arrays in rows.statements(SCHEMA):
                await self._connection.execute(text, arrays)


async def _answers(connection: Connection) -> bool:
    try:
        await connection.execute("select 1")
    except GONE:
        return False
    return True


def _is_built(projection: Projection) -> bool:
    return any(table.as_of is None for table in projection.tables)


def _topics(builds: Sequence[Build]) -> Collection[str] | None:
    topics = [build.projection.topics for build in builds]
    return None if None in topics else frozenset().union(*(t for t in topics if t is not None))

"""A scratch copy of the read models at one position, in tables that end with its connection."""

import asyncio
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

import psycopg

from adapters.postgres.connection import GONE, reachable
from adapters.postgres.feeding import Connection
from adapters.postgres.filling import CarefulFiller, Filler
from adapters.postgres.read_models import Build, create_tables
from adapters.postgres.reader import fetch, reads
from adapters.postgres.sessions import connect
from adapters.postgres.stream import Decode, LogReader
from application.ports import Unavailable
from projections.projection import Projection
from projections.reader import Shown

SCHEMA = "pg_temp"
PAGE_RECORDS = 100
"""Small pages: the process that builds has others to serve meanwhile."""
WAIT_SECONDS = 10.0
"""How long a query waits for what it names to be built; the build goes on without it."""


class Scratch:
    """The read models as they were when `position` was the last; it is a Reader.

    A read model is built when a query first names one of its tables, in its `turn` among those
    of other instants. Who does not wait for it finds it later. What is not built is not there: a
    query never shows the present by mistake.
    """

    def __init__(
        self,
        dsn: str,
        decode: Decode,
        projections: Collection[Projection],
        position: int,
        moment: str,
        turn: Callable[[], AbstractAsyncContextManager[None]],
        wait_seconds: float = WAIT_SECONDS,
    ) -> None:
        self.position = position
        self._turn = turn
        self._wait_seconds = wait_seconds
        self._dsn = dsn
        self._decode = decode
        self._projections = projections
        self._moment = moment
        self._connection: Connection | None = None
        self._built: set[Projection] = set()
        self._work: asyncio.Task[None] | None = None
        self.users = 0

    async def rows(self, sql: str, parameters: Mapping[str, Any] | None = None) -> list[Shown]:
        """All rows (see projections.reader.Reader). Raises Unavailable while they are built."""
        words = frozenset(re.findall(r"\w+", sql))
        named = [p for p in self._projections if not words.isdisjoint(t.name for t in p.tables)]
        with reachable():
            return await fetch(await self._with(named), sql, parameters)

    async def row(self, sql: str, parameters: Mapping[str, Any] | None = None) -> Shown | None:
        """The first row, or None."""
        return next(iter(await self.rows(sql, parameters)), None)

    async def close(self) -> None:
        if self._work is not None:
            self._work.cancel()
            await asyncio.wait([self._work])
        if self._connection is not None:
            await self._connection.close()

    async def _with(self, projections: Sequence[Projection]) -> Connection:
        """The session with these read models in it, a new one if the last was lost."""
        try:
            async with asyncio.timeout(self._wait_seconds):
                while True:
                    connection = self._connection
                    is_there = connection is not None and await _answers(connection)
                    if connection and is_there and self._built.issuperset(projections):
                        return connection
                    await asyncio.shield(self._at_work(projections))
        except TimeoutError:
            raise Unavailable(
                "The read models of that instant are being built; ask again in a moment."
            ) from None

    def _at_work(self, projections: Sequence[Projection]) -> "asyncio.Task[None]":
        """The build that is under way, or else one of these."""
        if self._work is None or self._work.done():
            self._work = asyncio.create_task(
                self._build_in_turn(projections), name=f"the past at {self.position}"
            )
            self._work.add_done_callback(_noted)
        return self._work

    async def _build_in_turn(self, projections: Sequence[Projection]) -> None:
        async with self._turn():
            if not self.users:
                return
            if self._connection is None or not await _answers(self._connection):
                self._connection, self._built = await self._connect(), set()
            missing = [known for known in projections if known not in self._built]
            await self._build_or_close(self._connection, missing)
            self._built.update(missing)

    async def _build_or_close(
        self, connection: Connection, projections: Sequence[Projection]
    ) -> None:
        """Half of it would be worse than nothing: whoever comes next begins in a new session."""
        try:
            await connection.execute("set default_transaction_read_only = off")
            await self._build(connection, projections)
            await connection.execute("set default_transaction_read_only = on")
        except BaseException:
            await connection.close()
            raise

    async def _build(self, connection: Connection, projections: Sequence[Projection]) -> None:
        for projection in projections:
            await self._create(connection, projection)
        builds = [Build(0, known, SCHEMA) for known in projections if _is_built(known)]
        tables = [table.name for build in builds for table in build.projection.tables]
        if not tables:
            return
        try:
            await self._fill(builds, [Filler(connection, build) for build in builds])
        except psycopg.DataError:
            # A row that cannot be written: go again, event by event, to find whose it is.
            await connection.execute(f"truncate {_quoted(tables)}".encode())
            await self._fill(builds, [CarefulFiller(connection, build) for build in builds])
        await connection.execute(f"analyze {_quoted(tables)}".encode())

    async def _fill(self, builds: Sequence[Build], fillers: Sequence[Filler]) -> None:
        async with await self._connect() as log:
            reader = LogReader(log, self._decode, _topics(builds), PAGE_RECORDS)
            offset = 1
            while page := await reader.page(offset, self.position):
                for filler in fillers:
                    await filler.fill(page.records)
                offset = page.next_offset
        for filler in fillers:
            await filler.finish()

    async def _connect(self) -> Connection:
        return await connect(self._dsn, name="past", settings=reads(SCHEMA))

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


def _noted(work: "asyncio.Task[None]") -> None:
    """Who still waits is told what went wrong; when nobody does, who comes next begins anew."""
    if not work.cancelled():
        work.exception()


async def _answers(connection: Connection) -> bool:
    try:
        await connection.execute("select 1")
    except GONE:
        return False
    return True


def _quoted(tables: Sequence[str]) -> str:
    return ", ".join(f'"{table}"' for table in tables)


def _is_built(projection: Projection) -> bool:
    return any(table.as_of is None for table in projection.tables)


def _topics(builds: Sequence[Build]) -> Collection[str] | None:
    topics = [build.projection.topics for build in builds]
    return None if None in topics else frozenset().union(*(t for t in topics if t is not None))

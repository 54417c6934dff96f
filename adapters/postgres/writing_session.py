"""The writer's one session with the database, and how it finds out what a broken one wrote."""

import asyncio
from collections.abc import Sequence
from typing import Any, TypeVar

import psycopg

from adapters.postgres import connection as postgres
from adapters.postgres.append_calls import Encoded, said_of, write
from adapters.postgres.prepared_calls import PreparedCalls
from application.ports import Appended, Unavailable

SETTLE_SECONDS = 10.0
"""How long a broken connection may keep those who wait on it from learning what was written."""
LIFE = "select pid, backend_start from pg_stat_activity where pid = pg_backend_pid()"
END = """
    select pg_terminate_backend(pid, 5000) from pg_stat_activity
    where pid = %s and backend_start = %s
"""
WRITTEN = """
    select notification_id, recorded_at from log.stored_events
    where originator_id = %s and originator_version = %s
      and topic = %s and state = %s and metadata = %s
"""
SEEN = """
    select position, recorded_at from log.commands
    where command_id = %s and fingerprint = %s and result = %s
"""

Connection = psycopg.AsyncConnection[Any]
R = TypeVar("R", bound=Encoded)


class WritingSession:
    """One batch at a time; it is opened before each, which does nothing while it is open."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._connection: Connection | None = None
        self._calls: PreparedCalls | None = None
        self._life: Any = None

    async def open(self) -> Connection:
        """The connection, a new one if there is none any more. Raises psycopg's errors."""
        if self._connection is None or self._connection.closed:
            await self.close()
            connection = await postgres.connect(self._dsn, name="writer")
            self._life = await (await connection.execute(LIFE)).fetchone()
            self._connection = connection
        return self._connection

    async def write(self, batch: Sequence[Encoded]) -> None:
        """Give each request its verdict. Raises psycopg's errors: then it is to be settled."""
        assert self._connection is not None
        self._calls = self._calls or PreparedCalls(self._connection)
        await write(self._calls, batch)

    async def settle(self, batch: Sequence[Encoded]) -> None:
        """Find out which appends were written before the session broke.

        What was on its way when it broke may still be carried out: first its end is made sure of.
        A request without a verdict was not written.
        """
        life = self._life
        await self.close()
        try:
            async with asyncio.timeout(SETTLE_SECONDS):
                connection = await self._open_patiently()
                await _end(connection, life)
                for request in batch:
                    request.verdict = await _written(connection, request)
        except (psycopg.Error, TimeoutError):
            refuse(batch, "The database went away: nobody knows whether this was written.")

    async def close(self) -> None:
        if self._calls is not None:
            self._calls.close()
            self._calls = None
        if self._connection is not None:
            await self._connection.close()
            self._connection = None

    async def _open_patiently(self) -> Connection:
        pause = 0.02
        while True:
            try:
                return await self.open()
            except postgres.GONE:
                await asyncio.sleep(pause)
                pause = min(pause * 2, 1.0)


def without_verdict(batch: Sequence[R]) -> list[R]:
    return [request for request in batch if request.verdict is None]


def refuse(batch: Sequence[Encoded], detail: str) -> None:
    """Nothing more can be said of those that have no verdict."""
    for request in without_verdict(batch):
        request.verdict = Unavailable(detail)


async def _end(connection: Connection, life: Any) -> None:
    """End the session that broke; when it is gone, so is what it was doing, or it is written."""
    cursor = await connection.execute(END, life)
    if await cursor.fetchall() not in ([], [(True,)]):
        raise TimeoutError


async def _written(connection: Connection, request: Encoded) -> Appended | None:
    """Where an append stands, if it was written: its last event, or else its command."""
    if request.events:
        cursor = await connection.execute(WRITTEN, said_of(request.events[-1]))
    elif (command := request.append.command) is not None:
        asked = [command.command_id, command.fingerprint, command.result]
        cursor = await connection.execute(SEEN, asked)
    else:
        return None
    row = await cursor.fetchone()
    return Appended(*row) if row else None

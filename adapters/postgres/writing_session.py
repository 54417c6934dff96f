"""The writer's one session with the database, and how it finds out what a broken one wrote."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self, TypeVar

import psycopg

from adapters.postgres import connection as postgres
from adapters.postgres.append_calls import Encoded, said_of, write
from adapters.postgres.prepared_calls import PreparedCalls
from adapters.postgres.sessions import connect
from application.ports import Appended, Unavailable

SETTLE_SECONDS = 10.0
"""How long a broken connection may keep those who wait on it from learning what was written."""
LIFE = "select pid, backend_start from pg_stat_activity where pid = pg_backend_pid()"
END = """
    select pg_terminate_backend(pid, 5000) from pg_stat_activity
    where pid = %s and backend_start = %s and pid <> pg_backend_pid()
"""
"""A pooler may give the very process to who asks: it does so when what the process did is over."""
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


@dataclass(frozen=True, slots=True)
class Session:
    connection: Connection
    calls: PreparedCalls
    life: Any
    """Which of the server's processes serves it: (pid, when it began)."""

    @classmethod
    async def open(cls, dsn: str) -> Self:
        connection = await connect(dsn, name="writer")
        try:
            life = await (await connection.execute(LIFE)).fetchone()
        except BaseException:
            await connection.close()
            raise
        return cls(connection, PreparedCalls(connection), life)

    async def close(self) -> None:
        self.calls.close()
        await self.connection.close()


class WritingSession:
    """Batch after batch, on a new connection when the last one broke."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._session: Session | None = None
        self._opening = asyncio.Lock()

    async def write(self, batch: Sequence[Encoded]) -> None:
        """Give each request its verdict: none when it was not written because the session broke.

        Raises psycopg's errors: of a database that cannot be reached or takes no writes, and of
        one that cannot take this batch.
        """
        session = self._session
        if session is None or session.connection.closed:
            session = await self._open()
        try:
            await write(session.calls, batch)
        except postgres.REFUSES_TO_WRITE:
            await self._leave(session)
            raise
        except postgres.GONE:
            await self._leave(session)
            await self._settle(batch, session.life)

    async def close(self) -> None:
        if self._session is not None:
            await self._leave(self._session)

    async def _open(self) -> Session:
        async with self._opening:
            if self._session is None or self._session.connection.closed:
                await self.close()
                self._session = await Session.open(self._dsn)
            return self._session

    async def _leave(self, session: Session) -> None:
        if session is self._session:
            self._session = None
        await session.close()

    async def _settle(self, batch: Sequence[Encoded], life: Any) -> None:
        """Find out which appends were written before the session broke.

        What was on its way when it broke may still be carried out: first its end is made sure of.
        """
        left = without_verdict(batch)
        try:
            async with asyncio.timeout(SETTLE_SECONDS):
                async with await self._connect_patiently() as connection:
                    await _end(connection, life)
                    for request in left:
                        request.verdict = await _written(connection, request)
        except (psycopg.Error, TimeoutError):
            refuse(left, "The database went away: nobody knows whether this was written.")

    async def _connect_patiently(self) -> Connection:
        pause = 0.02
        while True:
            try:
                return await connect(self._dsn, name="writer's past")
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
    """End the session that broke; when it is gone, so is what it was doing, or it is written.

    Asked again while the server says no: it may end by itself just then, or by who settles too.
    """
    while (False,) in await (await connection.execute(END, life)).fetchall():
        await asyncio.sleep(0.01)


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

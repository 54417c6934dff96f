"""The writer's one session with the database, and how it finds out what a broken one wrote."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Self, TypeVar

import psycopg

from adapters.postgres import connection as postgres
from adapters.postgres.append_calls import Encoded, said_of, write
from adapters.postgres.prepared_calls import PreparedCalls
from adapters.postgres.sessions import connect
from application.ports import AppendConflict, Appended, Unavailable

WRITE_SECONDS = 8.0
"""How long a server may take over a batch: one that says no more has perhaps a successor."""
SETTLE_SECONDS = 10.0
"""How long a broken connection may keep those who wait on it from learning what was written."""
LIFE = "select pid, backend_start from pg_stat_activity where pid = pg_backend_pid()"
# A promoted standby and a restored server write on another timeline, and a database that was made
# anew has another number.
HISTORY = """
    select oid, case when not pg_is_in_recovery()
                     then left(pg_walfile_name(pg_current_wal_lsn()), 8) end
    from pg_database where datname = current_database()
"""
# A commit that the standby confirms, where there is a synchronous one: so is all before it.
CONFIRMED = "select pg_logical_emit_message(true, 'quarterdeck', '')"
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
    history: Any
    """Which database, on which timeline."""

    @classmethod
    async def open(cls, dsn: str) -> Self:
        connection = await connect(dsn, name="writer")
        try:
            life = await (await connection.execute(LIFE)).fetchone()
            history = await (await connection.execute(HISTORY)).fetchone()
        except BaseException:
            await connection.close()
            raise
        return cls(connection, PreparedCalls(connection), life, history)

    async def close(self) -> None:
        self.calls.close()
        await self.connection.close()


class WritingSession:
    """Batch after batch, on a new connection when the last one broke."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._session: Session | None = None
        self._opening = asyncio.Lock()
        self._history: Any = None
        self.history = 0
        """Another number whenever the log may have become another one (see HISTORY)."""
        self.on_other_history: Callable[[], None] = _nothing

    async def write(self, batch: Sequence[Encoded]) -> None:
        """Give each request its verdict: none when it was not written because the session broke.

        One that was decided before a failover meets a conflict: what it was decided on, or the key
        that its secrets were sealed with, may be lost, and its versions be another event's.
        Raises psycopg's errors: of a database that cannot be reached or takes no writes, and of
        one that cannot take this batch.
        """
        session = self._session
        if session is None or session.connection.closed:
            session = await self._open()
        batch = self._decided_here(batch)
        try:
            async with asyncio.timeout(WRITE_SECONDS):
                await write(session.calls, batch)
        except postgres.REFUSES_TO_WRITE:
            await self._leave(session)
            raise
        except (*postgres.GONE, TimeoutError):
            await self._leave(session)
            await self._settle(batch, session.life)

    def _decided_here(self, batch: Sequence[Encoded]) -> Sequence[Encoded]:
        for request in batch:
            if request.history != self.history:
                request.verdict = AppendConflict()
        return without_verdict(batch)

    async def close(self) -> None:
        if self._session is not None:
            await self._leave(self._session)

    async def _open(self) -> Session:
        async with self._opening:
            if self._session is None or self._session.connection.closed:
                await self.close()
                self._session = await Session.open(self._dsn)
                self._compare_history(self._session.history)
            return self._session

    def _compare_history(self, history: Any) -> None:
        if self._history is not None and history != self._history:
            self.history += 1
            self.on_other_history()
        self._history = history

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
                    await connection.execute(CONFIRMED)
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


def _nothing() -> None:
    """Nobody wants to know."""


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

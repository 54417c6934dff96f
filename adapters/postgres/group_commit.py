"""Group commit: what waited while the last commit ran is the next one."""

import asyncio
from collections import deque
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from adapters.postgres import connection as postgres
from adapters.postgres.append_calls import Encoded, Event, packed, said_of, write
from adapters.postgres.mapper import Mapper
from adapters.postgres.prepared_calls import PreparedCalls
from application.ports import (
    Append,
    Appended,
    Overloaded,
    Unavailable,
)

MAX_EVENTS = 1_000
MAX_BYTES = 1 << 20
MAX_WAITING = 10_000
WHOLE = 32
"""A batch up to this many requests is not worth halving: a commit costs more than what is won."""
TRIES = 3
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


@dataclass(slots=True)
class Request(Encoded):
    """An encoded append and who waits for it."""

    answer: "asyncio.Future[Appended] | None" = None


class GroupCommit:
    """One writer on one connection. Appends that touch the same stream, key or command never
    share a batch; a request that breaks its batch fails alone."""

    def __init__(self, dsn: str, mapper: Mapper, *, capacity: int = MAX_WAITING) -> None:
        self._dsn = dsn
        self._mapper = mapper
        self._capacity = capacity
        self._waiting: deque[Request] = deque()
        self._connection: Connection | None = None
        self._calls: PreparedCalls | None = None
        self._life: Any = None
        self._drain: asyncio.Task[None] | None = None
        self._is_busy = False
        self.batches = 0

    async def close(self) -> None:
        if self._drain is not None:
            await asyncio.wait([self._drain])
        await self._disconnect()

    def append(self, append: Append) -> Coroutine[Any, Any, Appended]:
        return self.submit(self._encode(append))

    async def submit(self, request: Request) -> Appended:
        """Commit an encoded request: at once when nothing waits, else with the next batch."""
        if self._is_busy or self._waiting:
            return await self._queue(request)
        self._is_busy = True
        try:
            await self._commit([request])
        finally:
            self._is_busy = False
            self._drain_later()
        return _answer(request)

    def _encode(self, append: Append) -> Request:
        metadata = self._mapper.metadata(append.metadata)
        events: list[Event] = []
        starts: list[bool] = []
        guards: list[tuple[bytes, int]] = []
        keys: list[object] = [claim.key for claim in append.claims]
        size = 0
        for stream_id, version, decided in append.streams:
            stream = stream_id.bytes
            keys.append(stream)
            for n, event in enumerate(decided, start=1):
                state = self._mapper.state(event)
                events.append(packed(stream, version + n, event.topic, state, metadata))
                starts.append(n == 1)
                size += len(state) + len(metadata)
            if not decided:
                guards.append((stream, version))
        if append.command is not None:
            keys.append((append.command.command_id,))
        for document in append.documents:
            size += len(document.body)
        return Request(append, events, starts, guards, keys, size)

    def _queue(self, request: Request) -> "asyncio.Future[Appended]":
        if len(self._waiting) >= self._capacity:
            raise Overloaded
        request.answer = asyncio.get_running_loop().create_future()
        self._waiting.append(request)
        self._drain_later()
        return request.answer

    def _drain_later(self) -> None:
        if self._waiting and not self._is_busy and (self._drain is None or self._drain.done()):
            self._drain = asyncio.create_task(self._drain_queue(), name="group commit")

    async def _drain_queue(self) -> None:
        """Batch after batch. One takes half of all who are there, when they are many: the others
        make up the next while the database writes this one, and hear once that is on its way."""
        loop = asyncio.get_running_loop()
        batch: list[Request] = []
        while self._waiting and not self._is_busy:
            self._is_busy = True
            batch = self._next_batch(max(WHOLE, (len(self._waiting) + len(batch) + 1) // 2))
            try:
                if batch:
                    await self._commit(batch)
            finally:
                self._is_busy = False
                loop.call_soon(_wake, batch)
            if len(self._waiting) < len(batch) // 2:
                await asyncio.sleep(0)  # They hear of it,
                await asyncio.sleep(0)  # and ask for more.

    def _next_batch(self, share: int) -> list[Request]:
        batch: list[Request] = []
        deferred: list[Request] = []
        keys: set[object] = set()
        left_events, left_bytes = MAX_EVENTS, MAX_BYTES
        while self._waiting and len(batch) < share and left_events > 0 and left_bytes > 0:
            request = self._waiting.popleft()
            if request.answer is not None and request.answer.cancelled():
                continue
            is_apart = keys.isdisjoint(request.keys)
            keys.update(request.keys)
            if not is_apart:
                deferred.append(request)
                continue
            batch.append(request)
            left_events -= len(request.events)
            left_bytes -= request.size
        self._waiting.extendleft(reversed(deferred))
        return batch

    async def _commit(self, batch: Sequence[Request]) -> None:
        """Give every request its verdict; never raises for what the database says."""
        try:
            await self._write(batch)
        except postgres.REFUSES_TO_WRITE as error:
            await self._disconnect()
            _refuse(batch, f"The database takes no writes: {postgres.sentence(error)}")
        except postgres.GONE as error:
            _refuse(batch, f"The database cannot be reached: {postgres.sentence(error)}")
        except Exception as error:
            await self._one_by_one(batch, error)
        except BaseException as error:
            for request in _open(batch):
                request.verdict = error
            raise

    async def _write(self, batch: Sequence[Request]) -> None:
        """Write the batch; when the connection breaks, find out what was written, and go on."""
        left = batch
        for _ in range(TRIES):
            await self._connect()
            try:
                await self._execute(left)
                return
            except postgres.REFUSES_TO_WRITE:
                raise
            except postgres.GONE:
                await self._settle(left)
                left = _open(left)
                if not left:
                    return
        _refuse(left, "The database keeps going away: nothing was written.")

    async def _execute(self, batch: Sequence[Request]) -> None:
        assert self._connection is not None
        self.batches += 1
        self._calls = self._calls or PreparedCalls(self._connection)
        await write(self._calls, batch)

    async def _one_by_one(self, batch: Sequence[Request], error: Exception) -> None:
        """A poison request fails alone: the others are written without it."""
        left = _open(batch)
        if len(left) == 1:
            left[0].verdict = error
            return
        for request in left:
            await self._commit([request])

    async def _settle(self, batch: Sequence[Request]) -> None:
        """Find out which appends were written before the connection broke.

        What was on its way when it broke may still be carried out: first its end is made sure of.
        """
        life = self._life
        await self._disconnect()
        try:
            async with asyncio.timeout(SETTLE_SECONDS):
                connection = await self._connect_patiently()
                await _end(connection, life)
                for request in batch:
                    request.verdict = await _written(connection, request)
        except (psycopg.Error, TimeoutError):
            _refuse(batch, "The database went away: nobody knows whether this was written.")

    async def _connect_patiently(self) -> Connection:
        pause = 0.02
        while True:
            try:
                return await self._connect()
            except postgres.GONE:
                await asyncio.sleep(pause)
                pause = min(pause * 2, 1.0)

    async def _connect(self) -> Connection:
        if self._connection is None or self._connection.closed:
            await self._disconnect()
            connection = await postgres.connect(self._dsn, name="writer")
            self._life = await (await connection.execute(LIFE)).fetchone()
            self._connection = connection
        return self._connection

    async def _disconnect(self) -> None:
        if self._calls is not None:
            self._calls.close()
            self._calls = None
        if self._connection is not None:
            await self._connection.close()
            self._connection = None


async def _end(connection: Connection, life: Any) -> None:
    """End the session that broke; when it is gone, so is what it was doing, or it is written."""
    cursor = await connection.execute(END, life)
    if await cursor.fetchall() not in ([], [(True,)]):
        raise TimeoutError


async def _written(connection: Connection, request: Request) -> Appended | None:
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


def _open(batch: Sequence[Request]) -> Sequence[Request]:
    return [request for request in batch if request.verdict is None]


def _refuse(batch: Sequence[Request], detail: str) -> None:
    for request in _open(batch):
        request.verdict = Unavailable(detail)


def _answer(request: Request) -> Appended:
    if isinstance(request.verdict, Appended):
        return request.verdict
    raise request.verdict or RuntimeError("an append ended without a verdict")


def _wake(batch: Sequence[Request]) -> None:
    for request in batch:
        answer, verdict = request.answer, request.verdict
        if answer is None or answer.done():
            continue
        if isinstance(verdict, Appended):
            answer.set_result(verdict)
        else:
            answer.set_exception(verdict or RuntimeError("no verdict"))

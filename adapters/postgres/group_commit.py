"""Group commit: what waited while the last commit ran is the next one."""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import psycopg

from adapters.postgres import connection as postgres
from adapters.postgres.append_calls import LOCK_KEY, Encoded, Event, write
from adapters.postgres.mapper import Mapper, content_hash
from application.ports import (
    Append,
    Appended,
    Overloaded,
    Unavailable,
)

MAX_EVENTS = 1_000
MAX_BYTES = 1 << 20
MAX_WAITING = 10_000


@dataclass(slots=True)
class Request(Encoded):
    """An encoded append, what it must not share a batch over, and who waits for it."""

    keys: set[object]
    size: int
    answer: "asyncio.Future[Appended] | None" = None
    verdict: "Appended | BaseException | None" = None


class GroupCommit:
    """One writer on one connection. Appends that touch the same stream, key or command never
    share a batch; a request that breaks its batch fails alone."""

    def __init__(self, dsn: str, mapper: Mapper) -> None:
        self._dsn = dsn
        self._mapper = mapper
        self._waiting: deque[Request] = deque()
        self._connection: psycopg.AsyncConnection[tuple[object, ...]] | None = None
        self._drain: asyncio.Task[None] | None = None
        self._is_busy = False
        self.batches = 0

    async def close(self) -> None:
        if self._drain is not None:
            await asyncio.wait([self._drain])
        if self._connection is not None:
            await self._connection.close()

    async def append(self, append: Append) -> Appended:
        return await self.submit(self._encode(append))

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
        keys: set[object] = set()
        size = 0
        for stream in append.streams:
            keys.add(stream.stream_id)
            version = stream.expected
            for event in stream.events:
                version += 1
                state = self._mapper.state(event)
                content = content_hash(
                    stream.stream_id, version, event.topic.encode(), metadata, state
                )
                events.append((stream.stream_id, version, event.topic, state, metadata, content))
                size += len(state) + len(metadata)
        keys.update(claim.key for claim in append.claims)
        if append.command is not None:
            keys.add((append.command.command_id,))
        size += sum(len(document.body) for document in append.documents)
        expected = [(stream.stream_id, stream.expected) for stream in append.streams]
        return Request(append, events, expected, keys, size)

    async def _queue(self, request: Request) -> Appended:
        if len(self._waiting) >= MAX_WAITING:
            raise Overloaded
        request.answer = asyncio.get_running_loop().create_future()
        self._waiting.append(request)
        self._drain_later()
        return await request.answer

    def _drain_later(self) -> None:
        if self._waiting and not self._is_busy and (self._drain is None or self._drain.done()):
            self._drain = asyncio.create_task(self._drain_queue(), name="group commit")

    async def _drain_queue(self) -> None:
        while self._waiting:
            if self._is_busy:
                return
            self._is_busy = True
            batch = self._next_batch()
            try:
                await self._commit(batch)
            finally:
                self._is_busy = False
                for request in batch:
                    _wake(request)

    def _next_batch(self) -> list[Request]:
        batch: list[Request] = []
        deferred: list[Request] = []
        keys: set[object] = set()
        events = size = 0
        while self._waiting and events < MAX_EVENTS and size < MAX_BYTES:
            request = self._waiting.popleft()
            if not keys.isdisjoint(request.keys):
                deferred.append(request)
                keys |= request.keys
                continue
            keys |= request.keys
            batch.append(request)
            events += len(request.events)
            size += request.size
        self._waiting.extendleft(reversed(deferred))
        return batch

    async def _commit(self, batch: Sequence[Request]) -> None:
        """Give every request its verdict; never raises for what the database says."""
        try:
            await self._execute(batch)
        except postgres.GONE as error:
            await self._settle_unknown(batch, error)
        except psycopg.Error as error:
            await self._one_by_one(batch, error)
        except BaseException as error:
            for request in batch:
                request.verdict = request.verdict or error
            raise

    async def _execute(self, batch: Sequence[Request]) -> None:
        if self._connection is None or self._connection.closed:
            self._connection = await postgres.connect(self._dsn, name="writer")
        self.batches += 1
        for request, verdict in zip(batch, await write(self._connection, batch), strict=True):
            request.verdict = verdict

    async def _one_by_one(self, batch: Sequence[Request], error: psycopg.Error) -> None:
        """A poison request fails alone: the others are written without it."""
        if len(batch) == 1:
            batch[0].verdict = _refusal(error)
            return
        for request in batch:
            await self._commit([request])

    async def _settle_unknown(self, batch: Sequence[Request], error: BaseException) -> None:
        """The connection broke: find out which appends were written before it did."""
        gone = Unavailable(f"The database cannot be reached: {postgres.sentence(error)}")
        try:
            if self._connection is not None:
                await self._connection.close()
            self._connection = await postgres.connect(self._dsn, name="writer")
            await self._connection.execute("select pg_advisory_xact_lock(%s)", [LOCK_KEY])
            for request in batch:
                request.verdict = await self._written(request) or gone
        except (psycopg.Error, OSError):
            for request in batch:
                request.verdict = request.verdict or gone

    async def _written(self, request: Request) -> Appended | None:
        assert self._connection is not None
        if not request.events:
            return None
        stream_id, version, topic, state, metadata, _ = request.events[-1]
        cursor = await self._connection.execute(
            "select notification_id, recorded_at from log.stored_events where originator_id = %s"
            " and originator_version = %s and topic = %s and state = %s and metadata = %s",
            [stream_id, version, topic, state, metadata],
        )
        row = await cursor.fetchone()
        return Appended(*row) if row else None  # type: ignore[arg-type]


def _refusal(error: psycopg.Error) -> BaseException:
    if isinstance(error, postgres.REFUSES_TO_WRITE):
        return Unavailable(f"The database takes no writes: {postgres.sentence(error)}")
    return error


def _answer(request: Request) -> Appended:
    if isinstance(request.verdict, Appended):
        return request.verdict
    raise request.verdict or RuntimeError("an append ended without a verdict")


def _wake(request: Request) -> None:
    if request.answer is None or request.answer.done():
        return
    if isinstance(request.verdict, Appended):
        request.answer.set_result(request.verdict)
    else:
        request.answer.set_exception(request.verdict or RuntimeError("no verdict"))

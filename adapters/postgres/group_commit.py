"""Group commit: what waited while others were committed is committed together."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from psycopg.errors import CheckViolation

from adapters.postgres import connection as postgres
from adapters.postgres.append_calls import Encoded, Event, packed
from adapters.postgres.arrays import sized
from adapters.postgres.mapper import Mapper
from adapters.postgres.writing_session import WritingSession, refuse, without_verdict
from application.ports import MOST_EVENT_BYTES, Append, Appended, EventTooLarge, Overloaded

MAX_BYTES = 1 << 20
"""A batch is full with so much."""
ROW_BYTES = 512
"""What an event counts for beside the bytes of its state and its envelope."""
MAX_WAITING = 10_000
WHOLE = 32
"""So many requests are worth a commit of their own while another runs."""
ON_THE_WAY = 2
"""Batches sent at most: the database begins the next before we have heard of the last."""
TRIES = 3
FITS = "stored_events_fits"
"""The log's rule about the size of an event (schema step 12)."""


@dataclass(slots=True)
class Request(Encoded):
    """An encoded append, what it must not share a batch over, how much of a batch it fills (see
    ROW_BYTES), and who waits for it."""

    keys: list[object]
    size: int
    answer: "asyncio.Future[Appended] | None" = None


class GroupCommit:
    """One writer on one connection. Appends that touch the same stream, key or command never
    share a batch; a request that breaks its batch fails alone."""

    def __init__(self, dsn: str, mapper: Mapper, *, capacity: int = MAX_WAITING) -> None:
        self._session = WritingSession(dsn)
        self._mapper = mapper
        self._capacity = capacity
        self._waiting: deque[Request] = deque()
        self._sent = 0
        """Requests that are on their way."""
        self._batches_sent = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._will_send = False
        self.batches = 0

    async def close(self) -> None:
        while self._tasks:
            await asyncio.wait(self._tasks)
        await self._session.close()

    def on_other_history(self, listener: Callable[[], None]) -> None:
        """Call the listener when another server, or a restored database, takes the appends.

        What was decided before then meets a conflict: it may have been decided on what is lost.
        """
        self._session.on_other_history = listener

    @property
    def waiting(self) -> int:
        """How many appends wait for the next batch."""
        return len(self._waiting)

    def append(self, append: Append) -> Awaitable[Appended]:
        return self.submit(self._encode(append))

    def submit(self, request: Request) -> Awaitable[Appended]:
        """Commit an encoded request: at once when nothing waits, else with others."""
        if self._sent or self._waiting:
            return self._queue(request)
        return self._alone(request)

    async def _alone(self, request: Request) -> Appended:
        # Somebody may have come between this being asked for and its turn.
        if self._sent or self._waiting:
            return await self._queue(request)
        batch = [request]
        self._count_sent(batch)
        try:
            await self._commit(batch)
        finally:
            self._count_back(batch)
            self._send_soon()
        return _answer(request)

    def _encode(self, append: Append) -> Request:
        streams, known, claims, documents, command = append
        envelope = sized(self._mapper.envelope(known))
        events: list[Event] = []
        starts: list[bool] = []
        guards: list[tuple[bytes, int]] = []
        keys: list[object] = []
        size = 0
        for added in streams:
            stream, version = added.stream_id.bytes, added.expected
            keys.append(stream)
            if not added.events:
                guards.append((stream, version))
            is_first = True
            for event in added.events:
                version += 1
                state = self._mapper.state(event)
                events.append(packed(stream, version, event.topic, state, envelope))
                starts.append(is_first)
                is_first = False
                size += len(state) + len(envelope) + ROW_BYTES
        keys.extend(claim.key for claim in claims)
        if command is not None:
            keys.append((command.command_id,))
        for document in documents:
            size += len(document.body)
        request = Request(append, events, starts, guards, keys, size)
        request.history = self._session.history
        if claims or documents or guards or command is not None:
            request.has_more = True
        return request

    def _queue(self, request: Request) -> "asyncio.Future[Appended]":
        if len(self._waiting) >= self._capacity:
            raise Overloaded
        answer = request.answer = asyncio.get_running_loop().create_future()
        self._waiting.append(request)
        self._send_soon()
        return answer

    def _send_soon(self) -> None:
        if self._waiting and not self._will_send:
            self._will_send = True
            asyncio.get_running_loop().call_soon(self._send)

    def _send(self, back: int = 0) -> None:
        """Send what waits. Of many it is half of all who are there, so that the others are
        prepared while the database writes these; less goes only when nothing is on its way.

        `back`: so many have just come back, and may soon ask for more.
        """
        self._will_send = False
        while self._waiting and self._batches_sent < ON_THE_WAY:
            share = max(WHOLE, (len(self._waiting) + self._sent + back + 1) // 2)
            if self._sent and len(self._waiting) < share:
                return
            if batch := self._next_batch(share):
                self._count_sent(batch)
                task = asyncio.create_task(self._send_batch(batch), name="group commit")
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

    async def _send_batch(self, batch: Sequence[Request]) -> None:
        try:
            await self._commit(batch)
        finally:
            self._count_back(batch)
            self._send(back=len(batch))
            _wake(batch)

    def _count_sent(self, batch: Sequence[Request]) -> None:
        self._sent += len(batch)
        self._batches_sent += 1

    def _count_back(self, batch: Sequence[Request]) -> None:
        self._sent -= len(batch)
        self._batches_sent -= 1

    def _next_batch(self, share: int) -> list[Request]:
        batch: list[Request] = []
        deferred: list[Request] = []
        keys: set[object] = set()
        room = MAX_BYTES
        while self._waiting and len(batch) < share and room > 0:
            request = self._waiting.popleft()
            if request.answer is not None and request.answer.cancelled():
                continue
            if keys.isdisjoint(request.keys):
                batch.append(request)
                room -= request.size
            else:
                deferred.append(request)
            keys.update(request.keys)
        self._waiting.extendleft(reversed(deferred))
        return batch

    async def _commit(self, batch: Sequence[Request]) -> None:
        """Give every request its verdict; never raises for what the database says."""
        try:
            await self._write(batch)
        except postgres.REFUSES_TO_WRITE as error:
            refuse(batch, f"The database takes no writes: {postgres.sentence(error)}")
        except postgres.GONE as error:
            refuse(batch, f"The database cannot be reached: {postgres.sentence(error)}")
        except Exception as error:
            await self._one_by_one(batch, error)
        except BaseException as error:
            for request in without_verdict(batch):
                request.verdict = error
            raise

    async def _write(self, batch: Sequence[Request]) -> None:
        """Write the batch, and again what was not written because the session broke."""
        left = batch
        for _ in range(TRIES):
            self.batches += 1
            await self._session.write(left)
            left = without_verdict(left)
            if not left:
                return
        refuse(left, "The database keeps going away: nothing was written.")

    async def _one_by_one(self, batch: Sequence[Request], error: Exception) -> None:
        """A poison request fails alone: the others are written without it."""
        left = without_verdict(batch)
        if len(left) == 1:
            left[0].verdict = _meaning(error)
            return
        for request in left:
            await self._commit([request])


def _meaning(error: Exception) -> Exception:
    """What it means to those who broke one of the log's own rules."""
    if isinstance(error, CheckViolation) and error.diag.constraint_name == FITS:
        return EventTooLarge(
            f"An event may have {MOST_EVENT_BYTES >> 20} MiB at most, and this change needs more."
        )
    return error


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

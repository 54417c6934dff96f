"""Calls of SQL functions on one connection: prepared once, then one message there and one back.

A cursor does more for a statement than the log's writer needs, and the writer is what every
command waits for. This is libpq's asynchronous protocol as psycopg.pq gives it
(https://www.postgresql.org/docs/current/libpq-async.html), in pipeline mode: a call may be sent
while another runs, so that the server goes on with it before anybody here has heard of the first
(https://www.postgresql.org/docs/current/libpq-pipeline-mode.html).
"""

import asyncio
import select
from collections import deque
from collections.abc import Sequence
from itertools import count
from typing import Any

import psycopg
from psycopg import errors
from psycopg.pq import ConnStatus, ExecStatus, Format
from psycopg.pq.abc import PGresult

Row = list[bytes | None]
CLOSED = "the connection was closed"
REFUSALS = {ExecStatus.FATAL_ERROR, ExecStatus.PIPELINE_ABORTED}
"""Answers that are true also when the connection ends right behind them. A row is not: its commit
comes after it, and waits for a standby where there is a synchronous one."""


class PreparedCalls:
    """Takes the connection over: until `close` nothing else may use it.

    Calls are carried out in the order in which they were sent, each in a transaction of its own;
    parameters and answers are in PostgreSQL's binary form. A caller that is cancelled leaves its
    call to the server.
    """

    def __init__(self, connection: psycopg.AsyncConnection[Any]) -> None:
        self._libpq = connection.pgconn
        self._libpq.enter_pipeline_mode()
        self._socket = self._libpq.socket
        self._loop = asyncio.get_running_loop()
        self._names: dict[bytes, bytes] = {}
        self._numbers = count()
        self._asked: deque[asyncio.Future[PGresult]] = deque()
        self._result: PGresult | None = None
        """What the call that was asked first has answered so far."""
        self._is_closed = False
        self._trouble = select.poll()
        self._trouble.register(self._socket, 0)
        self._loop.add_reader(self._socket, self._readable)

    def close(self) -> None:
        """Give the socket back; the connection itself stays as it is, and who waits hears of it.

        Once: libpq closes the socket of a broken connection, and its number is soon another's.
        """
        self._break(psycopg.OperationalError(CLOSED))

    async def row(self, sql: bytes, parameters: Sequence[bytes | None]) -> Row | None:
        """The first row of what the statement gives; None when it gives none.

        Raises psycopg's errors: OperationalError when the connection breaks.
        """
        name = self._names.get(sql) or await self._prepare(sql)
        self._must_be_open()
        self._libpq.send_query_prepared(
            name, parameters, [Format.BINARY] * len(parameters), Format.BINARY
        )
        result = await self._answer()
        if result.status != ExecStatus.TUPLES_OK:
            raise errors.error_from_result(result)
        if not result.ntuples:
            return None
        return [result.get_value(0, column) for column in range(result.nfields)]

    async def _prepare(self, sql: bytes) -> bytes:
        name = b"quarterdeck_%d" % next(self._numbers)
        self._must_be_open()
        self._libpq.send_prepare(name, sql)
        result = await self._answer()
        if result.status != ExecStatus.COMMAND_OK:
            raise errors.error_from_result(result)
        self._names[sql] = name
        return name

    def _must_be_open(self) -> None:
        if self._is_closed:
            raise psycopg.OperationalError(CLOSED)

    def _answer(self) -> "asyncio.Future[PGresult]":
        """The result of what was sent last, once all of its answer is there."""
        self._libpq.pipeline_sync()
        if self._libpq.flush():
            self._loop.add_writer(self._socket, self._writable)
        answer: asyncio.Future[PGresult] = self._loop.create_future()
        self._asked.append(answer)
        return answer

    def _readable(self) -> None:
        """Hear what there is; of a socket that is in trouble, all there is.

        The loop tells of trouble once and then no more, also when words came before it: libuv
        stops looking at such a socket.
        """
        try:
            self._libpq.consume_input()
            self._hear()
            while not self._is_closed and self._trouble.poll(0):
                self._libpq.consume_input()
                self._hear()
        except psycopg.Error as error:
            self._break(error)

    def _writable(self) -> None:
        try:
            if not self._libpq.flush():
                self._loop.remove_writer(self._socket)
        except psycopg.Error as error:
            self._break(error)
        else:
            self._readable()

    def _hear(self) -> None:
        """A call's answer is its result, the end of its results, and the mark of its end."""
        while self._asked and not self._libpq.is_busy():
            result = self._libpq.get_result()
            if result is None:
                if self._libpq.status == ConnStatus.BAD:
                    self._break(psycopg.OperationalError("the connection ended"))
            elif result.status == ExecStatus.PIPELINE_SYNC:
                self._tell(self._result)
            else:
                self._result = self._result or result

    def _tell(self, result: PGresult | None) -> None:
        self._result = None
        answer = self._asked.popleft()
        if answer.done():
            return
        if result is None:
            answer.set_exception(psycopg.OperationalError("a call ended without an answer"))
        else:
            answer.set_result(result)

    def _break(self, error: psycopg.Error) -> None:
        if self._is_closed:
            return
        self._is_closed = True
        self._loop.remove_reader(self._socket)
        self._loop.remove_writer(self._socket)
        if self._asked and self._result is not None and self._result.status in REFUSALS:
            self._tell(self._result)
        for answer in self._asked:
            if not answer.done():
                answer.set_exception(error)
        self._asked.clear()

"""Calls of SQL functions on one connection: prepared once, then one message there and one back.

A cursor does more for a statement than the log's writer needs, and the writer is what every
command waits for. This is libpq's asynchronous protocol as psycopg.pq gives it
(https://www.postgresql.org/docs/current/libpq-async.html), read as the socket brings it.
"""

import asyncio
from collections.abc import Sequence
from itertools import count
from typing import Any

import psycopg
from psycopg import errors
from psycopg.pq import ExecStatus, Format
from psycopg.pq.abc import PGresult

Row = list[bytes | None]


class PreparedCalls:
    """Takes the connection over: until `close` nothing else may use it.

    One call at a time; parameters and answers are in PostgreSQL's binary form. A caller that is
    cancelled leaves its call to the server, and the next call waits for the end of it.
    """

    def __init__(self, connection: psycopg.AsyncConnection[Any]) -> None:
        self._libpq = connection.pgconn
        self._socket = self._libpq.socket
        self._loop = asyncio.get_running_loop()
        self._names: dict[bytes, bytes] = {}
        self._numbers = count()
        self._answer: asyncio.Future[None] | None = None
        self._is_left = False
        self._is_closed = False
        self._loop.add_reader(self._socket, self._readable)

    def close(self) -> None:
        """Give the socket back; the connection itself stays as it is.

        Once: libpq closes the socket of a broken connection, and its number is soon another's.
        """
        if not self._is_closed:
            self._is_closed = True
            self._loop.remove_reader(self._socket)
            self._loop.remove_writer(self._socket)

    async def row(self, sql: bytes, parameters: Sequence[bytes | None]) -> Row | None:
        """The first row of what the statement gives; None when it gives none.

        Raises psycopg's errors: OperationalError when the connection breaks.
        """
        if self._is_left:
            await self._result()
        name = self._names.get(sql) or await self._prepare(sql)
        self._libpq.send_query_prepared(
            name, parameters, [Format.BINARY] * len(parameters), Format.BINARY
        )
        result = await self._result()
        if result.status != ExecStatus.TUPLES_OK:
            raise errors.error_from_result(result)
        if not result.ntuples:
            return None
        return [result.get_value(0, column) for column in range(result.nfields)]

    async def _prepare(self, sql: bytes) -> bytes:
        name = b"quarterdeck_%d" % next(self._numbers)
        self._libpq.send_prepare(name, sql)
        result = await self._result()
        if result.status != ExecStatus.COMMAND_OK:
            raise errors.error_from_result(result)
        self._names[sql] = name
        return name

    async def _result(self) -> PGresult:
        """The first result of the call that was sent, once all of its answer is there."""
        self._is_left = True
        if self._libpq.flush():
            self._loop.add_writer(self._socket, self._writable)
        first = None
        while True:
            while self._libpq.is_busy():
                self._answer = self._loop.create_future()
                await self._answer
            result = self._libpq.get_result()
            if result is None:
                break
            first = first or result
        self._is_left = False
        if first is None:
            raise psycopg.OperationalError("the connection ended without an answer")
        return first

    def _readable(self) -> None:
        try:
            self._libpq.consume_input()
        except psycopg.Error as error:
            self._break(error)
        else:
            self._wake()

    def _wake(self) -> None:
        answer = self._answer
        if answer is not None and not answer.done() and not self._libpq.is_busy():
            answer.set_result(None)

    def _writable(self) -> None:
        try:
            self._libpq.consume_input()
            if not self._libpq.flush():
                self._loop.remove_writer(self._socket)
        except psycopg.Error as error:
            self._break(error)
        else:
            self._wake()

    def _break(self, error: psycopg.Error) -> None:
        self.close()
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error)

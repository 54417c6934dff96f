"""A call is answered or fails, whatever way its answer comes, and takes nothing of anybody else."""

import asyncio
import select
import socket
from typing import Any

import psycopg
import pytest

from adapters.postgres.prepared_calls import PreparedCalls
from adapters.postgres.sessions import connect

LENGTH = b"select length($1::bytea)"
DIVIDE = b"select 1 / $1::int"
SLEEP = b"select pg_sleep($1::int)::text"
FOUR_MEBIBYTES = 4 << 20


async def test_the_first_row_is_given_in_binary_form(log_database: str) -> None:
    async with await connect(log_database, name="calls") as connection:
        calls = PreparedCalls(connection)
        assert await calls.row(LENGTH, [b"abc"]) == [(3).to_bytes(4)]
        assert await calls.row(LENGTH, [None]) == [None]
        assert await calls.row(b"select 1 where $1::bool", [b"\0"]) is None
        calls.close()


async def test_an_error_is_the_databases_and_the_next_call_is_good(log_database: str) -> None:
    async with await connect(log_database, name="calls") as connection:
        calls = PreparedCalls(connection)
        with pytest.raises(psycopg.errors.UndefinedTable):
            await calls.row(b"select * from nowhere where $1::bool", [b"\1"])
        with pytest.raises(psycopg.errors.DivisionByZero):
            await calls.row(DIVIDE, [bytes(4)])
        assert await calls.row(LENGTH, [b"abc"]) == [(3).to_bytes(4)]
        calls.close()


async def test_who_leaves_a_call_disturbs_nobody(log_database: str) -> None:
    async with await connect(log_database, name="calls") as connection:
        calls = PreparedCalls(connection)
        left = asyncio.create_task(calls.row(LENGTH, [bytes(FOUR_MEBIBYTES)]))
        await asyncio.sleep(0)
        left.cancel()
        await asyncio.wait([left])
        assert await calls.row(LENGTH, [b"abc"]) == [(3).to_bytes(4)]
        calls.close()


async def test_calls_that_are_sent_while_one_runs_are_answered_each(log_database: str) -> None:
    async with await connect(log_database, name="calls") as connection:
        calls = PreparedCalls(connection)
        for statement, parameter in ((LENGTH, b"x"), (SLEEP, bytes(4)), (DIVIDE, (1).to_bytes(4))):
            await calls.row(statement, [parameter])
        long = asyncio.create_task(calls.row(SLEEP, [(1).to_bytes(4)]))
        wrong = asyncio.create_task(calls.row(DIVIDE, [bytes(4)]))
        short = asyncio.create_task(calls.row(LENGTH, [b"abc"]))
        assert await short == [(3).to_bytes(4)]
        assert long.done()
        assert wrong.done()
        with pytest.raises(psycopg.errors.DivisionByZero):
            await wrong
        calls.close()


async def test_all_who_wait_hear_that_the_connection_ended(log_database: str) -> None:
    async with await connect(log_database, name="calls") as connection:
        calls = PreparedCalls(connection)
        for statement, parameter in ((LENGTH, b"x"), (SLEEP, bytes(4))):
            await calls.row(statement, [parameter])
        waiting = [
            asyncio.create_task(calls.row(SLEEP, [(60).to_bytes(4)])),
            asyncio.create_task(calls.row(LENGTH, [b"abc"])),
        ]
        await asyncio.sleep(0)
        await _end(log_database, connection)
        async with asyncio.timeout(20):
            results = await asyncio.gather(*waiting, return_exceptions=True)
        assert [type(r) for r in results] == [
            psycopg.errors.AdminShutdown,
            psycopg.OperationalError,
        ]
        with pytest.raises(psycopg.OperationalError):
            await calls.row(LENGTH, [b"abc"])
        calls.close()


@pytest.mark.parametrize("is_waited_for", [True, False])
async def test_words_and_the_end_that_come_at_once_are_both_heard(
    log_database: str, is_waited_for: bool
) -> None:
    """A server that is shut down says so and resets: the loop hears of that once, not twice."""
    async with await connect(log_database, name="calls") as connection:
        calls = PreparedCalls(connection)
        for statement, parameter in ((LENGTH, b"x"), (SLEEP, bytes(4))):
            await calls.row(statement, [parameter])
        waiting = []
        if is_waited_for:
            waiting.append(asyncio.create_task(calls.row(SLEEP, [(60).to_bytes(4)])))
            await _until_it_sleeps(log_database, connection)
            # What the server has not read when it ends is why it resets.
            waiting.append(asyncio.create_task(calls.row(LENGTH, [b"abc"])))
            await asyncio.sleep(0)
        _end_before_anybody_looks(log_database, connection)
        async with asyncio.timeout(20):
            results = await asyncio.gather(*waiting, return_exceptions=True)
            assert all(isinstance(result, psycopg.OperationalError) for result in results)
            with pytest.raises(psycopg.OperationalError):
                await calls.row(LENGTH, [b"abc"])
        calls.close()


async def _until_it_sleeps(dsn: str, connection: psycopg.AsyncConnection[Any]) -> None:
    sleeps = "select 1 from pg_stat_activity where pid = %s and wait_event = 'PgSleep'"
    async with (
        asyncio.timeout(20),
        await psycopg.AsyncConnection.connect(dsn, autocommit=True) as other,
    ):
        while await (await other.execute(sleeps, [connection.info.backend_pid])).fetchone() is None:
            await asyncio.sleep(0.01)


def _end_before_anybody_looks(dsn: str, connection: psycopg.AsyncConnection[Any]) -> None:
    with psycopg.connect(dsn, autocommit=True) as other:
        other.execute("select pg_terminate_backend(%s, 5000)", [connection.info.backend_pid])


async def test_who_waits_when_it_is_closed_hears_of_it(log_database: str) -> None:
    connection = await connect(log_database, name="calls")
    calls = PreparedCalls(connection)
    await calls.row(LENGTH, [b"x"])
    waiting = asyncio.create_task(calls.row(LENGTH, [bytes(FOUR_MEBIBYTES)]))
    await asyncio.sleep(0)
    calls.close()
    with pytest.raises(psycopg.OperationalError, match="closed"):
        await waiting
    with pytest.raises(psycopg.OperationalError, match="closed"):
        await calls.row(LENGTH, [b"abc"])
    await connection.close()


async def test_an_answer_that_comes_while_the_last_is_sent_wakes_who_waits(
    log_database: str,
) -> None:
    async with await connect(log_database, name="calls") as connection:
        calls = PreparedCalls(connection)
        await calls.row(LENGTH, [b"x"])
        call = asyncio.create_task(calls.row(LENGTH, [bytes(FOUR_MEBIBYTES)]))
        await asyncio.sleep(0)
        libpq = connection.pgconn
        while libpq.flush():
            select.select([], [libpq.socket], [])
        select.select([libpq.socket], [], [])
        calls._writable()
        async with asyncio.timeout(20):
            assert await call == [FOUR_MEBIBYTES.to_bytes(4)]
        calls.close()


async def test_a_socket_that_is_anothers_by_now_is_left_alone(log_database: str) -> None:
    connection = await connect(log_database, name="calls")
    calls = PreparedCalls(connection)
    await calls.row(LENGTH, [b"x"])
    number = connection.pgconn.socket
    await _end(log_database, connection)
    async with asyncio.timeout(20):
        while not connection.closed:
            await asyncio.sleep(0.01)
    await connection.close()
    heard = asyncio.Event()
    ours, theirs = _pair_with(number)
    with ours, theirs:
        asyncio.get_running_loop().add_reader(ours, heard.set)
        calls.close()
        theirs.send(b"!")
        async with asyncio.timeout(20):
            await heard.wait()
        asyncio.get_running_loop().remove_reader(ours)


async def _end(dsn: str, connection: psycopg.AsyncConnection[Any]) -> None:
    async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as other:
        await other.execute("select pg_terminate_backend(%s, 5000)", [connection.info.backend_pid])


def _pair_with(number: int) -> tuple[socket.socket, socket.socket]:
    """A pair of sockets of which the first has that number: the system gives the lowest first."""
    others = []
    while True:
        ours, theirs = socket.socketpair()
        if ours.fileno() == number:
            return ours, theirs
        if theirs.fileno() == number:
            return theirs, ours
        assert ours.fileno() < number, "somebody else has the number"
        others.append((ours, theirs))

"""What waited while the last commit ran is the next one, and each in it is judged alone."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from adapters.postgres.append_calls import LOCK_KEY
from adapters.postgres.group_commit import MAX_BYTES, ROW_BYTES, WHOLE, GroupCommit
from adapters.postgres.mapper import Mapper
from application.ports import (
    Append,
    AppendConflict,
    Appended,
    Claim,
    ClaimTaken,
    CommandSeen,
    Overloaded,
    StreamAppend,
    Unavailable,
)
from tests.adapters.contracts.event_store import append, command, document, on
from tests.adapters.postgres.tables_read import whole_tables_read

Connection = psycopg.AsyncConnection[Any]
Result = Appended | BaseException


@pytest.fixture
async def log(log_database: str) -> AsyncIterator[Connection]:
    """A connection to a fresh log, beside the writer's."""
    async with await psycopg.AsyncConnection.connect(log_database, autocommit=True) as connection:
        yield connection


@asynccontextmanager
async def a_writer(dsn: str, **options: Any) -> AsyncIterator[GroupCommit]:
    writer = GroupCommit(dsn, Mapper(), **options)
    try:
        yield writer
    finally:
        await writer.close()


@pytest.fixture
async def writer(log: Connection, log_database: str) -> AsyncIterator[GroupCommit]:
    async with a_writer(log_database) as writer:
        yield writer


@asynccontextmanager
async def commits_held_back(log: Connection) -> AsyncIterator[None]:
    """Nothing is committed meanwhile: somebody else has the log's lock."""
    await log.execute("select pg_advisory_lock(%s)", [LOCK_KEY])
    try:
        yield
    finally:
        await log.execute("select pg_advisory_unlock(%s)", [LOCK_KEY])


async def lock_is_waited_for(log: Connection) -> None:
    async with asyncio.timeout(20):
        while True:
            cursor = await log.execute(
                "select 1 from pg_locks where locktype = 'advisory' and not granted"
            )
            if await cursor.fetchone():
                return
            await asyncio.sleep(0.01)


async def behind_one(
    writer: GroupCommit, log: Connection, appends: Sequence[Append]
) -> list[Result]:
    """The results of appends that waited together while another one was committed."""
    async with commits_held_back(log):
        first = asyncio.ensure_future(writer.append(append(on(uuid4()))))
        await lock_is_waited_for(log)
        tasks = [asyncio.ensure_future(writer.append(a)) for a in appends]
        await asyncio.sleep(0)
    await first
    return await asyncio.gather(*tasks, return_exceptions=True)


async def counted(log: Connection, stream_id: UUID | None = None) -> int:
    """Events in a stream, or in the log."""
    cursor = await log.execute(
        "select count(*) from log.stored_events where originator_id = %s or %s::uuid is null",
        [stream_id, stream_id],
    )
    row = await cursor.fetchone()
    assert row is not None
    return int(row[0])


async def test_one_alone_is_committed_at_once(writer: GroupCommit) -> None:
    for position in (1, 2, 3):
        appended = await writer.append(append(on(uuid4())))
        assert appended.position == position
    assert writer.batches == 3


async def test_what_waits_is_one_batch(writer: GroupCommit, log: Connection) -> None:
    results = await behind_one(writer, log, [append(on(uuid4())) for _ in range(WHOLE)])
    assert [r.position for r in results if isinstance(r, Appended)] == list(range(2, WHOLE + 2))
    assert writer.batches == 2


async def test_of_many_who_wait_half_are_one_batch(writer: GroupCommit, log: Connection) -> None:
    results = await behind_one(writer, log, [append(on(uuid4())) for _ in range(4 * WHOLE)])
    assert [r.position for r in results if isinstance(r, Appended)] == list(range(2, 4 * WHOLE + 2))
    assert writer.batches == 3


async def test_two_on_one_stream_never_share_a_batch(writer: GroupCommit, log: Connection) -> None:
    stream_id = uuid4()
    appends = [append(on(stream_id, version)) for version in range(5)]
    results = await behind_one(writer, log, appends)
    assert all(isinstance(r, Appended) for r in results)
    assert writer.batches == 6
    assert await counted(log, stream_id) == 5


async def test_a_conflict_is_nobody_elses(writer: GroupCommit, log: Connection) -> None:
    good, bad = [append(on(uuid4())) for _ in range(10)], append(on(uuid4(), 5))
    results = await behind_one(writer, log, [*good[:5], bad, *good[5:]])
    assert [type(r) for r in results] == [*[Appended] * 5, AppendConflict, *[Appended] * 5]
    assert writer.batches == 2


async def test_what_is_refused_leaves_no_trace_in_its_batch(
    writer: GroupCommit, log: Connection
) -> None:
    held, one, other = uuid4(), uuid4(), uuid4()
    await writer.append(append(on(held), claims=[Claim("name:x", held)], command=command("c0")))
    refused = [
        append(
            on(one, 9),
            claims=[Claim("name:a", one)],
            documents=[document("a")],
            command=command("c1"),
        ),
        append(
            on(other),
            claims=[Claim("name:b", other), Claim("name:x", other)],
            documents=[document("b")],
            command=command("c2"),
        ),
        append(on(uuid4()), claims=[Claim("name:c", uuid4())], command=command("c0")),
        append(on(held, 1), claims=[Claim("name:d", held)], documents=[document("d")]),
    ]
    results = await behind_one(writer, log, refused)
    assert [type(r) for r in results] == [AppendConflict, ClaimTaken, CommandSeen, Appended]
    keys = await (await log.execute("select key from log.claims order by 1")).fetchall()
    assert keys == [("name:d",), ("name:x",)]
    ids = await (await log.execute("select command_id from log.commands")).fetchall()
    assert ids == [("c0",)]
    assert await (await log.execute("select body from log.documents")).fetchall() == [(b"d",)]


async def test_one_key_wanted_twice_at_once_has_one_holder(
    writer: GroupCommit, log: Connection
) -> None:
    one, other = uuid4(), uuid4()
    results = await behind_one(
        writer, log, [append(on(s), claims=[Claim("name:x", s)]) for s in (one, other)]
    )
    assert isinstance(results[0], Appended)
    assert isinstance(results[1], ClaimTaken)
    assert results[1].holder == one


async def test_a_key_given_back_is_free_for_the_next_batch(
    writer: GroupCommit, log: Connection
) -> None:
    one, other = uuid4(), uuid4()
    await writer.append(append(on(one), claims=[Claim("name:x", one)]))
    give = append(on(one, 1), claims=[Claim("name:x", None)])
    take = append(on(other), claims=[Claim("name:x", other)])
    results = await behind_one(writer, log, [give, take])
    assert [type(r) for r in results] == [Appended, Appended]


async def test_one_document_in_many_appends_is_kept_once(
    writer: GroupCommit, log: Connection
) -> None:
    appends = [append(on(uuid4()), documents=[document("the same")]) for _ in range(20)]
    assert all(isinstance(r, Appended) for r in await behind_one(writer, log, appends))
    cursor = await log.execute("select body, size from log.documents")
    assert await cursor.fetchall() == [(b"the same", 8)]


@pytest.mark.parametrize("poison", ["a\x00b", "a\ud800b"])
@pytest.mark.parametrize("where", ["claim", "command"])
async def test_a_poisonous_request_fails_alone(
    writer: GroupCommit, log: Connection, poison: str, where: str
) -> None:
    """Texts that the database, or already the driver, cannot take."""
    bad_id = uuid4()
    bad = (
        append(on(bad_id), claims=[Claim(poison, bad_id)])
        if where == "claim"
        else append(on(bad_id), command=command(poison))
    )
    good = [append(on(uuid4())) for _ in range(10)]
    results = await behind_one(writer, log, [*good[:5], bad, *good[5:]])
    assert [type(r) for r in results if isinstance(r, Appended)] == [Appended] * 10
    assert isinstance(results[5], psycopg.DataError | UnicodeEncodeError)
    assert await counted(log, bad_id) == 0
    with pytest.raises((psycopg.DataError, UnicodeEncodeError)):
        await writer.append(bad)
    assert isinstance(await writer.append(append(on(uuid4()))), Appended)


async def test_a_batch_is_bounded(writer: GroupCommit, log: Connection) -> None:
    a_third = MAX_BYTES // ROW_BYTES // 3
    appends = [append(on(uuid4(), 0, a_third)) for _ in range(9)]
    results = await behind_one(writer, log, appends)
    assert all(isinstance(r, Appended) for r in results)
    assert writer.batches == 1 + 3


async def test_a_full_queue_says_when_to_come_again(log: Connection, log_database: str) -> None:
    async with a_writer(log_database, capacity=5) as writer:
        async with commits_held_back(log):
            first = asyncio.ensure_future(writer.append(append(on(uuid4()))))
            await lock_is_waited_for(log)
            waiting = [asyncio.ensure_future(writer.append(append(on(uuid4())))) for _ in range(5)]
            await asyncio.sleep(0)
            with pytest.raises(Overloaded) as overloaded:
                await writer.append(append(on(uuid4())))
            assert overloaded.value.retry_after_seconds > 0
        results = await asyncio.gather(first, *waiting)
        assert [r.position for r in results] == [1, 2, 3, 4, 5, 6]


async def test_who_gave_up_waiting_is_not_written(writer: GroupCommit, log: Connection) -> None:
    left_id, stayed_id = uuid4(), uuid4()
    async with commits_held_back(log):
        first = asyncio.ensure_future(writer.append(append(on(uuid4()))))
        await lock_is_waited_for(log)
        left = asyncio.ensure_future(writer.append(append(on(left_id))))
        stayed = asyncio.ensure_future(writer.append(append(on(stayed_id))))
        await asyncio.sleep(0)
        left.cancel()
        await asyncio.wait([left])
    await asyncio.gather(first, stayed)
    assert left.cancelled()
    assert (await counted(log, left_id), await counted(log, stayed_id)) == (0, 1)


async def test_who_gives_up_while_it_is_written_disturbs_nobody(
    writer: GroupCommit, log: Connection
) -> None:
    left_id = uuid4()
    async with commits_held_back(log):
        left = asyncio.ensure_future(writer.append(append(on(left_id, 0, 3))))
        await lock_is_waited_for(log)
        others = [asyncio.ensure_future(writer.append(append(on(uuid4())))) for _ in range(5)]
        await asyncio.sleep(0)
        left.cancel()
        await asyncio.wait([left])
    assert left.cancelled()
    assert all(isinstance(r, Appended) for r in await asyncio.gather(*others))
    assert await counted(log, left_id) in (0, 3)


async def test_all_who_gave_up_leave_an_idle_writer(writer: GroupCommit, log: Connection) -> None:
    async with commits_held_back(log):
        first = asyncio.ensure_future(writer.append(append(on(uuid4()))))
        await lock_is_waited_for(log)
        left = [asyncio.ensure_future(writer.append(append(on(uuid4())))) for _ in range(3)]
        await asyncio.sleep(0)
        for task in left:
            task.cancel()
        await asyncio.wait(left)
    await first
    await writer.append(append(on(uuid4())))
    assert await counted(log) == 2


async def test_one_notification_a_batch_with_its_last_position(
    writer: GroupCommit, log: Connection, log_database: str
) -> None:
    async with await psycopg.AsyncConnection.connect(log_database, autocommit=True) as listener:
        await listener.execute("listen quarterdeck_log")
        await behind_one(writer, log, [append(on(uuid4(), 0, 2)) for _ in range(20)])
        await behind_one(writer, log, [append(on(uuid4()), command=command("c1"))])
        with pytest.raises(AppendConflict):
            await writer.append(append(on(uuid4(), 4)))
        await log.execute("notify quarterdeck_log, 'end'")
        heard = []
        async for notice in listener.notifies(timeout=20):
            heard.append(notice.payload)
            if notice.payload == "end":
                break
    assert heard == ["1", "41", "42", "43", "end"]


@pytest.mark.direct
async def test_a_database_that_takes_no_writes_says_so_and_later_takes_them(
    writer: GroupCommit, log: Connection
) -> None:
    row = await (await log.execute("select current_database()")).fetchone()
    assert row is not None
    await writer.append(append(on(uuid4())))
    await log.execute(f"alter database {row[0]} set default_transaction_read_only = on")
    try:
        await end_writers(log)
        with pytest.raises(Unavailable, match="takes no writes"):
            await writer.append(append(on(uuid4())))
        results = await asyncio.gather(
            *(writer.append(append(on(uuid4()))) for _ in range(5)), return_exceptions=True
        )
        assert {type(r) for r in results} == {Unavailable}
    finally:
        await log.execute(f"alter database {row[0]} reset default_transaction_read_only")
    assert isinstance(await writer.append(append(on(uuid4()))), Appended)
    assert await counted(log) == 2


async def test_a_session_that_is_ended_between_appends_is_begun_again(
    writer: GroupCommit, log: Connection
) -> None:
    for position in range(1, 4):
        assert (await writer.append(append(on(uuid4())))).position == position
        await end_writers(log)


async def test_a_statement_that_is_cancelled_is_tried_again(
    writer: GroupCommit, log: Connection
) -> None:
    async with commits_held_back(log):
        appending = asyncio.ensure_future(writer.append(append(on(uuid4()))))
        await lock_is_waited_for(log)
        await log.execute(
            "select pg_cancel_backend(pid) from pg_stat_activity"
            " where application_name = 'quarterdeck writer'"
        )
    assert isinstance(await appending, Appended)


async def test_a_database_that_is_not_there_is_told_at_once() -> None:
    async with a_writer("host=/nonexistent dbname=none") as writer:
        for _ in range(2):
            with pytest.raises(Unavailable, match="cannot be reached"):
                await writer.append(append(on(uuid4())))


async def end_writers(log: Connection) -> None:
    await log.execute(
        "select pg_terminate_backend(pid, 5000) from pg_stat_activity"
        " where application_name = 'quarterdeck writer' and datname = current_database()"
    )


@pytest.mark.direct
async def test_no_batch_reads_a_whole_table(log_database: str) -> None:
    read = await whole_tables_read(log_database)
    async with a_writer(log_database) as writer:
        for n in range(20):
            with_everything = append(
                on(uuid4()),
                StreamAppend(uuid4(), 0, []),
                claims=[Claim(f"now {n}", uuid4()), Claim(f"now {n - 1}", None)],
                documents=[document(f"text {n}")],
                command=command(f"c{n}"),
            )
            await asyncio.gather(
                writer.append(append(on(uuid4()))),
                writer.append(with_everything),
                writer.append(append(on(uuid4()))),
            )
    assert await whole_tables_read(log_database) == read

"""Lines of tasks are kept in order and once, whoever writes them, and are dropped with age."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from adapters.postgres.sessions import open_pool
from adapters.postgres.task_logs import CHANNEL, PostgresTaskLogs
from application.ports import LogLine


@pytest.fixture
async def log(log_database: str) -> AsyncIterator[psycopg.AsyncConnection[Any]]:
    async with await psycopg.AsyncConnection.connect(log_database, autocommit=True) as connection:
        yield connection


@pytest.fixture
async def logs(
    log: psycopg.AsyncConnection[Any], log_database: str
) -> AsyncIterator[PostgresTaskLogs]:
    async with open_pool(log_database, name="tests", size=8) as pool:
        yield PostgresTaskLogs(pool)


async def test_lines_are_numbered_within_their_task(logs: PostgresTaskLogs) -> None:
    one, other = uuid4(), uuid4()
    await logs.write(one, [LogLine("boot", "a"), LogLine("boot", "b", stream="note")])
    await logs.write(other, [LogLine("boot", "x")])
    await logs.write(one, [LogLine("join", "c")])
    read = await logs.read(one)
    assert [(r.number, r.phase, r.stream, r.text) for r in read] == [
        (1, "boot", "out", "a"),
        (2, "boot", "note", "b"),
        (3, "join", "out", "c"),
    ]
    assert [r.number for r in await logs.read(other)] == [1]
    assert [r.at for r in read] == sorted(r.at for r in read)


async def test_a_log_is_read_on_from_a_line(logs: PostgresTaskLogs) -> None:
    task_id = uuid4()
    await logs.write(task_id, [LogLine("boot", str(n)) for n in range(1, 11)])
    assert [r.text for r in await logs.read(task_id, after=8)] == ["9", "10"]
    assert [r.text for r in await logs.read(task_id, after=2, limit=3)] == ["3", "4", "5"]
    assert not await logs.read(uuid4())


async def test_a_log_has_a_last_line_now_and_at_an_instant(logs: PostgresTaskLogs) -> None:
    task_id = uuid4()
    assert await logs.last_number(task_id) == 0
    await logs.write(task_id, [LogLine("boot", "a"), LogLine("boot", "b")])
    (first, _) = await logs.read(task_id)
    await logs.write(task_id, [LogLine("boot", "c")])
    assert await logs.last_number(task_id) == 3
    assert await logs.last_number(task_id, first.at) == 1
    assert await logs.last_number(uuid4()) == 0


async def test_a_line_that_is_told_again_is_kept_once(logs: PostgresTaskLogs) -> None:
    """The next manager begins where the last one may have been."""
    task_id = uuid4()
    await logs.write(task_id, [LogLine("boot", "a", offset=2), LogLine("boot", "b", offset=4)])
    await logs.write(
        task_id,
        [
            LogLine("boot", "b", offset=4),
            LogLine("boot", "c", offset=6),
            LogLine("join", "a", offset=2),
        ],
    )
    assert [r.text for r in await logs.read(task_id)] == ["a", "b", "c", "a"]
    assert await logs.offsets(task_id) == {"boot": 6, "join": 2}
    assert await logs.offsets(uuid4()) == {}


async def test_two_that_write_at_once_lose_and_double_nothing(logs: PostgresTaskLogs) -> None:
    task_id = uuid4()
    lines = [[LogLine("boot", f"{n}") for n in range(10)] for _ in range(8)]
    await asyncio.gather(*(logs.write(task_id, some) for some in lines))
    assert [r.number for r in await logs.read(task_id)] == list(range(1, 81))


async def test_many_tasks_begin_at_once_on_a_day_without_a_partition(
    logs: PostgresTaskLogs,
) -> None:
    tasks = [uuid4() for _ in range(20)]
    await asyncio.gather(*(logs.write(t, [LogLine("boot", "hello")]) for t in tasks))
    for task_id in tasks:
        assert [r.text for r in await logs.read(task_id)] == ["hello"]


@pytest.mark.parametrize("text", ["", "ä\U0001f6a2", "a\x00b", "x" * 100_000, "\x1b[31mred"])
async def test_any_line_is_kept(logs: PostgresTaskLogs, text: str) -> None:
    task_id = uuid4()
    await logs.write(task_id, [LogLine("boot", text)])
    (line,) = await logs.read(task_id)
    assert line.text == text.replace("\x00", "\ufffd")


async def test_who_follows_a_log_hears_of_each_write(
    logs: PostgresTaskLogs, log: psycopg.AsyncConnection[Any]
) -> None:
    await log.execute(f"listen {CHANNEL}")
    task_id = uuid4()
    await logs.write(task_id, [LogLine("boot", "a"), LogLine("boot", "b")])
    heard = [n.payload async for n in log.notifies(timeout=20, stop_after=1)]
    assert heard == [f"{task_id} 2"]


async def test_nothing_is_written_for_no_lines(logs: PostgresTaskLogs) -> None:
    task_id = uuid4()
    await logs.write(task_id, [])
    assert await logs.offsets(task_id) == {}


async def test_old_days_are_dropped_and_the_next_ones_are_ready(
    logs: PostgresTaskLogs, log: psycopg.AsyncConnection[Any]
) -> None:
    await log.execute(
        "create table samples.task_log_lines_20200101 partition of samples.task_log_lines"
        " for values from ('2020-01-01') to ('2020-01-02')"
    )
    await logs.drop_old()
    await logs.drop_old()
    cursor = await log.execute(
        "select c.relname = 'task_log_lines_20200101', count(*) from pg_inherits i"
        " join pg_class c on c.oid = i.inhrelid"
        " where i.inhparent = 'samples.task_log_lines'::regclass group by 1"
    )
    assert await cursor.fetchall() == [(False, 4)]

"""One process leads; the next one does as soon as the first is gone or its lock is."""

import asyncio
from collections.abc import Callable

import psycopg
import pytest

from adapters.postgres.leadership import LeadershipLost, lead, lead_and_work
from application.ports import Unavailable

LEADER = "application_name like 'quarterdeck leader of%'"


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not holds():
            await asyncio.sleep(0.01)


async def cut_leaders(database: str) -> None:
    async with await psycopg.AsyncConnection.connect(database, autocommit=True) as connection:
        await connection.execute(
            f"select pg_terminate_backend(pid) from pg_stat_activity where {LEADER}"
        )


async def test_the_second_leads_when_the_first_has_left(database: str) -> None:
    order: list[str] = []

    async def second() -> None:
        async with lead(database, "relay"):
            order.append("second")

    async with lead(database, "relay"):
        waiting = asyncio.create_task(second())
        done, _ = await asyncio.wait([waiting], timeout=1.5)
        assert not done
        order.append("first")
    await asyncio.wait_for(waiting, 10)

    assert order == ["first", "second"]


async def test_different_names_lead_at_once(database: str) -> None:
    async with asyncio.timeout(10), lead(database, "relay"), lead(database, "loki"):
        pass


async def test_a_leader_whose_lock_is_gone_is_stopped(database: str) -> None:
    stopped = asyncio.Event()

    async def leading() -> None:
        async with lead(database, "relay"):
            try:
                await cut_leaders(database)
                await asyncio.sleep(60)
            finally:
                stopped.set()

    with pytest.raises(LeadershipLost):
        await asyncio.wait_for(leading(), 20)
    assert stopped.is_set()


async def test_a_body_keeps_its_own_errors(database: str) -> None:
    with pytest.raises(TimeoutError, match="mine"):
        async with lead(database, "relay"):
            raise TimeoutError("mine")


@pytest.mark.slow
async def test_work_goes_on_after_the_lock_was_lost(database: str) -> None:
    turns: list[int] = []

    async def work() -> None:
        turns.append(len(turns))
        if len(turns) < 3:
            await asyncio.sleep(60)

    working = asyncio.create_task(lead_and_work(database, "relay", work))
    await until(lambda: len(turns) == 1)
    await cut_leaders(database)
    await until(lambda: len(turns) == 2)
    await cut_leaders(database)
    await asyncio.wait_for(working, 30)

    assert turns == [0, 1, 2]


async def test_an_error_of_the_work_ends_it(database: str) -> None:
    async def work() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await lead_and_work(database, "relay", work)


async def test_a_database_that_is_away_is_said_to_be(database: str) -> None:
    away = psycopg.conninfo.make_conninfo(database, host="/nonexistent")

    with pytest.raises(Unavailable):
        async with lead(away, "relay"):
            pass

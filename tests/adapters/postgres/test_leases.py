"""A lease has one holder until it runs out, by the database's clock."""

import asyncio
from collections.abc import AsyncIterator

import psycopg
import pytest

from adapters.postgres.leases import PostgresLeases
from adapters.postgres.sessions import open_pool

LONG, SHORT = 60.0, 0.05


@pytest.fixture
async def leases(log_database: str) -> AsyncIterator[PostgresLeases]:
    async with open_pool(log_database, name="tests", size=8) as pool:
        yield PostgresLeases(pool)


async def run_out(leases: PostgresLeases, name: str) -> None:
    async with asyncio.timeout(20):
        while not await leases.expired([name]):
            await asyncio.sleep(0.01)


async def test_a_lease_has_one_holder_who_may_renew_it(leases: PostgresLeases) -> None:
    assert await leases.hold("task", "m1", LONG)
    assert not await leases.hold("task", "m2", LONG)
    assert await leases.hold("task", "m1", LONG)
    assert await leases.hold("other", "m2", LONG)


async def test_of_many_who_want_a_lease_at_once_one_gets_it(leases: PostgresLeases) -> None:
    got = await asyncio.gather(*(leases.hold("task", f"m{n}", LONG) for n in range(20)))
    assert got.count(True) == 1


async def test_a_lease_that_ran_out_is_for_anybody(leases: PostgresLeases) -> None:
    assert await leases.hold("task", "m1", SHORT)
    await run_out(leases, "task")
    assert await leases.hold("task", "m2", LONG)
    assert not await leases.hold("task", "m1", LONG)


async def test_a_lease_from_before_the_clock_was_set_back_is_for_anybody(
    log_database: str, leases: PostgresLeases
) -> None:
    assert await leases.hold("task", "m1", LONG)
    with psycopg.connect(log_database, autocommit=True) as owner:
        owner.execute("update samples.leases set until = until + interval '2 hours'")
    assert set(await leases.expired(["task"])) == {"task"}
    assert await leases.hold("task", "m2", LONG)
    assert not await leases.hold("task", "m1", LONG)


async def test_a_lease_is_given_back_by_its_holder_alone(leases: PostgresLeases) -> None:
    await leases.hold("task", "m1", LONG)
    await leases.release("task", "m2")
    assert not await leases.hold("task", "m2", LONG)
    await leases.release("task", "m1")
    assert await leases.hold("task", "m2", LONG)


async def test_the_leases_that_nobody_holds_are_known(leases: PostgresLeases) -> None:
    await leases.hold("held", "m1", LONG)
    await leases.hold("gone", "m1", SHORT)
    await run_out(leases, "gone")
    assert set(await leases.expired(["held", "gone", "never"])) == {"gone", "never"}
    assert set(await leases.expired([])) == set()

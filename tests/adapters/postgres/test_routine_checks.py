"""Routine checks in PostgreSQL keep what routine checks promise, over restarts too."""

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID

import pytest

from adapters.postgres.routine_checks import PostgresRoutineChecks
from adapters.postgres.sessions import open_pool
from application.routine_checks import Look
from domain.clusters import Found
from tests.adapters.contracts.routine_checks import (
    EAST,
    MINUTE,
    NOON,
    PATIENCE,
    WEST,
    RoutineChecksContract,
    every,
)


@pytest.fixture
async def checks(log_database: str) -> AsyncIterator[PostgresRoutineChecks]:
    async with open_pool(log_database, name="tests", size=6) as pool:
        yield PostgresRoutineChecks(pool)


class TestPostgresRoutineChecks(RoutineChecksContract):
    pass


async def test_due_times_outlive_the_process(
    checks: PostgresRoutineChecks, log_database: str
) -> None:
    await checks.plan([every(5), every(5, WEST)])
    await checks.take(NOON + 5 * MINUTE, PATIENCE, 1)
    await checks.keep(EAST, Look(NOON + 5 * MINUTE, Found.IN_SYNC))
    async with open_pool(log_database, name="after a restart", size=1) as pool:
        again = PostgresRoutineChecks(pool)
        assert await again.last([EAST]) == {EAST: Look(NOON + 5 * MINUTE, Found.IN_SYNC)}
        assert await again.take(NOON + 9 * MINUTE, PATIENCE, 9) == [WEST]
        assert await again.take(NOON + 10 * MINUTE, PATIENCE, 9) == [EAST]


async def test_who_plans_keeps_nothing_from_those_who_take(
    checks: PostgresRoutineChecks,
) -> None:
    plans = [every(5, UUID(int=n)) for n in range(1, 200)]
    await checks.plan(plans)

    async def manager(number: int) -> list[UUID]:
        await checks.plan(plans if number % 2 else plans[::-1])
        return list(await checks.take(NOON + 5 * MINUTE, PATIENCE, 30))

    async with asyncio.timeout(20):
        taken = await asyncio.gather(*(manager(n) for n in range(12)))
    everyone = [cluster_id for each in taken for cluster_id in each]
    assert len(everyone) == len(set(everyone)) == len(plans)

"""What routine checks promise, wherever they are kept."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

from application.routine_checks import Look, Plan, RoutineChecks
from domain.clusters import Found

NOON = datetime(2025, 6, 18, 12, tzinfo=UTC)
MINUTE, PATIENCE = timedelta(minutes=1), timedelta(minutes=15)
EAST, WEST = UUID(int=1), UUID(int=2)


def every(minutes: int, cluster_id: UUID = EAST, since: datetime = NOON) -> Plan:
    return Plan(cluster_id, minutes * MINUTE, since)


class RoutineChecksContract:
    """Subclass it with a fixture `checks` that nothing is planned in."""

    async def test_a_look_is_due_an_interval_after_the_cluster_was_seen(
        self, checks: RoutineChecks
    ) -> None:
        await checks.plan([every(5), every(7, WEST)])
        assert await checks.take(NOON + 4 * MINUTE, PATIENCE, 9) == []
        assert await checks.take(NOON + 5 * MINUTE, PATIENCE, 9) == [EAST]
        assert await checks.take(NOON + 7 * MINUTE, PATIENCE, 9) == [WEST]

    async def test_of_many_takers_one_gets_it(self, checks: RoutineChecks) -> None:
        await checks.plan([every(5)])
        later = NOON + 5 * MINUTE
        taken = await asyncio.gather(*(checks.take(later, PATIENCE, 9) for _ in range(6)))
        assert sorted(taken, key=len)[-2:] == [[], [EAST]]

    async def test_those_that_wait_longest_are_taken_first(self, checks: RoutineChecks) -> None:
        ids = [UUID(int=n) for n in range(1, 6)]
        plans = [every(5, id_, NOON - n * MINUTE) for n, id_ in enumerate(ids)]
        await checks.plan(plans)
        assert set(await checks.take(NOON + 5 * MINUTE, PATIENCE, 2)) == set(ids[-2:])
        assert set(await checks.take(NOON + 5 * MINUTE, PATIENCE, 9)) == set(ids[:-2])

    async def test_what_was_kept_is_due_an_interval_later(self, checks: RoutineChecks) -> None:
        await checks.plan([every(5)])
        await checks.take(NOON + 5 * MINUTE, PATIENCE, 9)
        look = Look(NOON + 6 * MINUTE, Found.DRIFTED, "replicas: 2")
        await checks.keep(EAST, look)
        assert await checks.last([EAST, WEST]) == {EAST: look}
        assert await checks.take(NOON + 10 * MINUTE, PATIENCE, 9) == []
        assert await checks.take(NOON + 11 * MINUTE, PATIENCE, 9) == [EAST]

    async def test_whose_taker_is_gone_is_due_again_after_a_while(
        self, checks: RoutineChecks
    ) -> None:
        await checks.plan([every(5)])
        await checks.take(NOON + 5 * MINUTE, PATIENCE, 9)
        await checks.plan([every(5)])
        assert await checks.take(NOON + 19 * MINUTE, PATIENCE, 9) == []
        assert await checks.take(NOON + 20 * MINUTE, PATIENCE, 9) == [EAST]

    async def test_what_is_given_back_is_due_at_once(self, checks: RoutineChecks) -> None:
        await checks.plan([every(5)])
        await checks.take(NOON + 5 * MINUTE, PATIENCE, 9)
        await checks.give_back(EAST, NOON + 6 * MINUTE)
        assert await checks.take(NOON + 6 * MINUTE, PATIENCE, 9) == [EAST]

    async def test_planning_again_changes_nothing(self, checks: RoutineChecks) -> None:
        for _ in range(2):
            await checks.plan([every(5)])
        await checks.take(NOON + 5 * MINUTE, PATIENCE, 9)
        await checks.keep(EAST, Look(NOON + 5 * MINUTE, Found.IN_SYNC))
        await checks.plan([every(5)])
        assert await checks.take(NOON + 9 * MINUTE, PATIENCE, 9) == []
        assert await checks.take(NOON + 10 * MINUTE, PATIENCE, 9) == [EAST]

    async def test_another_interval_counts_from_the_last_look(self, checks: RoutineChecks) -> None:
        await checks.plan([every(60)])
        await checks.take(NOON + 60 * MINUTE, PATIENCE, 9)
        await checks.keep(EAST, Look(NOON + 60 * MINUTE, Found.IN_SYNC))
        await checks.plan([every(2)])
        assert await checks.take(NOON + 61 * MINUTE, PATIENCE, 9) == []
        assert await checks.take(NOON + 62 * MINUTE, PATIENCE, 9) == [EAST]

    async def test_who_was_just_seen_by_a_task_waits_an_interval(
        self, checks: RoutineChecks
    ) -> None:
        await checks.plan([every(5)])
        await checks.plan([every(5, since=NOON + 3 * MINUTE)])
        assert await checks.take(NOON + 5 * MINUTE, PATIENCE, 9) == []
        assert await checks.take(NOON + 8 * MINUTE, PATIENCE, 9) == [EAST]

    async def test_what_is_no_longer_planned_is_forgotten(self, checks: RoutineChecks) -> None:
        await checks.plan([every(5), every(5, WEST)])
        await checks.plan([every(5, WEST)])
        await checks.keep(EAST, Look(NOON, Found.IN_SYNC))
        await checks.give_back(EAST, NOON)
        assert await checks.take(NOON + 5 * MINUTE, PATIENCE, 9) == [WEST]
        assert await checks.last([EAST, WEST]) == {}
        await checks.plan([])
        assert await checks.take(NOON + 60 * MINUTE, PATIENCE, 9) == []

    async def test_what_was_found_is_text_of_any_kind(self, checks: RoutineChecks) -> None:
        await checks.plan([every(5)])
        await checks.keep(EAST, Look(NOON, Found.NOTHING, "a\0b ☃"))
        assert (await checks.last([EAST]))[EAST].detail.endswith("b ☃")

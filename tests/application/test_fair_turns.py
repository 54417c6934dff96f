"""Turns go round among the tenants, and nobody's many requests keep another's one waiting."""

import asyncio
from collections.abc import Iterator

import pytest

from application.fair_turns import FairTurns, LongWork
from application.ports import Overloaded


class Hall:
    """Requests that hold their turn until they are told to go."""

    def __init__(self, turns: FairTurns) -> None:
        self.turns = turns
        self.begun: list[str] = []
        self.tasks: dict[str, asyncio.Task[None]] = {}
        self._ends: dict[str, asyncio.Event] = {}

    async def ask(self, *names: str) -> None:
        for name in names:
            self._ends[name] = asyncio.Event()
            self.tasks[name] = asyncio.create_task(self._hold(name))
        await settled()

    async def end(self, name: str) -> None:
        self._ends[name].set()
        await self.tasks[name]
        await settled()

    async def end_all(self) -> None:
        for end in self._ends.values():
            end.set()
        await asyncio.wait(self.tasks.values())

    async def _hold(self, name: str) -> None:
        async with self.turns.turn(name[0]):
            self.begun.append(name)
            await self._ends[name].wait()


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_those_who_wait_are_served_tenant_by_tenant() -> None:
    hall = Hall(FairTurns(1))
    await hall.ask("a1", "a2", "a3", "b1", "c1")
    await hall.end_all()
    assert hall.begun == ["a1", "b1", "c1", "a2", "a3"]


async def test_a_tenant_holds_no_more_places_than_are_for_one() -> None:
    hall = Hall(FairTurns(2, places_of_one=1))
    await hall.ask("a1", "a2", "b1")
    assert hall.begun == ["a1", "b1"]
    await hall.end("b1")
    assert hall.begun == ["a1", "b1"]
    await hall.end_all()


async def test_tenants_that_were_slow_leave_a_place_to_those_who_are_quick() -> None:
    now = [0.0]
    hall = Hall(FairTurns(2, places_of_one=1, slow_seconds=1, clock=lambda: now[0]))
    await hall.ask("a1", "b1")
    now[0] = 2
    await hall.end("a1")
    await hall.end("b1")
    await hall.ask("a2", "b2", "c1")
    assert hall.begun[2:] == ["a2", "c1"]
    await hall.end_all()


async def test_a_tenants_queue_is_bounded_and_another_tenant_may_still_wait() -> None:
    hall = Hall(FairTurns(1, waiting_of_one=1))
    await hall.ask("a1", "a2", "b1")
    with pytest.raises(Overloaded, match="1 requests of this workspace"):
        async with hall.turns.turn("a"):
            pass
    await hall.end_all()


@pytest.mark.parametrize("left", ["a1", "a2"])
async def test_who_goes_away_takes_no_turn_along(left: str) -> None:
    hall = Hall(FairTurns(1))
    await hall.ask("a1", "a2", "b1")
    hall.tasks[left].cancel()
    await settled()
    await hall.end_all()
    assert hall.turns.waiting == 0
    async with hall.turns.turn("c"):
        pass


async def test_who_is_given_a_turn_and_goes_away_at_once_takes_no_turn_along() -> None:
    hall = Hall(FairTurns(1))
    async with hall.turns.turn("a"):
        await hall.ask("b1", "c1")
    hall.tasks["b1"].cancel()
    await settled()
    assert hall.begun == ["c1"]
    await hall.end("c1")


async def test_long_work_lets_others_work_between_its_steps() -> None:
    work = LongWork()
    told: list[str] = []

    def steps(name: str, count: int) -> Iterator[int]:
        for number in range(count):
            told.append(name)
            _spin()
            yield number

    done = await asyncio.gather(
        work.done("a", steps("a", 3)), work.done("a", steps("a", 3)), work.done("b", steps("b", 2))
    )
    assert done == [[0, 1, 2], [0, 1, 2], [0, 1]]
    assert "".join(told).index("b") < 3
    assert "".join(told)[:6].count("b") == 2


def _spin() -> None:
    """One step that is as long as a turn may be."""
    import time

    end = time.monotonic() + 0.003
    while time.monotonic() < end:
        pass

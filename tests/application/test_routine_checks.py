"""Installed clusters are looked at by themselves; what is no news never reaches the log."""

import asyncio
import logging
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from adapters.memory.routine_checks import InMemoryRoutineChecks
from application.clusters import ApplyChanges, ChangeCluster, ChangeClusterSettings
from application.ports import (
    Continue,
    Finished,
    HostKeyOffered,
    LogLine,
    PhaseEnded,
    PhaseStarted,
    Unavailable,
)
from application.routine_checks import PATIENCE, Plan, RoutineChecker
from application.tasks import (
    ClaimTask,
    FailTask,
    LoseTask,
    ManagerCommand,
    PinHostKey,
    StartPhase,
    SucceedTask,
)
from domain.cluster_settings import Settings
from domain.clusters import ClusterChecked, ClusterStatus, Found
from domain.tasks import TaskQueued
from domain.values import ChangeMode, OperationKind
from tests.application.managers import House, Script, a_house, until

INTERVAL = timedelta(minutes=5)
SAME = Finished({}, in_sync=True)
DRIFT = Finished({}, in_sync=False, drift="replicas: 2")
AWAY = Finished({}, error="The host cannot be reached.")


class Fleet:
    """Says that the house's clusters are to be looked at, unless the read model is away."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.clusters = [house.cluster_id]
        self.is_away = False

    async def plans(self) -> Sequence[Plan]:
        if self.is_away:
            raise Unavailable("The database cannot be reached.")
        streams = {each: await self.house.hub.store.load(each) for each in self.clusters}
        return [Plan(each, INTERVAL, events[-1].recorded_at) for each, events in streams.items()]


class Watch:
    """A house whose cluster is installed, and who looks at it."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.fleet = Fleet(house)
        self.checks = InMemoryRoutineChecks()
        self.checker = self.another()

    def another(self) -> RoutineChecker:
        """One more that looks, as after a restart or on another machine."""
        return RoutineChecker(self.house.tools, self.house.hub.clock, self.checks, self.fleet)

    async def turn(self, *checkers: RoutineChecker) -> None:
        """One round of each, and all the looks of it to their end."""
        async with asyncio.timeout(10), asyncio.TaskGroup() as group:
            for checker in checkers or (self.checker,):
                await checker.turn(group)

    async def later(self, by: timedelta = INTERVAL) -> None:
        """Plan as things are, let the time pass, and take a round."""
        await self.turn()
        self.house.hub.clock.move(by)
        await self.turn()

    @property
    def looks(self) -> int:
        return len(self.house.player.requests)

    async def found(self) -> tuple[Found, str] | None:
        look = (await self.checks.last([self.house.cluster_id])).get(self.house.cluster_id)
        return look and (look.found, look.detail)

    def said(self, after: int) -> list[type]:
        return [type(event) for event in self.house.hub.events(after)]

    @property
    def head(self) -> int:
        return len(self.house.hub.store.records)

    async def ask_for_a_change(self) -> UUID:
        """A change of another size, claimed."""
        house = self.house
        about = {"workspace_id": house.workspace_id, "cluster_id": house.cluster_id}
        declared = (await house.cluster()).configuration
        version_id = declared.template_version_id
        change = ChangeCluster(
            **about,
            name="north",
            cluster_template_version_id=version_id,
            values={"size": 7, "zone": "a"},
        )
        await house.hub.do(change)
        task_id: UUID = await house.hub.do(ApplyChanges(**about))
        await house.hub.do(ClaimTask(task_id=task_id, manager="m1"))
        return task_id

    async def tell(self, kind: type[ManagerCommand], **how: Any) -> None:
        """The check that was asked for ends like this."""
        task_id = await self.check_of_news()
        await self.house.hub.do(kind.model_validate({"task_id": task_id, "manager": "m1", **how}))

    async def check_of_news(self) -> UUID:
        """The check that was asked for, claimed."""
        queued = [r for r in self.house.hub.store.records if isinstance(r.event, TaskQueued)][-1]
        assert queued.event.kind is OperationKind.CHECK
        assert queued.metadata.actor.type is None
        await self.house.hub.do(ClaimTask(task_id=queued.stream_id, manager="m1"))
        return queued.stream_id


async def a_watch(*scripts: Script, mode: ChangeMode = ChangeMode.MANUAL) -> Watch:
    house = await a_house(*scripts)
    await house.hub.install(house.workspace_id, house.cluster_id)
    settings = Settings(change_mode=mode, check_interval=5)
    about = {"workspace_id": house.workspace_id, "cluster_id": house.cluster_id}
    await house.hub.do(ChangeClusterSettings(**about, settings=settings))
    return Watch(house)


async def test_a_cluster_is_looked_at_once_an_interval_and_a_quiet_look_is_no_event() -> None:
    watch = await a_watch([PhaseStarted("a", critical=False, phases=("a",)), SAME])
    before = watch.head
    for looks in (1, 2, 3):
        await watch.later()
        assert watch.looks == looks
        await watch.later(INTERVAL / 2)
        assert watch.looks == looks
        watch.house.hub.clock.move(-INTERVAL / 2)
    assert watch.said(before) == []
    assert await watch.found() == (Found.IN_SYNC, "")


@pytest.mark.parametrize("field", ["drift", "error"])
async def test_what_a_look_tells_holds_no_secret_of_the_cluster(field: str) -> None:
    end = Finished({}, in_sync=False, **{field: "a: the key is private 1"})
    watch = await a_watch([end])
    await watch.later()
    _, detail = await watch.found()
    assert detail == "a: the key is ***"


async def test_a_look_is_given_what_a_check_is_given() -> None:
    watch = await a_watch([LogLine("a", "x"), PhaseEnded("a", {}, None, False), SAME])
    await watch.later()
    (request,) = watch.house.player.requests
    assert (request.kind, request.cluster_name) == (OperationKind.CHECK, "north")
    assert request.documents == {"resources": ["size: 3\nzone: a\n"]}
    assert request.private_key == "private 1"
    assert not request.leaves_traces
    assert watch.house.player.operations[0].answers == [Continue.NEXT_PHASE]
    assert watch.house.logs.lines == []


async def test_of_several_who_look_one_does() -> None:
    watch = await a_watch([SAME])
    others = [watch.another() for _ in range(3)]
    await watch.turn(*others)
    watch.house.hub.clock.move(INTERVAL)
    await watch.turn(*others)
    assert watch.looks == 1


@pytest.mark.parametrize(("end", "found"), [(DRIFT, Found.DRIFTED), (AWAY, Found.NOTHING)])
async def test_news_are_told_by_a_task(end: Finished, found: Found) -> None:
    watch = await a_watch([end])
    before = watch.head
    await watch.later()
    assert await watch.found() == (found, end.drift or end.error)
    assert TaskQueued in watch.said(before)
    await watch.check_of_news()
    await watch.later()
    assert watch.looks == 1


async def test_a_drift_that_is_known_is_no_news_and_its_end_is() -> None:
    watch = await a_watch([DRIFT], [DRIFT], [SAME])
    await watch.later()
    await watch.tell(SucceedTask, in_sync=False)
    assert (await watch.house.cluster()).status is ClusterStatus.PENDING_CHANGES
    quiet = watch.head
    await watch.later()
    assert watch.said(quiet) == []
    await watch.later()
    await watch.tell(SucceedTask)
    assert watch.said(quiet)[-1] is ClusterChecked
    assert (await watch.house.cluster()).status is ClusterStatus.IN_SYNC


async def test_a_host_that_stays_away_is_told_of_once_and_so_is_its_return() -> None:
    watch = await a_watch([AWAY], [AWAY], [SAME])
    await watch.later()
    await watch.tell(FailTask, reason="It is away.")
    assert (await watch.house.cluster()).status is ClusterStatus.UNKNOWN
    quiet = watch.head
    await watch.later()
    assert watch.said(quiet) == []
    await watch.later()
    await watch.tell(SucceedTask)
    assert (await watch.house.cluster()).status is ClusterStatus.IN_SYNC


async def test_after_a_task_that_was_lost_a_person_looks_first() -> None:
    watch = await a_watch([DRIFT], [SAME], mode=ChangeMode.AUTO)
    await watch.later()
    task_id = await watch.check_of_news()
    hub = watch.house.hub
    await hub.do(SucceedTask(task_id=task_id, manager="m1", in_sync=False))
    change_id = hub.store.records[-1].stream_id
    started = StartPhase(task_id=change_id, manager="m1", phase="a", critical=True, phases=("a",))
    for command in (
        ClaimTask(task_id=change_id, manager="m1"),
        started,
        LoseTask(task_id=change_id, manager="m1", reason="The host is another."),
    ):
        await hub.do(command)
    assert (await watch.house.cluster()).status is ClusterStatus.UNKNOWN
    quiet = watch.head
    await watch.later()
    await watch.later()
    assert (watch.looks, watch.said(quiet)) == (1, [])


async def test_a_host_without_a_pinned_key_is_for_a_task_to_greet() -> None:
    offered = HostKeyOffered("10.0.0.1", 22, "K", "SHA256:x")
    watch = await a_watch([offered, SAME], [SAME])
    await watch.later()
    assert watch.house.player.operations[0].answers == []
    task_id = await watch.check_of_news()
    pinned = PinHostKey(
        task_id=task_id, manager="m1", host="10.0.0.1", port=22, key="K", fingerprint="SHA256:x"
    )
    await watch.house.hub.do(pinned)
    await watch.house.hub.do(SucceedTask(task_id=task_id, manager="m1"))
    await watch.later()
    assert watch.house.player.requests[1].known_hosts == {"10.0.0.1:22": "K"}


async def test_what_was_found_of_a_cluster_that_changed_meanwhile_is_no_news() -> None:
    held = asyncio.Event()
    watch = await a_watch([held, DRIFT])
    await watch.turn()
    watch.house.hub.clock.move(INTERVAL)
    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        await watch.checker.turn(group)
        await until(lambda: watch.looks)
        task_id = await watch.ask_for_a_change()
        await watch.house.hub.do(SucceedTask(task_id=task_id, manager="m1"))
        before = watch.head
        held.set()
    assert watch.said(before) == []


async def test_who_is_stopped_gives_back_what_he_was_looking_at() -> None:
    watch = await a_watch([asyncio.Event()], [SAME])
    await watch.turn()
    watch.house.hub.clock.move(INTERVAL)
    running = asyncio.create_task(watch.checker.run())
    await until(lambda: watch.looks)
    running.cancel()
    await asyncio.wait([running])
    assert watch.checker.running == 0
    await watch.turn(watch.another())
    assert watch.looks == 2


async def test_who_is_gone_without_a_word_is_waited_for_and_then_another_looks() -> None:
    watch = await a_watch([SAME])
    await watch.turn()
    watch.house.hub.clock.move(INTERVAL)
    await watch.checks.take(watch.house.hub.clock.now(), PATIENCE, 1)
    await watch.later(PATIENCE - INTERVAL)
    assert watch.looks == 0
    await watch.later(INTERVAL)
    assert watch.looks == 1


async def test_no_more_is_looked_at_than_there_are_slots_for() -> None:
    watch = await a_watch([asyncio.Event()])
    watch.checker.slots = 0
    await watch.later()
    assert watch.looks == 0
    watch.checker.slots = 1
    running = asyncio.create_task(watch.checker.run())
    await until(lambda: watch.looks)
    assert watch.checker.running == 1
    running.cancel()
    await asyncio.wait([running])


async def test_a_slot_that_is_free_again_is_used_at_once() -> None:
    watch = await a_watch([SAME])
    house = watch.house
    for name in ("south", "east"):
        watch.fleet.clusters.append(await house.hub.cluster(house.workspace_id, name))
        await house.hub.install(house.workspace_id, watch.fleet.clusters[-1])
    await watch.turn()
    house.hub.clock.move(INTERVAL)
    watch.checker.slots, watch.checker.rest_seconds = 1, 600
    running = asyncio.create_task(watch.checker.run())
    await until(lambda: watch.looks == 3)
    running.cancel()
    await asyncio.wait([running])
    looked_at = [request.cluster_id for request in house.player.requests]
    assert set(looked_at) == set(watch.fleet.clusters)


async def test_a_database_that_is_away_costs_a_turn() -> None:
    watch = await a_watch([SAME])
    watch.fleet.is_away = True
    await watch.later()
    assert watch.looks == 0
    watch.fleet.is_away = False
    await watch.turn()
    assert watch.looks == 1


async def test_what_cannot_be_looked_at_is_not_the_end_of_looking(
    caplog: pytest.LogCaptureFixture,
) -> None:
    watch = await a_watch([RuntimeError("swordfish")], [SAME])
    with caplog.at_level(logging.CRITICAL):
        await watch.later()
    await watch.later(PATIENCE)
    assert watch.looks == 2
    assert await watch.found() == (Found.IN_SYNC, "")


async def test_a_failed_change_is_left_to_people() -> None:
    watch = await a_watch([SAME])
    task_id = await watch.ask_for_a_change()
    await watch.house.hub.do(FailTask(task_id=task_id, manager="m1", reason="No disk."))
    await watch.later()
    assert watch.looks == 0

"""A manager takes what waits and tells the log how it goes; where it is gone, another goes on."""

import asyncio
import base64
import logging
import os
from collections.abc import Sequence
from itertools import accumulate
from typing import Any
from uuid import UUID

import pytest

from application.clusters import ChangeCluster, CheckCluster, InstallCluster
from application.ports import (
    Continue,
    Finished,
    HostKeyOffered,
    LogLine,
    PhaseEnded,
    PhaseStarted,
    TracesLost,
    Unavailable,
)
from application.tasks import CancelTask, ClaimTask
from domain.clusters import ClusterStatus
from domain.model import Recorded
from domain.tasks import (
    TaskClaimed,
    TaskFailed,
    TaskLost,
    TaskPhaseEnded,
    TaskPhaseStarted,
    TaskStatus,
    TaskSucceeded,
    TaskTracesLost,
)
from tests.application.managers import House, Script, a_house, kinds, until

PHASES = ("prepare", "boot")
STATE = {"inventory": b"three machines"}
PREPARED = PhaseEnded("prepare", STATE, "boot", next_phase_critical=True)
GOOD = Finished(STATE)


async def test_a_task_is_told_to_the_log_from_claim_to_end() -> None:
    house = await a_house(
        [
            PhaseStarted("prepare", critical=False, phases=PHASES),
            LogLine("prepare", "hello"),
            HostKeyOffered("10.0.0.1", 22, "K", "SHA256:x"),
            PREPARED,
            PhaseStarted("boot", critical=True, phases=PHASES),
            LogLine("boot", "world"),
            GOOD,
        ]
    )
    task_id = await house.install()
    async with house.manager():
        task = await house.over(task_id)
    assert task.status is TaskStatus.SUCCEEDED
    assert task.done == ("prepare",)
    assert kinds(house).count(TaskPhaseStarted) == 2
    assert house.logs.lines == ["hello", "world"]
    assert house.player.operations[0].answers == [Continue.NEXT_PHASE] * 2
    cluster = await house.cluster()
    assert (cluster.status, cluster.host_keys) == (ClusterStatus.IN_SYNC, {"10.0.0.1:22": "K"})
    caused = {r.metadata.correlation_id for r in house.hub.store.records if r.stream_id == task_id}
    assert caused == {None, task_id}


async def test_what_a_manager_tells_has_an_id_for_each_command_and_its_process() -> None:
    house = await a_house([GOOD])
    task_id = await house.install()
    asked = len(house.hub.store.records)
    async with house.manager():
        await house.over(task_id)
    told = [record.metadata for record in house.hub.store.records[asked:]]
    assert {metadata.pid for metadata in told} == {os.getpid()}
    ids = {metadata.request_id for metadata in told}
    assert None not in ids
    assert len(ids) == len(("the claim", "the end"))


async def test_an_installer_gets_all_it_needs() -> None:
    house = await a_house([GOOD])
    task_id = await house.install()
    async with house.manager():
        await house.over(task_id)
    (request,) = house.player.requests
    assert (request.task_id, request.cluster_id) == (task_id, house.cluster_id)
    assert request.documents == {"resources": ["size: 3\nzone: a\n"]}
    assert request.private_key == "private 1"
    assert (dict(request.state), request.is_resumed) == ({}, False)


@pytest.mark.parametrize(
    ("end", "status", "cluster_status"),
    [
        (Finished({}, error="No disk."), TaskStatus.FAILED, ClusterStatus.CREATION_FAILED),
        (Finished({}, is_lost=True), TaskStatus.LOST, ClusterStatus.UNKNOWN),
        (Finished({}, cancelled=True), TaskStatus.CANCELLED, ClusterStatus.CREATION_FAILED),
    ],
)
async def test_every_end_is_told(
    end: Finished, status: TaskStatus, cluster_status: ClusterStatus
) -> None:
    house = await a_house([end])
    task_id = await house.install()
    async with house.manager():
        assert (await house.over(task_id)).status is status
    assert (await house.cluster()).status is cluster_status
    assert not house.leases.held


async def test_what_a_check_found_is_told() -> None:
    house = await a_house([GOOD], [Finished({}, in_sync=False, drift="replicas")], [GOOD])
    await house.hub.install(house.workspace_id, house.cluster_id)
    about = {"workspace_id": house.workspace_id, "cluster_id": house.cluster_id}
    house.player._scripts.pop(0)
    check_id = await house.hub.do(CheckCluster(**about))
    async with house.manager():
        await house.over(check_id)
        await until(lambda: kinds(house).count(TaskSucceeded) == 3)
    assert (await house.cluster()).status is ClusterStatus.IN_SYNC


async def test_another_manager_goes_on_from_the_last_saved_phase() -> None:
    stuck = asyncio.Event()
    house = await a_house([PREPARED, stuck], [GOOD])
    task_id = await house.install()
    async with house.manager("m1"):
        await until(lambda: TaskPhaseEnded in kinds(house))
    async with house.manager("m2"):
        task = await house.over(task_id)
    assert (task.status, task.attempt, task.manager) == (TaskStatus.SUCCEEDED, 2, "m2")
    resumed = house.player.requests[1]
    assert (dict(resumed.state), resumed.is_resumed) == (STATE, True)
    sealed = await house.hub.vault.open(task_id, task.state["inventory"])
    assert base64.b64decode(sealed) == STATE["inventory"]


async def test_who_stops_lets_go_at_once() -> None:
    house = await a_house([asyncio.Event()])
    await house.install()
    async with house.manager("m1", lease_seconds=60):
        await until(lambda: house.player.operations)
        assert len(house.leases.held) == 1
    assert not house.leases.held


async def test_a_task_whose_lease_is_held_is_left_alone() -> None:
    house = await a_house([asyncio.Event()], [GOOD])
    await house.install()
    async with house.manager("m1"), house.manager("m2"):
        await until(lambda: house.player.operations)
        for _ in range(20):
            await asyncio.sleep(0)
    assert kinds(house).count(TaskClaimed) == 1


async def test_who_was_taken_for_gone_stops_without_a_word() -> None:
    """The lease ran out while it lived: the log says whose the task is."""
    held = asyncio.Event()
    house = await a_house([held, PREPARED, GOOD], [asyncio.Event()])
    task_id = await house.install()
    async with house.manager("m1") as first:
        await until(lambda: house.player.operations)
        house.leases.held[f"task:{task_id}"] = "m2"
        await house.hub.do(ClaimTask(task_id=task_id, manager="m2"))
        held.set()
        await until(lambda: not first.running)
    task = await house.task(task_id)
    assert (task.manager, task.status, task.done) == ("m2", TaskStatus.RUNNING, ())
    assert house.leases.held == {f"task:{task_id}": "m2"}


async def test_a_phase_is_begun_anew_when_the_log_has_it() -> None:
    house = await a_house([TracesLost("boot"), asyncio.Event()])
    await house.install()
    async with house.manager():
        await until(lambda: house.player.operations and house.player.operations[0].answers)
    assert house.player.operations[0].answers == [Continue.NEXT_PHASE]
    assert kinds(house)[-1] is TaskTracesLost


async def test_who_was_taken_for_gone_begins_no_phase_anew() -> None:
    """The other manager may have ended the task and removed its traces."""
    held = asyncio.Event()
    house = await a_house([held, TracesLost("boot"), GOOD], [GOOD])
    task_id = await house.install()
    async with house.manager("m1", lease_seconds=60) as first:
        await until(lambda: house.player.operations)
        house.leases.held.clear()
        async with house.manager("m2"):
            await house.over(task_id)
        held.set()
        await until(lambda: not first.running)
    assert house.player.operations[0].answers == []
    assert TaskTracesLost not in kinds(house)


async def test_who_lost_its_lease_to_another_stops_by_itself() -> None:
    house = await a_house([asyncio.Event()])
    task_id = await house.install()
    async with house.manager("m1") as first:
        await until(lambda: house.player.operations)
        house.leases.held[f"task:{task_id}"] = "m2"
        await house.hub.do(ClaimTask(task_id=task_id, manager="m2"))
        await until(lambda: not first.running)
    assert house.leases.held == {f"task:{task_id}": "m2"}


async def test_a_cancelled_task_is_stopped() -> None:
    house = await a_house([asyncio.Event()])
    task_id = await house.install()
    async with house.manager() as manager:
        await until(lambda: house.player.operations)
        await house.hub.do(CancelTask(workspace_id=house.workspace_id, task_id=task_id))
        manager.notice(house.hub.store.records[-1])
        assert (await house.over(task_id)).status is TaskStatus.CANCELLED


async def test_a_task_that_was_cancelled_while_nobody_had_it_is_stopped_too() -> None:
    house = await a_house([asyncio.Event()])
    task_id = await house.install()
    async with house.manager("m1"):
        await until(lambda: house.player.operations)
    await house.hub.do(CancelTask(workspace_id=house.workspace_id, task_id=task_id))
    async with house.manager("m2"):
        assert (await house.over(task_id)).status is TaskStatus.CANCELLED


async def test_a_manager_takes_no_more_than_it_has_slots_for() -> None:
    house = await a_house([asyncio.Event()])
    clusters = [await house.hub.cluster(house.workspace_id, f"c{n}") for n in range(3)]
    for cluster_id in clusters:
        about = {"workspace_id": house.workspace_id, "cluster_id": cluster_id}
        await house.hub.do(InstallCluster(**about))
    async with house.manager(slots=2) as manager:
        await until(lambda: len(house.player.operations) == 2)
        before = house.looks
        await until(lambda: house.looks > before + 2)
        assert (manager.running, len(house.player.operations)) == (2, 2)


async def test_a_new_task_is_heard_of_before_the_queue_shows_it() -> None:
    house = await a_house([GOOD])

    async def nothing_yet() -> Sequence[UUID]:
        return []

    house.unfinished = nothing_yet  # type: ignore[method-assign]
    async with house.manager(lease_seconds=60) as manager:
        task_id = await house.install()
        manager.notice(house.hub.store.records[-1])
        await house.over(task_id)


async def test_what_was_heard_of_is_not_forgotten_while_the_database_is_away() -> None:
    """The queue may not show it for long: who keeps the read models may wait for its stream."""
    house = await a_house([GOOD])
    away = [Unavailable("The database cannot be reached.")] * 3

    async def away_and_then_nothing_yet() -> Sequence[UUID]:
        if away:
            raise away.pop()
        return []

    house.unfinished = away_and_then_nothing_yet  # type: ignore[method-assign]
    async with house.manager() as manager:
        task_id = await house.install()
        manager.notice(house.hub.store.records[-1])
        await house.over(task_id)
    assert not away


async def test_what_was_heard_of_waits_for_a_slot() -> None:
    held = asyncio.Event()
    house = await a_house([held, GOOD], [GOOD])
    other = await house.hub.cluster(house.workspace_id, "other")

    async def nothing_yet() -> Sequence[UUID]:
        return []

    house.unfinished = nothing_yet  # type: ignore[method-assign]
    async with house.manager(slots=1) as manager:
        manager.notice(await _asked(house, house.cluster_id))
        await until(lambda: manager.running)
        waiting = await _asked(house, other)
        manager.notice(waiting)
        held.set()
        await house.over(waiting.stream_id)


async def _asked(house: House, cluster_id: UUID) -> Recorded:
    """A cluster's task, as the log tells of it."""
    about = {"workspace_id": house.workspace_id, "cluster_id": cluster_id}
    task_id = await house.hub.do(InstallCluster(**about))
    return next(r for r in house.hub.store.records if r.stream_id == task_id)


async def test_log_lines_wait_for_the_database() -> None:
    house = await a_house([LogLine("boot", "a"), LogLine("boot", "b"), GOOD])
    house.logs.failures = 2
    task_id = await house.install()
    async with house.manager():
        await house.over(task_id)
    assert house.logs.lines == ["a", "b"]


def printing(*texts: str, **more: Any) -> list[LogLine]:
    ends = accumulate(len(text) for text in texts)
    return [
        LogLine("boot", text, offset=end, **more) for text, end in zip(texts, ends, strict=True)
    ]


async def a_house_with_a_password(password: str, *scripts: Script) -> House:
    house = await a_house(*scripts)
    house.cluster_id = await house.hub.cluster(
        house.workspace_id, "guarded", size=3, zone="a", password=password
    )
    return house


async def change_password(house: House, password: str) -> None:
    cluster = await house.cluster()
    change = ChangeCluster(
        workspace_id=house.workspace_id,
        cluster_id=house.cluster_id,
        name=cluster.name,
        cluster_template_version_id=cluster.configuration.template_version_id,
        values={"size": 3, "zone": "a", "password": password},
    )
    await house.hub.do(change)


async def test_a_password_is_masked_in_the_log_and_in_the_reason() -> None:
    note = LogLine("boot", "Trying with open-sesame.", stream="note")
    end = Finished({}, error="Phase boot failed. Last line: pass=open-sesame")
    lines = printing("pass=open-sesame", "b3Blbi1zZXNhbWU=", "private 2")
    house = await a_house_with_a_password("open-sesame", [*lines, note, end])
    task_id = await house.install()
    async with house.manager():
        await house.over(task_id)
    assert house.logs.lines == ["pass=***", "***=", "***", "Trying with ***."]
    (failed,) = [event for event in house.hub.events() if isinstance(event, TaskFailed)]
    assert failed.reason == "Phase boot failed. Last line: pass=***"


async def test_a_password_is_masked_where_a_long_line_was_cut_in_it() -> None:
    cut = printing("x" * 9 + "open-", "sesame y open", is_cut=True)
    last = LogLine("boot", "-sesame", offset=40)
    house = await a_house_with_a_password("open-sesame", [*cut, last, GOOD])
    task_id = await house.install()
    async with house.manager():
        await house.over(task_id)
    assert house.logs.lines == ["x" * 9 + "***", "*** y ***", "***"]


async def test_a_password_that_is_changed_meanwhile_is_masked_beside_the_former_one() -> None:
    changed = asyncio.Event()
    lines = printing("open-sesame open-barley")
    house = await a_house_with_a_password("open-sesame", [changed, *lines, GOOD])
    task_id = await house.install()
    async with house.manager() as manager:
        await until(lambda: house.player.operations)
        await change_password(house, "open-barley")
        for recorded in house.hub.store.records:
            manager.notice(recorded)
        changed.set()
        await house.over(task_id)
    assert house.logs.lines == ["*** ***"]


async def test_a_manager_outlives_a_database_that_is_away() -> None:
    house = await a_house([GOOD])
    house.leases.is_away = True
    task_id = await house.install()
    async with house.manager():
        await until(lambda: house.looks > 2)
        house.leases.is_away = False
        await house.over(task_id)


async def test_what_is_wrong_with_one_task_is_not_the_end_of_the_others(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Its documents are gone; the others go on, and a person hears of it."""
    house = await a_house([GOOD])
    broken_id = await house.install()
    house.hub.store.documents.clear()
    good_id = await house.hub.cluster(house.workspace_id, "south")
    about = {"workspace_id": house.workspace_id, "cluster_id": good_id}
    other_id = await house.hub.do(InstallCluster(**about))
    with caplog.at_level(logging.CRITICAL):
        async with house.manager():
            assert (await house.over(broken_id)).status is TaskStatus.LOST
            assert (await house.over(other_id)).status is TaskStatus.SUCCEEDED
    assert (await house.cluster()).status is ClusterStatus.UNKNOWN
    assert not house.leases.held


async def test_a_task_whose_secrets_were_erased_says_so() -> None:
    house = await a_house([GOOD])
    task_id = await house.install()
    house.hub.vault.erase(house.cluster_id)
    async with house.manager():
        task = await house.over(task_id)
    assert task.status is TaskStatus.LOST
    lost = [event for event in house.hub.events() if isinstance(event, TaskLost)]
    assert [event.reason for event in lost] == ["The key of this secret was erased."]


async def test_an_installer_that_breaks_its_promise_loses_its_task_alone() -> None:
    started = PhaseStarted("boot", critical=True, phases=PHASES)
    house = await a_house([started, RuntimeError("swordfish")])
    task_id = await house.install()
    async with house.manager():
        task = await house.over(task_id)
    assert task.status is TaskStatus.LOST_IN_CRITICAL
    assert "swordfish" not in "".join(e.model_dump_json() for e in house.hub.events())

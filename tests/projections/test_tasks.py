"""What is shown of tasks."""

from uuid import uuid4

from domain.tasks import (
    TaskCancelRequested,
    TaskClaimed,
    TaskFailed,
    TaskLost,
    TaskPhaseEnded,
    TaskPhaseStarted,
    TaskQueued,
    TaskSucceeded,
    TaskTracesLost,
)
from domain.values import OperationKind
from projections.reader import Shown
from projections.tasks import count_by_task_status, task, tasks_where
from tests.projections.scenario import Scenario

ACME, CLUSTER, TASK = uuid4(), uuid4(), uuid4()
QUEUED = TaskQueued(
    workspace_id=ACME,
    cluster_id=CLUSTER,
    cluster_name="east",
    kind=OperationKind.INSTALL,
    rendering=1,
)
CLAIMED = TaskClaimed(manager="hub-a", attempt=1)
PLAN = ("prepare", "install", "finish")


def started(phase: str, critical: bool = False) -> TaskPhaseStarted:
    return TaskPhaseStarted(phase=phase, critical=critical, phases=PLAN)


async def only(scene: Scenario) -> Shown:
    row = await scene.shows(task, ACME, TASK)
    assert row is not None
    return row


async def test_a_queued_task_waits_for_a_manager(scene: Scenario) -> None:
    await scene.given(TASK, QUEUED)
    row = await only(scene)
    assert (row["status"], row["kind"], row["attempts"]) == ("queued", "install", 0)
    assert (row["started_at"], row["ended_at"], row["phases"]) == (None, None, [])
    assert (row["cluster_name"], row["created_by"]) == ("east", "Mira Okafor")


async def test_phases_are_shown_in_the_order_in_which_they_began(scene: Scenario) -> None:
    await scene.given(TASK, QUEUED, CLAIMED)
    await scene.given(TASK, started("prepare"))
    await scene.given(TASK, TaskPhaseEnded(phase="prepare", next_phase="install"))
    await scene.given(TASK, started("install", critical=True))
    row = await only(scene)
    assert (row["status"], row["phase"], row["phase_is_critical"]) == ("running", "install", True)
    assert row["plan"] == list(PLAN)
    assert [(p["phase"], p["is_critical"], p["ended_at"] is None) for p in row["phases"]] == [
        ("prepare", False, False),
        ("install", True, True),
    ]
    assert row["phases"][0]["started_at"].endswith("Z")


async def test_a_phase_that_is_begun_anew_begins_then(scene: Scenario) -> None:
    await scene.given(TASK, QUEUED, CLAIMED, started("prepare"))
    (before,) = (await only(scene))["phases"]
    await scene.given(TASK, TaskTracesLost(phase="prepare"))
    (after,) = (await only(scene))["phases"]
    assert after["started_at"] > before["started_at"]
    assert after["ended_at"] is None


async def test_a_skipped_phase_says_so(scene: Scenario) -> None:
    await scene.given(TASK, QUEUED, CLAIMED, TaskPhaseEnded(phase="prepare", skipped=True))
    (phase,) = (await only(scene))["phases"]
    assert (phase["is_skipped"], phase["started_at"]) == (True, None)


async def test_another_manager_is_another_attempt_and_no_new_start(scene: Scenario) -> None:
    await scene.given(TASK, QUEUED, CLAIMED)
    first = await only(scene)
    await scene.given(TASK, TaskClaimed(manager="hub-b", attempt=2), TaskCancelRequested())
    row = await only(scene)
    assert (row["manager"], row["attempts"], row["cancel_requested"]) == ("hub-b", 2, True)
    assert row["started_at"] == first["started_at"]


async def test_a_task_ends_in_one_of_its_ways(scene: Scenario) -> None:
    endings = {
        "succeeded": TaskSucceeded(detail="nothing to do"),
        "failed": TaskFailed(reason="no route"),
        "lost": TaskLost(in_critical=False, reason="silent"),
        "lost_in_critical": TaskLost(in_critical=True, reason="silent"),
    }
    for ending in endings.values():
        await scene.given(uuid4(), QUEUED, CLAIMED, ending)
    page = await scene.shows(tasks_where, cluster_id=CLUSTER)
    assert {row["status"] for row in page.rows} == endings.keys()
    assert all(row["ended_at"] and row["reason"] for row in page.rows)
    counted = await count_by_task_status(scene.reader, workspace_id=ACME)
    assert counted == dict.fromkeys(endings, 1)


async def test_tasks_are_listed_newest_first_and_page_by_page(scene: Scenario) -> None:
    for _ in range(5):
        await scene.given(uuid4(), QUEUED)
    whole = await scene.shows(tasks_where, workspace_id=ACME)
    first = await tasks_where(scene.reader, workspace_id=ACME, limit=3)
    rest = await tasks_where(scene.reader, workspace_id=ACME, limit=3, cursor=first.next_cursor)
    assert [*first.rows, *rest.rows] == whole.rows
    assert rest.next_cursor is None
    back = await tasks_where(scene.reader, workspace_id=ACME, limit=3, cursor=rest.previous_cursor)
    assert back == first
    times = [row["created_at"] for row in whole.rows]
    assert times == sorted(times, reverse=True)


async def test_a_filter_of_tasks_lets_pass_what_it_names(scene: Scenario) -> None:
    await scene.given(TASK, QUEUED, CLAIMED)
    await scene.given(uuid4(), QUEUED)
    running = await scene.shows(tasks_where, statuses=["running"])
    assert [row["id"] for row in running.rows] == [str(TASK)]
    assert (await tasks_where(scene.reader, kinds=["check"])).rows == []
    assert await task(scene.reader, uuid4(), TASK) is None

"""A task is queued, claimed by one manager, goes from phase to phase, and ends once."""

from uuid import UUID

import pytest

from domain.model import Event
from domain.secrets import Secret
from domain.tasks import (
    Task,
    TaskCancelled,
    TaskCancelRequested,
    TaskClaimed,
    TaskFailed,
    TaskIsOver,
    TaskIsTaken,
    TaskLost,
    TaskPhaseEnded,
    TaskPhaseStarted,
    TaskQueued,
    TaskStatus,
    TaskSucceeded,
    TaskTracesLost,
)
from domain.values import DocumentRef, OperationKind
from tests.support.scenario import given

WORKSPACE, CLUSTER = UUID(int=1), UUID(int=2)
SECTIONS = {"resources": DocumentRef(digest="aa", size=2, subject_id=CLUSTER)}
PHASES = ("prepare", "boot", "join")

queued = TaskQueued(
    workspace_id=WORKSPACE,
    cluster_id=CLUSTER,
    cluster_name="north",
    kind=OperationKind.INSTALL,
    rendering=3,
    sections=SECTIONS,
)
claimed = TaskClaimed(manager="m1", attempt=1)
claimed_again = TaskClaimed(manager="m2", attempt=2)
preparing = TaskPhaseStarted(phase="prepare", critical=False, phases=PHASES)
prepared = TaskPhaseEnded(
    phase="prepare",
    next_phase="boot",
    next_phase_critical=True,
    state={"inventory": Secret(token="sealed")},
)
booting = TaskPhaseStarted(phase="boot", critical=True, phases=PHASES)
cancel_requested = TaskCancelRequested()
succeeded = TaskSucceeded()
ENDS: list[tuple[Event, TaskStatus]] = [
    (succeeded, TaskStatus.SUCCEEDED),
    (TaskFailed(reason="no disk"), TaskStatus.FAILED),
    (TaskCancelled(previous_status=TaskStatus.RUNNING), TaskStatus.CANCELLED),
    (TaskLost(in_critical=False, reason="host gone"), TaskStatus.LOST),
    (TaskLost(in_critical=True, reason="host gone"), TaskStatus.LOST_IN_CRITICAL),
]


def test_a_task_is_queued_with_what_it_will_make_true() -> None:
    given().when(
        Task.queue,
        workspace_id=WORKSPACE,
        cluster_id=CLUSTER,
        cluster_name="north",
        kind=OperationKind.INSTALL,
        rendering=3,
        sections=SECTIONS,
        state={},
    ).then(queued)
    given(queued).leaves(Task, status=TaskStatus.QUEUED, sections=SECTIONS, attempt=0)


def test_a_manager_claims_a_task_that_waits() -> None:
    given(queued).when(Task.claim, "m1").then(claimed)
    given(queued, claimed).leaves(Task, status=TaskStatus.RUNNING, manager="m1", attempt=1)


def test_another_manager_goes_on_where_the_first_one_is_gone() -> None:
    given(queued, claimed, preparing).when(Task.claim, "m2").then(claimed_again)
    given(queued, claimed, preparing, prepared, claimed_again).leaves(
        Task, manager="m2", attempt=2, done=("prepare",), state=prepared.state
    )


@pytest.mark.parametrize(
    ("decide", "arguments"),
    [
        (Task.start_phase, {"phase": "prepare", "phases": PHASES, "critical": False}),
        (Task.end_phase, {"ended": prepared}),
        (Task.lose_traces, {"phase": "prepare"}),
        (Task.succeed, {}),
        (Task.fail, {"reason": "no disk"}),
        (Task.cancel, {}),
        (Task.lose, {"reason": "host gone"}),
    ],
)
def test_only_the_newest_claimant_may_tell_how_it_goes(decide, arguments) -> None:  # type: ignore[no-untyped-def]
    given(queued).when(decide, "m1", **arguments).then_refused(TaskIsTaken)
    given(queued, claimed, claimed_again).when(decide, "m1", **arguments).then_refused(
        TaskIsTaken, "m2"
    )


def test_a_phase_starts_with_all_that_is_to_come() -> None:
    given(queued, claimed).when(Task.start_phase, "m1", "prepare", PHASES, critical=False).then(
        preparing
    )


def test_a_phase_that_goes_on_under_another_manager_does_not_start_again() -> None:
    given(queued, claimed, preparing, claimed_again).when(
        Task.start_phase, "m2", "prepare", PHASES, critical=False
    ).then_nothing()


@pytest.mark.parametrize("critical", [False, True])
def test_each_phase_after_the_first_starts_too(critical: bool) -> None:
    given(queued, claimed, preparing, prepared).when(
        Task.start_phase, "m1", "boot", PHASES, critical=critical
    ).then(TaskPhaseStarted(phase="boot", critical=critical, phases=PHASES))


def test_a_phase_ends_with_the_state_that_the_next_manager_needs() -> None:
    given(queued, claimed, preparing).when(Task.end_phase, "m1", prepared).then(prepared)
    given(queued, claimed, preparing, prepared).leaves(Task, state=prepared.state)


def test_a_phase_ends_once() -> None:
    given(queued, claimed, preparing, prepared).when(Task.end_phase, "m1", prepared).then_nothing()


def test_a_phase_whose_traces_are_lost_is_begun_anew_each_time() -> None:
    lost = TaskTracesLost(phase="prepare")
    given(queued, claimed, preparing).when(Task.lose_traces, "m1", "prepare").then(lost)
    given(queued, claimed, preparing, lost).when(Task.lose_traces, "m1", "prepare").then(lost)
    given(queued, claimed, preparing, lost).leaves(Task, phase="prepare", done=())


def test_a_task_that_waits_is_cancelled_at_once() -> None:
    given(queued).when(Task.request_cancel).then(TaskCancelled(previous_status=TaskStatus.QUEUED))


def test_a_task_that_runs_is_asked_once_to_stop() -> None:
    given(queued, claimed).when(Task.request_cancel).then(cancel_requested)
    given(queued, claimed, cancel_requested).when(Task.request_cancel).then_nothing()
    given(queued, claimed, cancel_requested).when(Task.cancel, "m1").then(
        TaskCancelled(previous_status=TaskStatus.RUNNING)
    )


def test_a_task_that_was_asked_to_stop_may_have_been_done_already() -> None:
    given(queued, claimed, cancel_requested).when(Task.succeed, "m1").then(succeeded)


def test_a_task_lost_in_a_critical_phase_says_so() -> None:
    given(queued, claimed, preparing, prepared, booting).when(Task.lose, "m1", "host gone").then(
        TaskLost(in_critical=True, reason="host gone")
    )
    given(queued, claimed, preparing).when(Task.lose, "m1", "host gone").then(
        TaskLost(in_critical=False, reason="host gone")
    )


def test_a_task_lost_on_its_way_into_a_critical_phase_counts_as_lost_in_it() -> None:
    given(queued, claimed, preparing, prepared, claimed_again).when(
        Task.lose, "m2", "host gone"
    ).then(TaskLost(in_critical=True, reason="host gone"))


@pytest.mark.parametrize(("end", "status"), ENDS)
def test_a_task_that_has_ended_stays_as_it_is(end: Event, status: TaskStatus) -> None:
    past = given(queued, claimed, end)
    past.leaves(Task, status=status)
    past.when(Task.claim, "m2").then_refused(TaskIsOver)
    past.when(Task.succeed, "m1").then_refused(TaskIsOver)
    past.when(Task.request_cancel).then_refused(TaskIsOver)
    past.when(Task.end_phase, "m1", prepared).then_refused(TaskIsOver)


@pytest.mark.parametrize(("end", "status"), ENDS)
def test_the_audit_tells_how_it_ended(end: Event, status: TaskStatus) -> None:
    audited = end.audited()
    assert audited is not None
    assert audited.audited_changes == {"status": ["running", status]}

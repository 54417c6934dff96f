"""A task is one operation on a cluster: queued, claimed by one manager, brought to an end."""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Self
from uuid import UUID

from domain.model import Action, Aggregate, Audited, Event, OutOfOrder, Refusal
from domain.secrets import Secret
from domain.values import DocumentRef, OperationKind


class TaskStatus(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    LOST = "lost"
    LOST_IN_CRITICAL = "lost_in_critical"

    @property
    def is_over(self) -> bool:
        return self not in (TaskStatus.QUEUED, TaskStatus.RUNNING)


class TaskQueued(Event, topic="task.queued"):
    """`rendering` and `sections` are what the task will make true (or undo)."""

    workspace_id: UUID
    cluster_id: UUID
    cluster_name: str
    kind: OperationKind
    rendering: int
    sections: dict[str, DocumentRef] = {}
    state: dict[str, Secret] = {}

    def audited(self) -> Audited:
        changes = {"cluster_id": str(self.cluster_id), "kind": self.kind}
        return Audited(auditable_type="Task", action=Action.CREATE, audited_changes=changes)


class TaskClaimed(Event, topic="task.claimed"):
    """A manager took it; `attempt` counts the managers from 1."""

    manager: str
    attempt: int


class TaskPhaseStarted(Event, topic="task.phase_started"):
    phase: str
    critical: bool
    phases: tuple[str, ...]


class TaskPhaseEnded(Event, topic="task.phase_ended"):
    """A phase is over; `state` is what the next manager needs to go on, base64 by name."""

    phase: str
    skipped: bool = False
    next_phase: str | None = None
    next_phase_critical: bool = False
    state: dict[str, Secret] = {}


class TaskTracesLost(Event, topic="task.traces_lost"):
    """The host knows nothing of the task any more, and its phase is begun there anew."""

    phase: str


class TaskCancelRequested(Event, topic="task.cancel_requested"):
    def audited(self) -> Audited:
        return _ended("cancel_requested", TaskStatus.RUNNING)


class TaskSucceeded(Event, topic="task.succeeded"):
    detail: str = ""

    def audited(self) -> Audited:
        return _ended(TaskStatus.SUCCEEDED, TaskStatus.RUNNING)


class TaskFailed(Event, topic="task.failed"):
    reason: str

    def audited(self) -> Audited:
        return _ended(TaskStatus.FAILED, TaskStatus.RUNNING)


class TaskCancelled(Event, topic="task.cancelled"):
    previous_status: TaskStatus

    def audited(self) -> Audited:
        return _ended(TaskStatus.CANCELLED, self.previous_status)


class TaskLost(Event, topic="task.lost"):
    """Nobody can say how it ended; in a critical phase a person must look before it is repeated."""

    in_critical: bool
    reason: str

    def audited(self) -> Audited:
        after = TaskStatus.LOST_IN_CRITICAL if self.in_critical else TaskStatus.LOST
        return _ended(after, TaskStatus.RUNNING)


def _ended(after: str, before: str) -> Audited:
    changes = {"status": [before, after]}
    return Audited(auditable_type="Task", action=Action.UPDATE, audited_changes=changes)


class TaskIsOver(Refusal, code="already_completed"):
    """A task that has ended stays as it is."""


class TaskIsTaken(Refusal, code="task_taken"):
    """Another manager has claimed it since."""


class Task(Aggregate):
    workspace_id: UUID
    cluster_id: UUID
    cluster_name: str
    kind: OperationKind
    rendering: int
    sections: dict[str, DocumentRef] = {}
    status: TaskStatus = TaskStatus.QUEUED
    manager: str | None = None
    attempt: int = 0
    phase: str | None = None
    in_critical: bool = False
    done: tuple[str, ...] = ()
    state: dict[str, Secret] = {}
    cancel_requested: bool = False

    @classmethod
    def queue(
        cls,
        *,
        workspace_id: UUID,
        cluster_id: UUID,
        cluster_name: str,
        kind: OperationKind,
        rendering: int,
        sections: Mapping[str, DocumentRef],
        state: Mapping[str, Secret],
    ) -> Iterator[Event]:
        yield TaskQueued(
            workspace_id=workspace_id,
            cluster_id=cluster_id,
            cluster_name=cluster_name,
            kind=kind,
            rendering=rendering,
            sections=dict(sections),
            state=dict(state),
        )

    def claim(self, manager: str) -> Iterator[Event]:
        self._must_go_on()
        yield TaskClaimed(manager=manager, attempt=self.attempt + 1)

    def start_phase(
        self, manager: str, phase: str, phases: tuple[str, ...], *, critical: bool
    ) -> Iterator[Event]:
        self.must_be_run_by(manager)
        if (self.phase, self.in_critical) != (phase, critical):
            yield TaskPhaseStarted(phase=phase, critical=critical, phases=phases)

    def end_phase(self, manager: str, ended: TaskPhaseEnded) -> Iterator[Event]:
        self.must_be_run_by(manager)
        if ended.phase not in self.done:
            yield ended

    def lose_traces(self, manager: str, phase: str) -> Iterator[Event]:
        self.must_be_run_by(manager)
        yield TaskTracesLost(phase=phase)

    def request_cancel(self) -> Iterator[Event]:
        self._must_go_on()
        if self.status is TaskStatus.QUEUED:
            yield TaskCancelled(previous_status=TaskStatus.QUEUED)
        elif not self.cancel_requested:
            yield TaskCancelRequested()

    def succeed(self, manager: str, detail: str = "") -> Iterator[Event]:
        self.must_be_run_by(manager)
        yield TaskSucceeded(detail=detail)

    def fail(self, manager: str, reason: str) -> Iterator[Event]:
        self.must_be_run_by(manager)
        yield TaskFailed(reason=reason)

    def cancel(self, manager: str) -> Iterator[Event]:
        self.must_be_run_by(manager)
        yield TaskCancelled(previous_status=self.status)

    def lose(self, manager: str, reason: str) -> Iterator[Event]:
        self.must_be_run_by(manager)
        yield TaskLost(in_critical=self.in_critical, reason=reason)

    def _must_go_on(self) -> None:
        if self.status.is_over:
            raise TaskIsOver(f"The task is over: {self.status}.")

    def must_be_run_by(self, manager: str) -> None:
        """Raise TaskIsOver or TaskIsTaken unless this manager has it."""
        self._must_go_on()
        if self.manager != manager:
            raise TaskIsTaken(f"The task is run by {self.manager}, not by {manager}.")

    @classmethod
    def evolve(cls, state: Self | None, event: Event) -> Self:
        match state, event:
            case None, TaskQueued():
                return cls(**event.model_dump())
            case Task(), TaskClaimed():
                return state.after(
                    status=TaskStatus.RUNNING, manager=event.manager, attempt=event.attempt
                )
            case Task(), TaskPhaseStarted():
                return state.after(phase=event.phase, in_critical=event.critical)
            case Task(), TaskPhaseEnded():
                # The next phase begins before its start is told: count what it may have done.
                return state.after(
                    phase=None,
                    in_critical=event.next_phase_critical,
                    done=(*state.done, event.phase),
                    state=event.state,
                )
            case Task(), TaskTracesLost():
                return state
            case Task(), TaskCancelRequested():
                return state.after(cancel_requested=True)
            case Task(), TaskSucceeded():
                return state.after(status=TaskStatus.SUCCEEDED)
            case Task(), TaskFailed():
                return state.after(status=TaskStatus.FAILED)
            case Task(), TaskCancelled():
                return state.after(status=TaskStatus.CANCELLED)
            case Task(), TaskLost():
                return state.after(
                    status=TaskStatus.LOST_IN_CRITICAL if event.in_critical else TaskStatus.LOST
                )
        raise OutOfOrder(state, event)

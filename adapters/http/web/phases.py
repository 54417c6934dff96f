"""A task against time: each phase with how it stands, when it ran, and for how long."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from adapters.http.web.times import Times, duration, parsed
from projections.reader import Shown

HUES = {"succeeded": "t-steady", "running": "t-way", "failed": "t-fault"}
MIN_WIDTH = 0.4
"""Percent: what took no time is a line, not nothing."""
BARS = {"running": "bar-way", "failed": "bar-bad"}


@dataclass(frozen=True, slots=True)
class PhaseShown:
    """One phase; x and width are percentages of the task's time so far."""

    name: str
    state: str
    said: str
    is_critical: bool
    x: float = 0.0
    width: float = 0.0

    @property
    def hue(self) -> str:
        return HUES.get(self.state, "faint")

    @property
    def bar(self) -> str:
        return BARS.get(self.state, "bar")


@dataclass(frozen=True, slots=True)
class Course:
    """The phases in order, and the clock under them."""

    phases: tuple[PhaseShown, ...]
    marks: tuple[datetime, ...]
    is_running: bool


def course_of(task: Shown, times: Times, until: datetime | None = None) -> Course:
    """How far a task is; `until` is now, or the instant that is looked at."""
    now = until or times.now
    if task["started_at"] is None:
        waiting = tuple(PhaseShown(name, "queued", "", False) for name in task["plan"] or ())
        return Course(waiting, (), is_running=False)
    start = parsed(task["started_at"])
    end = parsed(task["ended_at"]) if task["ended_at"] else max(now, start)
    return Course(
        tuple(_phases(task, start, end)),
        tuple(start + (end - start) * quarter / 4 for quarter in range(5)),
        is_running=task["status"] == "running",
    )


def _phases(task: Shown, start: datetime, end: datetime) -> Iterator[PhaseShown]:
    known = {phase["phase"]: phase for phase in task["phases"]}
    for name in dict.fromkeys((*(task["plan"] or ()), *known)):
        phase = known.get(name)
        if phase is None:
            yield PhaseShown(name, "queued", "", False)
        else:
            yield _phase(task, phase, start, end)


def _phase(task: Shown, phase: Shown, start: datetime, end: datetime) -> PhaseShown:
    is_critical = bool(phase["is_critical"])
    state = _state(task, phase)
    if phase["is_skipped"]:
        return PhaseShown(phase["phase"], state, "nothing to do", is_critical)
    began = parsed(phase["started_at"] or phase["ended_at"])
    ended = parsed(phase["ended_at"]) if phase["ended_at"] else end
    whole = max((end - start).total_seconds(), 0.001)
    x = min(max((began - start).total_seconds() / whole, 0), 1)
    width = min((ended - began).total_seconds() / whole, 1 - x)
    seconds = (ended - began).total_seconds()
    return PhaseShown(
        phase["phase"],
        state,
        duration(seconds),
        is_critical,
        round(100 * x, 2),
        round(max(100 * width, MIN_WIDTH), 2),
    )


def _state(task: Shown, phase: Shown) -> str:
    if phase["ended_at"]:
        return "succeeded"
    status: str = task["status"]
    return status

"""An operation is asked of an installer at a place, and what it told is kept as a story."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID, uuid4

from application.ports import (
    Continue,
    Finished,
    Installer,
    LogLine,
    Operation,
    OperationRequest,
    PhaseEnded,
    PhaseStarted,
    Question,
    Report,
)
from domain.values import OperationKind

Kind = TypeVar("Kind", bound=Report)

DEADLINE_SECONDS = 30.0


@dataclass
class Place:
    """Machines to install on: `home` is where their scripts find themselves."""

    home: Path
    connection: list[dict[str, Any]]
    """The documents that say how to get there."""
    private_key: str
    known_hosts: Mapping[str, str]
    cluster_id: UUID = field(default_factory=uuid4)
    processes: Path = Path("/proc")
    """Where its scripts' processes are, under the numbers that they know themselves by."""

    def request(
        self, kind: OperationKind, *phases: Mapping[str, Any], **spec: Any
    ) -> OperationRequest:
        installation = {
            "apiVersion": "quarterdeck.io/v1",
            "kind": "SSHInstallation",
            "spec": {"phases": list(phases), **spec},
        }
        return OperationRequest(
            task_id=uuid4(),
            kind=kind,
            cluster_id=self.cluster_id,
            cluster_name="green",
            documents={"infrastructure": [installation], "ssh": self.connection},
            private_key=self.private_key,
            known_hosts=self.known_hosts,
        )

    def install(self, *phases: Mapping[str, Any], **spec: Any) -> OperationRequest:
        return self.request(OperationKind.INSTALL, *phases, **spec)

    def read(self, name: str) -> str:
        """What scripts wrote to a file in their home; empty when there is none."""
        file = self.home / name
        return file.read_text() if file.exists() else ""


def phase(name: str, script: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "script": script, **more}


@dataclass
class Story:
    """All that an operation told, in order."""

    reports: list[Report] = field(default_factory=list)

    def of(self, kind: type[Kind]) -> list[Kind]:
        return [report for report in self.reports if isinstance(report, kind)]

    @property
    def finished(self) -> Finished:
        (finished,) = self.of(Finished)
        assert self.reports[-1] is finished
        return finished

    @property
    def error(self) -> str:
        assert self.finished.error is not None
        return self.finished.error

    @property
    def started(self) -> list[str]:
        return [report.phase for report in self.of(PhaseStarted)]

    @property
    def state(self) -> Mapping[str, bytes]:
        """What was saved last."""
        return self.of(PhaseEnded)[-1].state

    @property
    def offsets(self) -> dict[str, int]:
        """What a task's log would know: per phase, the byte after the last line."""
        return {line.phase: line.offset for line in self.of(LogLine) if line.offset is not None}

    def output(self, phase: str) -> list[str]:
        return [line.text for line in self.of(LogLine) if line.phase == phase and _is_output(line)]

    def notes(self, phase: str) -> str:
        lines = self.of(LogLine)
        return "\n".join(
            each.text for each in lines if each.phase == phase and not _is_output(each)
        )


def _is_output(line: LogLine) -> bool:
    return line.stream == "out"


Answer = Callable[[Operation, Report], None]


def go_on(operation: Operation, _: Report) -> None:
    operation.answer(Continue.NEXT_PHASE)


async def tell(
    installer: Installer,
    request: OperationRequest,
    *,
    answer: Answer = go_on,
    leave_when: Callable[[Report], bool] = lambda _: False,
    cancel_when: Callable[[Report], bool] = lambda _: False,
) -> Story:
    """Follow an operation to its end, or leave it there as a manager that is killed does."""
    story = Story()
    async with asyncio.timeout(DEADLINE_SECONDS), installer.open(request) as operation:
        async for report in operation:
            story.reports.append(report)
            if leave_when(report):
                break
            if cancel_when(report):
                await operation.cancel()
            if isinstance(report, Question):
                answer(operation, report)
    return story


def resumed(request: OperationRequest, story: Story) -> OperationRequest:
    """The request that the next manager gives after this much was told and kept."""
    return replace(request, state=story.state, is_resumed=True, log_offsets=story.offsets)


def line(text: str) -> Callable[[Report], bool]:
    """When this line of output was told."""
    return lambda report: isinstance(report, LogLine) and report.text == text


def end_of(name: str) -> Callable[[Report], bool]:
    """When this phase has ended."""
    return lambda report: isinstance(report, PhaseEnded) and report.phase == name


async def eventually(holds: Callable[[], bool], what: str) -> None:
    """Wait for a condition on the real world."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        while not holds():
            await asyncio.sleep(0.02)
    assert holds(), what


ONCE = """
echo ran >> "$HOME/ran"
n=0
while [ $n -lt 25 ]; do n=$((n + 1)); echo "line $n"; sleep 0.04; done
"""
ONCE_LINES = [f"line {n}" for n in range(1, 26)]

"""What is known for a while and is never an event."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from application.ports.installing import LogLine


@dataclass(slots=True, frozen=True)
class TaskLogLine:
    """A kept line of a task's log; `number` counts from 1 within the task."""

    number: int
    at: datetime
    phase: str
    stream: str
    text: str


class TaskLogs(Protocol):
    """Log lines of tasks: samples, not events, in partitions that are dropped with age."""

    async def write(self, task_id: UUID, lines: Iterable[LogLine]) -> None:
        """Keep the lines in order; a line whose (phase, offset) is already kept is dropped."""
        ...

    async def read(
        self, task_id: UUID, after: int = 0, limit: int = 1000
    ) -> Sequence[TaskLogLine]: ...

    async def last_number(self, task_id: UUID, until: datetime | None = None) -> int:
        """The number of the last line, or of the last that was kept until then; 0 for none."""
        ...

    async def offsets(self, task_id: UUID) -> Mapping[str, int]:
        """Per phase, the last kept offset."""
        ...


class Leases(Protocol):
    """Who works on what just now, by the database's clock; a lease is a sample, never an event."""

    async def hold(self, name: str, holder: str, seconds: float) -> bool:
        """Take or renew; False when another holds it and it has not run out."""
        ...

    async def release(self, name: str, holder: str) -> None: ...

    async def expired(self, names: Collection[str]) -> Collection[str]:
        """Those of the names that nobody holds any more."""
        ...

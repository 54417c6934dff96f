"""A task's log: pieces of it as lines of a page, and the whole of it as text."""

import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from adapters.http.web.visit import Visit
from application.ports import TaskLogLine, TaskLogs

PIECE = 500
"""Lines that a page begins with, and that come with each further piece."""
MAX_LINE = 2**31 - 1
"""More lines than any log has."""
EXPORT_LINES = 1_000
ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-_])")
"""What a terminal would obey: colours and the like (ECMA-48)."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a log as the page shows it; `phase` is named where a new one begins."""

    number: int
    at: datetime
    text: str
    phase: str | None
    is_note: bool

    @property
    def piece(self) -> int:
        """The number after which a piece begins that this line is in."""
        return (self.number - 1) // PIECE * PIECE


@dataclass(frozen=True, slots=True)
class Piece:
    """Lines that follow each other; `length` is the number of the log's last line."""

    lines: Sequence[Line]
    length: int

    @property
    def last(self) -> int:
        return self.lines[-1].number if self.lines else 0

    @property
    def earlier(self) -> int | None:
        """The number of the first line here, when there are lines before it."""
        return self.lines[0].number if self.lines and self.lines[0].number > 1 else None

    @property
    def later(self) -> int | None:
        """The number of the last line here, when there are lines after it."""
        return self.last if self.lines and self.last < self.length else None


async def piece_of(
    visit: Visit, task_id: UUID, *, after: int | None = None, before: int | None = None
) -> Piece:
    """The lines after a number, those before one, or the last; as far as the instant shown."""
    logs = visit.edge.task_logs
    length = await logs.last_number(task_id, visit.at)
    end = min(length, (before or length + 1) - 1)
    start = max(0, end - PIECE) if after is None else after
    found = await _between(logs, task_id, start, min(end, start + PIECE))
    phase = await phase_of(logs, task_id, start)
    return Piece(shown_lines(found, phase), length)


async def _between(logs: TaskLogs, task_id: UUID, after: int, upto: int) -> Sequence[TaskLogLine]:
    return await logs.read(task_id, after, upto - after) if upto > after else ()


async def phase_of(logs: TaskLogs, task_id: UUID, number: int) -> str | None:
    """The phase that a line is of."""
    if number <= 0:
        return None
    lines = await logs.read(task_id, number - 1, 1)
    return lines[0].phase if lines and lines[0].number == number else None


def shown_lines(lines: Sequence[TaskLogLine], phase: str | None = None) -> list[Line]:
    """The lines, with the name of each phase where it begins; `phase` is the one before them."""
    shown = []
    for line in lines:
        begins = line.phase if line.phase != phase else None
        phase = line.phase
        text = ESCAPES.sub("", line.text)
        shown.append(Line(line.number, line.at, text, begins, line.stream == "note"))
    return shown


async def whole_text(visit: Visit, task_id: UUID) -> AsyncIterator[str]:
    """All lines, as far as the instant shown."""
    after, length = 0, await visit.edge.task_logs.last_number(task_id, visit.at)
    while lines := await _between(
        visit.edge.task_logs, task_id, after, min(length, after + EXPORT_LINES)
    ):
        after = lines[-1].number
        yield "".join(f"{line.at.isoformat()} {line.phase} {line.text}\n" for line in lines)

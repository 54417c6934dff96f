"""The lines of a task: what its scripts print, and our own notes."""

from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping

from adapters.ssh.lines import CutLine, Line
from application.ports import LogLine

TAIL_LINES = 20


class TaskLog:
    """Tells lines, and remembers how far each phase was told."""

    def __init__(
        self, tell: Callable[[LogLine], Awaitable[None]], offsets: Mapping[str, int]
    ) -> None:
        self._tell = tell
        self._offsets = dict(offsets)
        self.tail: deque[str] = deque(maxlen=TAIL_LINES)
        """The last lines that are not empty."""

    def offset(self, phase: str) -> int:
        """The byte after the last line of the phase."""
        return self._offsets.get(phase, 0)

    async def add(self, phase: str, lines: Iterable[Line]) -> None:
        for line in lines:
            is_cut = isinstance(line, CutLine)
            await self._tell(LogLine(phase, line.text, offset=line.offset, is_cut=is_cut))
            self._offsets[phase] = line.offset
            if line.text.strip():
                self.tail.append(line.text)

    async def note(self, phase: str, text: str) -> None:
        await self._tell(LogLine(phase, text, stream="note"))

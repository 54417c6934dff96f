"""The lines of a task: what its scripts print, and our own notes."""

from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping

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

    async def add(self, phase: str, lines: Iterable[tuple[str, int]]) -> None:
        for text, offset in lines:
            await self._tell(LogLine(phase, text, offset=offset))
            self._offsets[phase] = offset
            if text.strip():
                self.tail.append(text)

    async def note(self, phase: str, text: str) -> None:
        await self._tell(LogLine(phase, text, stream="note"))

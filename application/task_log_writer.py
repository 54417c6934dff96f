"""Lines of one task on their way to where they are kept: masked, and in small batches."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from uuid import UUID

from application.ports import LogLine, TaskLogs
from application.retrying import patiently
from application.secret_masking import MAX_NEEDLE, SecretMasker, Span, merged, replaced

LOG_EVERY_SECONDS = 0.1
LOG_LINES = 500


class TaskLogWriter:
    """Writes a task's lines in batches; a secret is masked also where a cut line hides its end."""

    def __init__(
        self, task_logs: TaskLogs, task_id: UUID, load_masker: Callable[[], Awaitable[SecretMasker]]
    ) -> None:
        self._task_logs = task_logs
        self._task_id = task_id
        self._load_masker = load_masker
        self._masker: SecretMasker | None = None
        self._is_stale = False
        self._lines: list[LogLine] = []
        self._held: LogLine | None = None
        self._held_spans: list[Span] = []
        self._turn = asyncio.Lock()

    async def add(self, line: LogLine) -> None:
        self._lines.extend(self._masked(line, await self.masker()))
        if len(self._lines) >= LOG_LINES:
            await self._write()

    async def masker(self) -> SecretMasker:
        """Masks what is known as secret now."""
        while self._masker is None:
            self._is_stale = False
            masker = await patiently(self._load_masker)
            self._masker = None if self._is_stale else masker
        return self._masker

    def forget_masker(self) -> None:
        """There is another secret: nothing more is added before it is known."""
        self._masker, self._is_stale = None, True

    async def flush(self) -> None:
        """Keep all that was added."""
        self._lines.extend(self._let_go())
        await self._write()

    async def run(self) -> None:
        while True:
            await asyncio.sleep(LOG_EVERY_SECONDS)
            await self._write()

    async def _write(self) -> None:
        async with self._turn:
            lines, self._lines = self._lines, []
            await patiently(lambda: self._task_logs.write(self._task_id, lines))

    def _masked(self, line: LogLine, masker: SecretMasker) -> Iterator[LogLine]:
        """What can be kept now: a cut line waits for the next one, which may end its secret."""
        if line.stream != "out":
            yield replace(line, text=masker.masked(line.text))
            return
        spans = masker.spans(line.text)
        if self._held is not None and self._held.phase == line.phase:
            spans = self._join(line, spans, masker)
        yield from self._let_go()
        self._held, self._held_spans = line, spans
        if not line.is_cut:
            yield from self._let_go()

    def _join(self, line: LogLine, spans: list[Span], masker: SecretMasker) -> list[Span]:
        """The line's spans with those that cross its beginning; the held line gets its part."""
        assert self._held is not None
        end = self._held.text[-MAX_NEEDLE:]
        across = masker.spans(end + line.text[:MAX_NEEDLE])
        seam, offset = len(end), len(self._held.text) - len(end)
        crossing = [(begin, stop) for begin, stop in across if begin < seam < stop]
        held = [(begin + offset, seam + offset) for begin, _ in crossing]
        self._held_spans = merged([*self._held_spans, *held])
        return merged([*spans, *((0, stop - seam) for _, stop in crossing)])

    def _let_go(self) -> Iterator[LogLine]:
        if self._held is not None:
            yield replace(self._held, text=replaced(self._held.text, self._held_spans))
            self._held = None

"""The printer follows the log and writes one line for each act on a record."""

import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import aclosing
from datetime import tzinfo
from typing import Protocol

from adapters.audit.output import Output, OutputIsClosed
from application.ports import Mark, Page, Stream
from domain.audit import CannotBeTold, Form, audit_line
from domain.model import Recorded

logger = logging.getLogger(__name__)


class Marks(Protocol):
    """Where it is kept how far was printed."""

    async def of(self, partitions: Collection[int]) -> Mapping[int, Mark]: ...

    async def save(self, partition: int, mark: Mark) -> None: ...

    async def park(self, position: int, reason: str) -> None: ...


class AuditPrinter:
    """Prints each line at least once; run it where it leads.

    A page is marked when it is printed: what a killed printer repeats is one page at most.
    """

    def __init__(
        self, stream: Stream, marks: Marks, output: Output, *, zone: tzinfo, form: Form = "json"
    ) -> None:
        self._stream = stream
        self._marks = marks
        self._output = output
        self._zone = zone
        self._form = form

    async def run(self) -> None:
        """Print until the output is closed. Raises Unavailable."""
        try:
            async with aclosing(self._stream.follow(self._marks.of)) as pages:  # type: ignore[type-var]
                async for page in pages:
                    await self.print(page)
        except OutputIsClosed:
            logger.warning("nobody reads standard output: no more audit lines are printed there")

    async def print(self, page: Page) -> None:
        """One iteration: a page's lines, and then its mark."""
        faults: list[tuple[int, str]] = []
        await self._output.write(self._lines(page.records, faults))
        for position, reason in faults:
            logger.warning("no audit line for position %d: %s", position, reason)
            await self._marks.park(position, reason)
        await self._marks.save(page.partition, Mark(page.next_offset, page.upto))

    def _lines(self, records: Sequence[Recorded], faults: list[tuple[int, str]]) -> Iterator[bytes]:
        for recorded in records:
            try:
                line = audit_line(recorded, self._zone, self._form)
            except CannotBeTold as error:
                faults.append((recorded.position, str(error)))
                continue
            if line is not None:
                yield line.encode() + b"\n"

"""The printer follows the log and writes one line for each act on a record."""

import asyncio
import logging
from collections.abc import Iterator, Sequence
from contextlib import aclosing
from datetime import tzinfo

from adapters.audit.output import Output, OutputIsClosed
from application.delivery import (
    ASK_SECONDS,
    TRIED_AT_ONCE,
    Deliveries,
    Log,
    Waiting,
    end_if_cancelled,
    records_at,
)
from application.ports import Page, Stream
from domain.audit import CannotBeTold, Form, audit_line
from domain.model import Recorded

GATHER_SECONDS = 0.05
"""Each mark is a commit that others wait behind: at most twenty a second."""
logger = logging.getLogger(__name__)


class AuditPrinter:
    """Prints each line at least once; run it where it leads.

    A page is marked when it is printed: what a killed printer repeats is one page at most.
    """

    def __init__(
        self,
        stream: Stream,
        log: Log,
        marks: Deliveries,
        output: Output,
        *,
        zone: tzinfo,
        form: Form = "json",
        ask_seconds: float = ASK_SECONDS,
        gather_seconds: float = GATHER_SECONDS,
    ) -> None:
        self._stream = stream
        self._log = log
        self._marks = marks
        self._output = output
        self._zone = zone
        self._form = form
        self._ask_seconds = ask_seconds
        self._gather_seconds = gather_seconds

    async def run(self) -> None:
        """Print until the output is closed. Raises Unavailable."""
        try:
            async with aclosing(Waiting(self._stream.follow(self._marks.of))) as pages:
                while True:
                    page = await pages.within(self._ask_seconds)
                    if page is not None:
                        await self.print(page)
                    await self.print_again()
                    end_if_cancelled()
                    # What comes meanwhile is read, printed and marked together.
                    await asyncio.sleep(self._gather_seconds)
        except OutputIsClosed:
            logger.warning("nobody reads standard output: no more audit lines are printed there")

    async def print(self, page: Page) -> None:
        """One iteration: a page's lines, and then its mark."""
        await self._print(page.records)
        await self._marks.save(page.partition, page.mark)

    async def print_again(self) -> None:
        """Print what was set aside and is asked for again; what still cannot be told stays."""
        while positions := await self._marks.asked(TRIED_AT_ONCE):
            faulty = await self._print(await records_at(self._log, positions))
            await self._marks.settle(set(positions) - faulty)

    async def _print(self, records: Sequence[Recorded]) -> set[int]:
        """Print the lines; the positions that had to be set aside."""
        faults: list[tuple[int, str]] = []
        await self._output.write(self._lines(records, faults))
        for position, reason in faults:
            logger.warning("no audit line for position %d: %s", position, reason)
            await self._marks.park(position, reason)
        return {position for position, _ in faults}

    def _lines(self, records: Sequence[Recorded], faults: list[tuple[int, str]]) -> Iterator[bytes]:
        for recorded in records:
            try:
                line = audit_line(recorded, self._zone, self._form)
            except CannotBeTold as error:
                faults.append((recorded.position, str(error)))
                continue
            if line is not None:
                yield line.encode() + b"\n"

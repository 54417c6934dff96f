"""What an operation tells its follower: a few reports ahead, and it waits for answers."""

import asyncio
from collections.abc import AsyncIterator

from adapters.ssh.failures import Failed, Stopped
from application.ports import Continue, Report

REPORTS_AHEAD = 256
"""A follower who is slow slows the reading of output, and nothing piles up in memory."""


class Conversation:
    """One operation's reports, in order, up to Finished."""

    def __init__(self) -> None:
        self._reports: asyncio.Queue[Report | None] = asyncio.Queue(REPORTS_AHEAD)
        self._is_over = False
        self._question: asyncio.Future[tuple[Continue, str | None]] | None = None

    async def tell(self, report: Report) -> None:
        await self._reports.put(report)

    async def ask(self, report: Report) -> None:
        """Tell, and go on when the answer says so. Raises Stopped or Failed when it does not."""
        question = asyncio.get_running_loop().create_future()
        self._question = question
        await self.tell(report)
        answer, error = await question
        match answer:
            case Continue.STOP_OPERATION:
                raise Stopped
            case Continue.ERROR:
                raise Failed(error or "The manager ended the operation with an error.")

    def answer(self, answer: Continue, error: str | None = None) -> None:
        """Answer what was asked; an answer to nothing is ignored, as dhctl does."""
        if self._question is not None and not self._question.done():
            self._question.set_result((answer, error))

    def end(self) -> None:
        """Nothing more will be told."""
        self._is_over = True
        if not self._reports.full():
            self._reports.put_nowait(None)

    async def reports(self) -> AsyncIterator[Report]:
        while not (self._is_over and self._reports.empty()):
            report = await self._reports.get()
            if report is not None:
                yield report

"""The installer over SSH: each operation runs beside its follower and ends with one Finished."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from adapters.ssh.conversation import Conversation
from adapters.ssh.failures import Failed, HostGone, Lost, Stopped
from adapters.ssh.timings import Timings
from adapters.ssh.work import Work
from application.ports import Continue, Finished, OperationRequest, Report
from domain.model import Invalid

KEPT_OUTPUT_BYTES = 8 * 1024 * 1024


class SSHInstaller:
    """Keeps nothing between operations: another one goes on from an operation's state."""

    def __init__(
        self, timings: Timings | None = None, kept_output_bytes: int = KEPT_OUTPUT_BYTES
    ) -> None:
        self._timings = timings or Timings()
        self._kept_output_bytes = kept_output_bytes

    @asynccontextmanager
    async def open(self, request: OperationRequest) -> AsyncIterator["SSHOperation"]:
        operation = SSHOperation(request, self._timings, self._kept_output_bytes)
        try:
            yield operation
        finally:
            await operation.close()


class SSHOperation:
    """A running operation."""

    def __init__(self, request: OperationRequest, timings: Timings, kept_output_bytes: int) -> None:
        self._talk = Conversation()
        self._work = _prepared(request, self._talk, timings, kept_output_bytes)
        self._task = asyncio.create_task(self._carry_out(), name=f"task {request.task_id}")
        self._end = asyncio.create_task(self._tell_end(), name=f"end of task {request.task_id}")

    async def __aiter__(self) -> AsyncIterator[Report]:
        async for report in self._talk.reports():
            yield report
        if self._end.done():
            self._end.result()

    def answer(self, answer: Continue, error: str | None = None) -> None:
        self._talk.answer(answer, error)

    async def cancel(self) -> None:
        self._task.cancel()

    async def close(self) -> None:
        """Break off; a script that runs runs on."""
        for task in (self._task, self._end):
            task.cancel()
        await asyncio.wait({self._task, self._end})
        if isinstance(self._work, Work):
            await self._work.hang_up()

    async def _tell_end(self) -> None:
        try:
            await asyncio.wait({self._task})
            finished = await self._cancelled() if self._task.cancelled() else self._task.result()
            await self._talk.tell(finished)
        finally:
            self._talk.end()

    async def _carry_out(self) -> Finished:
        if isinstance(self._work, Finished):
            return self._work
        try:
            return await self._work.carry_out()
        except Stopped:
            return Finished(self._work.state, cancelled=True)
        except Failed as failed:
            is_lost = isinstance(failed, Lost)
            return Finished(self._work.state, error=str(failed), is_lost=is_lost)

    async def _cancelled(self) -> Finished:
        if isinstance(self._work, Finished):
            return replace(self._work, error=None, cancelled=True)
        try:
            await self._work.abandon()
        except (HostGone, Failed) as reason:
            error = f"Cancelled, but the script may run on until its time is up: the host {reason}."
            return Finished(self._work.state, error=error, cancelled=True)
        return Finished(self._work.state, cancelled=True)


def _prepared(
    request: OperationRequest, talk: Conversation, timings: Timings, kept_output_bytes: int
) -> Work | Finished:
    """The work, or the end of it when the request cannot be worked on."""
    try:
        return Work(request, talk, timings, kept_output_bytes)
    except Invalid as invalid:
        return Finished(request.state, error=f"The configuration is not right: {invalid}")
    except Failed as failed:
        return Finished(request.state, error=str(failed))

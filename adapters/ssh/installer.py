"""The installer over SSH: each operation runs beside its follower and ends with one Finished."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

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
        self._request = request
        self._timings = timings
        self._kept_output_bytes = kept_output_bytes
        self._talk = Conversation()
        self._work: Work | None = None
        self._task = asyncio.create_task(self._carry_out(), name=f"install {request.task_id}")
        self._end = asyncio.create_task(self._tell_end(), name=f"end {request.task_id}")

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
        if self._work:
            await self._work.hang_up()

    async def _tell_end(self) -> None:
        try:
            await asyncio.wait({self._task})
            finished = await self._cancelled() if self._task.cancelled() else self._task.result()
            await self._talk.tell(finished)
        finally:
            self._talk.end()

    async def _carry_out(self) -> Finished:
        try:
            self._work = Work(self._request, self._talk, self._timings, self._kept_output_bytes)
            return await self._work.carry_out()
        except Stopped:
            return Finished(self._state, cancelled=True)
        except Invalid as invalid:
            return Finished(self._state, error=f"The configuration is not right: {invalid}")
        except Failed as failed:
            return Finished(self._state, error=str(failed), is_lost=isinstance(failed, Lost))

    async def _cancelled(self) -> Finished:
        try:
            if self._work:
                await self._work.abandon()
        except (HostGone, Failed) as reason:
            error = f"Cancelled, but the script may run on until its time is up: the host {reason}."
            return Finished(self._state, error=error, cancelled=True)
        return Finished(self._state, cancelled=True)

    @property
    def _state(self) -> Mapping[str, bytes]:
        return self._work.state if self._work else self._request.state

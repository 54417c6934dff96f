"""The cluster manager: takes the tasks that wait, lets an installer do them, and tells the log."""

import asyncio
import base64
import logging
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from application.commands import Command
from application.known_secrets import masked_end, masker_of
from application.operation_requests import Tools, request_of_task
from application.ports import (
    Continue,
    Erased,
    Finished,
    HostKeyOffered,
    LogLine,
    Operation,
    OperationRequest,
    Overloaded,
    PhaseEnded,
    PhaseStarted,
    TracesLost,
    Unavailable,
)
from application.retrying import patiently
from application.task_log_writer import TaskLogWriter
from application.tasks import (
    BeginPhaseAnew,
    ClaimTask,
    EndCancelledTask,
    EndPhase,
    FailTask,
    LoseTask,
    PinHostKey,
    StartPhase,
    SucceedTask,
)
from application.work import of_its_own_accord
from domain.clusters import ClusterConfigured
from domain.model import Envelope, Recorded, Refusal, event_id
from domain.secrets import Secret
from domain.tasks import Task, TaskCancelRequested, TaskIsOver, TaskIsTaken, TaskQueued

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class _Running:
    operation: Operation | None = None
    cancel_wanted: bool = False
    work: "asyncio.Task[None] | None" = None
    cluster_id: UUID | None = None
    log: TaskLogWriter | None = None


@dataclass(slots=True)
class ClusterManager:
    """One manager; several share the work by leases, and the log decides who has a task.

    `lease_seconds`: after so long without a sign of life another manager goes on with a task.
    """

    name: str
    tools: Tools
    slots: int = 10
    lease_seconds: float = 15.0
    _running: dict[UUID, _Running] = field(default_factory=dict)
    _heard: dict[UUID, None] = field(default_factory=dict)
    """Tasks that the queue may not show yet, until they were looked at."""
    _woken: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def running(self) -> int:
        """How many tasks it works on."""
        return len(self._running)

    async def run(self) -> None:
        """Take tasks and keep their leases until cancelled; then let go of them."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._keep_leases(), name="keep leases")
            while True:
                self._woken.clear()
                await self._look(group)
                await self._rest()

    def notice(self, recorded: Recorded) -> None:
        """Hear of an event: a new task, that someone wants one cancelled, or a new password."""
        match recorded.event:
            case TaskQueued():
                self._heard[recorded.stream_id] = None
                self._woken.set()
            case TaskCancelRequested():
                self._woken.set()
                running = self._running.get(recorded.stream_id)
                if running is not None:
                    running.cancel_wanted = True
            case ClusterConfigured():
                for running in self._running.values():
                    if running.log and running.cluster_id == recorded.stream_id:
                        running.log.forget_masker()

    async def _rest(self) -> None:
        try:
            async with asyncio.timeout(self.lease_seconds / 5):
                await self._woken.wait()
        except TimeoutError:
            return

    async def _look(self, group: asyncio.TaskGroup) -> None:
        """One look at the queue: take what is free while there are slots."""
        try:
            unfinished = await self.tools.queue.unfinished()
            for task_id in dict.fromkeys([*self._heard, *unfinished]):
                if len(self._running) >= self.slots:
                    return
                if task_id not in self._running and await self._take(task_id):
                    running = self._running[task_id] = _Running()
                    running.work = group.create_task(self._work(task_id), name=f"task {task_id}")
                self._heard.pop(task_id, None)
        except (Unavailable, Overloaded):
            return

    async def _take(self, task_id: UUID) -> bool:
        """Hold the lease and claim the task; exactly one manager gets it."""
        if not await self.tools.leases.hold(_lease(task_id), self.name, self.lease_seconds):
            return False
        self.tools.cache.drop(task_id)
        try:
            await self._execute(ClaimTask(task_id=task_id, manager=self.name), task_id)
        except Refusal:
            await self.tools.leases.release(_lease(task_id), self.name)
            return False
        return True

    async def _keep_leases(self) -> None:
        while True:
            await asyncio.sleep(self.lease_seconds / 3)
            for task_id in list(self._running):
                await self._renew(task_id)

    async def _renew(self, task_id: UUID) -> None:
        """Stay its holder, or leave it to who took us for gone."""
        try:
            is_ours = await self.tools.leases.hold(_lease(task_id), self.name, self.lease_seconds)
        except (Unavailable, Overloaded):
            return
        running = self._running.get(task_id)
        if running and running.work and not is_ours:
            running.work.cancel()

    async def _let_go(self, task_id: UUID) -> None:
        self._running.pop(task_id, None)
        self._woken.set()
        try:
            await self.tools.leases.release(_lease(task_id), self.name)
        except (Unavailable, Overloaded):
            return

    async def _work(self, task_id: UUID) -> None:
        """From claim to end. Another manager's claim ends our work without a word."""
        try:
            request = await patiently(lambda: request_of_task(self.tools, task_id))
            await self._operate(task_id, request)
        except (TaskIsTaken, TaskIsOver):
            return
        except Erased as erased:
            await self._give_up(task_id, erased.detail)
        except Exception as error:
            # What is wrong with one task is not the end of the others.
            logger.exception("Task %s cannot go on.", task_id)
            kind = type(error).__name__
            await self._give_up(task_id, f"Quarterdeck could not go on ({kind}); its log says why.")
        finally:
            await self._let_go(task_id)

    async def _give_up(self, task_id: UUID, reason: str) -> None:
        try:
            await self._say(LoseTask, task_id, reason=reason)
        except (TaskIsTaken, TaskIsOver):
            return

    async def _operate(self, task_id: UUID, request: OperationRequest) -> None:
        running = self._running[task_id]
        running.cluster_id = request.cluster_id
        log = running.log = TaskLogWriter(
            self.tools.task_logs,
            task_id,
            lambda: masker_of(self.tools, request.cluster_id, request.documents),
        )
        async with self.tools.installer.open(request) as operation:
            running.operation = operation
            beside = [
                asyncio.create_task(self._watch_cancel(task_id, running), name="watch cancel"),
                asyncio.create_task(log.run(), name="keep log"),
            ]
            try:
                async for report in operation:
                    await self._tell(task_id, operation, report, log)
            finally:
                for task in beside:
                    task.cancel()
                await asyncio.gather(*beside, return_exceptions=True)

    async def _watch_cancel(self, task_id: UUID, running: _Running) -> None:
        """Cancel the operation once: told by the log, or found in the state."""
        while not running.cancel_wanted:
            _, task = await patiently(lambda: self.tools.cache.load(Task, task_id))
            running.cancel_wanted = isinstance(task, Task) and task.cancel_requested
            await asyncio.sleep(0.2)
        assert running.operation is not None
        await running.operation.cancel()

    async def _tell(
        self, task_id: UUID, operation: Operation, report: object, log: TaskLogWriter
    ) -> None:
        match report:
            case LogLine():
                await log.add(report)
            case PhaseStarted(phase, critical, phases):
                await self._say(
                    StartPhase, task_id, phase=phase, critical=critical, phases=tuple(phases)
                )
            case HostKeyOffered(host, port, key, fingerprint):
                await self._say(
                    PinHostKey, task_id, host=host, port=port, key=key, fingerprint=fingerprint
                )
                operation.answer(Continue.NEXT_PHASE)
            case TracesLost(phase):
                await self._say(BeginPhaseAnew, task_id, phase=phase)
                operation.answer(Continue.NEXT_PHASE)
            case PhaseEnded():
                await log.flush()
                await self._end_phase(task_id, report)
                operation.answer(Continue.NEXT_PHASE)
            case Finished():
                await log.flush()
                await self._finish(task_id, masked_end(report, await log.masker()))

    async def _end_phase(self, task_id: UUID, ended: PhaseEnded) -> None:
        state = {
            name: Secret(base64.b64encode(content).decode())
            for name, content in ended.state.items()
        }
        await self._say(
            EndPhase,
            task_id,
            phase=ended.phase,
            skipped=ended.skipped,
            next_phase=ended.next_phase,
            next_phase_critical=ended.next_phase_critical,
            state=state,
        )

    async def _finish(self, task_id: UUID, end: Finished) -> None:
        if end.cancelled:
            await self._say(EndCancelledTask, task_id)
        elif end.is_lost:
            await self._say(LoseTask, task_id, reason=end.error or "Nobody knows how it ended.")
        elif end.error is not None:
            await self._say(FailTask, task_id, reason=end.error)
        else:
            in_sync = end.in_sync is not False
            await self._say(SucceedTask, task_id, in_sync=in_sync, detail=end.drift or "")

    async def _say(self, command: type[Command], task_id: UUID, **fields: Any) -> None:
        """Tell the log, however long the database is away: what was done is not forgotten."""
        told = command.model_validate({"task_id": task_id, "manager": self.name, **fields})
        await patiently(lambda: self._execute(told, task_id))

    async def _execute(self, command: Command, task_id: UUID) -> None:
        known: Envelope = {"correlation_id": task_id, "causation_id": event_id(task_id, 1)}
        await self.tools.bus.execute(command, of_its_own_accord(known))


def _lease(task_id: UUID) -> str:
    return f"task:{task_id}"

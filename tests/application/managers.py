"""A house is a hub with a cluster and what managers work with, all of it in memory."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

from application.cluster_manager import ClusterManager
from application.clusters import InstallCluster
from application.operation_requests import Tools
from application.ports import (
    Continue,
    Finished,
    LogLine,
    OperationRequest,
    Question,
    Report,
    TaskLogLine,
    Unavailable,
)
from domain.clusters import Cluster
from domain.tasks import Task, TaskStatus
from tests.application.in_memory import Hub

Script = Sequence[Report | BaseException | asyncio.Event]


class Leases:
    """Leases that run out when a test says so."""

    def __init__(self) -> None:
        self.held: dict[str, str] = {}
        self.is_away = False

    async def hold(self, name: str, holder: str, seconds: float) -> bool:
        self._must_be_there()
        return self.held.setdefault(name, holder) == holder

    async def release(self, name: str, holder: str) -> None:
        self._must_be_there()
        if self.held.get(name) == holder:
            del self.held[name]

    async def expired(self, names: Collection[str]) -> Collection[str]:
        return set(names) - self.held.keys()

    def _must_be_there(self) -> None:
        if self.is_away:
            raise Unavailable("The database cannot be reached.")


class TaskLogs:
    """Lines in memory, and how often they could not be kept."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.failures = 0

    async def write(self, task_id: UUID, lines: Iterable[LogLine]) -> None:
        if self.failures:
            self.failures -= 1
            raise Unavailable("The database cannot be reached.")
        self.lines += [line.text for line in lines]

    async def read(self, task_id: UUID, after: int = 0, limit: int = 1000) -> list[TaskLogLine]:
        return []

    async def last_number(self, task_id: UUID, until: datetime | None = None) -> int:
        return len(self.lines)

    async def offsets(self, task_id: UUID) -> Mapping[str, int]:
        return {"prepare": len(self.lines)}


class Playing:
    """An operation that reports what is in its script; an event in it is waited for."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self._answered = asyncio.Event()
        self._cancelled = asyncio.Event()
        self.answers: list[Continue] = []

    async def __aiter__(self) -> AsyncIterator[Report]:
        for step in self._script:
            if isinstance(step, asyncio.Event):
                await self._until(step)
                if self._cancelled.is_set():
                    yield Finished({}, cancelled=True)
                    return
                continue
            if isinstance(step, BaseException):
                raise step
            self._answered.clear()
            yield step
            if isinstance(step, Question):
                await self._answered.wait()

    async def _until(self, event: asyncio.Event) -> None:
        waits = [asyncio.create_task(e.wait()) for e in (event, self._cancelled)]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    def answer(self, answer: Continue, error: str | None = None) -> None:
        self.answers.append(answer)
        self._answered.set()

    async def cancel(self) -> None:
        self._cancelled.set()


class Player:
    """An installer that plays a script for each request, the last one again and again."""

    def __init__(self, *scripts: Script) -> None:
        self._scripts = list(scripts)
        self.requests: list[OperationRequest] = []
        self.operations: list[Playing] = []

    @asynccontextmanager
    async def open(self, request: OperationRequest) -> AsyncIterator[Playing]:
        self.requests.append(request)
        script = self._scripts.pop(0) if len(self._scripts) > 1 else self._scripts[0]
        self.operations.append(Playing(script))
        yield self.operations[-1]


class House:
    """A hub with a cluster, and what managers work with."""

    def __init__(self, hub: Hub, workspace_id: UUID, cluster_id: UUID, player: Player) -> None:
        self.hub = hub
        self.workspace_id = workspace_id
        self.cluster_id = cluster_id
        self.player = player
        self.leases = Leases()
        self.logs = TaskLogs()
        self.looks = 0

    async def unfinished(self) -> Sequence[UUID]:
        self.looks += 1
        streams = dict.fromkeys(r.stream_id for r in self.hub.store.records)
        tasks = [
            (s, Task.fold([r.event for r in await self.hub.store.load(s)]))
            for s in streams
            if await self._is_task(s)
        ]
        return [stream_id for stream_id, task in tasks if task and not task.status.is_over]

    async def _is_task(self, stream_id: UUID) -> bool:
        return (await self.hub.store.load(stream_id))[0].event.topic == "task.queued"

    async def install(self) -> UUID:
        about = {"workspace_id": self.workspace_id, "cluster_id": self.cluster_id}
        task_id: UUID = await self.hub.do(InstallCluster(**about))
        return task_id

    async def task(self, task_id: UUID) -> Task:
        return await self.hub.state(Task, task_id)

    async def cluster(self) -> Cluster:
        return await self.hub.state(Cluster, self.cluster_id)

    async def over(self, task_id: UUID) -> Task:
        await until(lambda: self._status(task_id).is_over)
        return await self.task(task_id)

    def _status(self, task_id: UUID) -> TaskStatus:
        events = [r.event for r in self.hub.store.records if r.stream_id == task_id]
        task = Task.fold(events)
        assert task is not None
        return task.status

    @property
    def tools(self) -> Tools:
        return Tools(
            bus=self.hub.bus,
            cache=self.hub.cache,
            documents=self.hub.documents,
            vault=self.hub.vault,
            installer=self.player,
            task_logs=self.logs,
            leases=self.leases,
            queue=self,
            read_yaml=lambda text: [text],
        )

    @asynccontextmanager
    async def manager(self, name: str = "m1", **settings: Any) -> AsyncIterator[ClusterManager]:
        manager = ClusterManager(name, self.tools, **{"lease_seconds": 0.1, **settings})
        running = asyncio.create_task(manager.run())
        try:
            yield manager
            assert not running.done(), running
        finally:
            running.cancel()
            await asyncio.wait([running])


async def a_house(*scripts: Script) -> House:
    hub = Hub()
    workspace_id = await hub.workspace()
    cluster_id = await hub.cluster(workspace_id)
    return House(hub, workspace_id, cluster_id, Player(*scripts))


async def until(holds: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not holds():
            await asyncio.sleep(0.002)


def kinds(house: House) -> list[type]:
    return [type(event) for event in house.hub.events()]

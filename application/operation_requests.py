"""What an installer is given, put together from what is recorded of a task or a cluster."""

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

from application.commands import CommandBus
from application.ports import (
    Documents,
    Installer,
    Leases,
    OperationRequest,
    TaskLogs,
    Vault,
)
from application.state_cache import StateCache
from domain.clusters import Cluster
from domain.secrets import Secret
from domain.tasks import Task
from domain.values import DocumentRef, OperationKind


class TaskQueue(Protocol):
    """Which tasks are not over, oldest first; it may lag behind the log."""

    async def unfinished(self) -> Sequence[UUID]: ...


@dataclass(frozen=True, slots=True)
class Tools:
    """What a manager works with."""

    bus: CommandBus
    cache: StateCache
    documents: Documents
    vault: Vault
    installer: Installer
    task_logs: TaskLogs
    leases: Leases
    queue: TaskQueue
    read_yaml: Callable[[str], list[Any]]

    async def cluster(self, cluster_id: UUID) -> Cluster:
        """The cluster as the log has it."""
        _, cluster = await self.cache.load(Cluster, cluster_id)
        assert isinstance(cluster, Cluster)
        return cluster


async def request_of_task(tools: Tools, task_id: UUID) -> OperationRequest:
    """What the task was queued with, and how far the managers before have come."""
    _, task = await tools.cache.load(Task, task_id)
    assert isinstance(task, Task)
    cluster = await tools.cluster(task.cluster_id)
    return OperationRequest(
        task_id=task_id,
        kind=task.kind,
        cluster_id=task.cluster_id,
        cluster_name=cluster.name,
        documents=await _parsed(tools, task.sections),
        private_key=await tools.vault.open(task.cluster_id, cluster.ssh_private_key),
        state=await _opened(tools, task_id, task.state),
        known_hosts=cluster.host_keys,
        is_resumed=task.attempt > 1,
        log_offsets=await tools.task_logs.offsets(task_id),
    )


async def request_of_look(
    tools: Tools, cluster_id: UUID, cluster: Cluster, look_id: UUID
) -> OperationRequest:
    """What a check by itself is given: it belongs to no task and keeps nothing."""
    return OperationRequest(
        task_id=look_id,
        kind=OperationKind.CHECK,
        cluster_id=cluster_id,
        cluster_name=cluster.name,
        documents=await _parsed(tools, cluster.sections_for(OperationKind.CHECK)),
        private_key=await tools.vault.open(cluster_id, cluster.ssh_private_key),
        state=await _opened(tools, cluster_id, cluster.installer_state),
        known_hosts=cluster.host_keys,
        leaves_traces=False,
    )


async def _parsed(tools: Tools, sections: Mapping[str, DocumentRef]) -> Mapping[str, Sequence[Any]]:
    """The YAML documents of each section; a plain text has none."""
    parsed: dict[str, Sequence[Any]] = {}
    for name, ref in sections.items():
        text = await tools.documents.read(ref)
        try:
            parsed[name] = tools.read_yaml(text)
        except ValueError:
            parsed[name] = []
    return parsed


async def _opened(
    tools: Tools, stream_id: UUID, state: Mapping[str, Secret]
) -> Mapping[str, bytes]:
    return {
        name: base64.b64decode(await tools.vault.open(stream_id, secret))
        for name, secret in state.items()
    }

"""Managers claim tasks and tell how they go; people cancel them; the cluster follows."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from application.clusters import ChangeCluster, CheckCluster, DeleteCluster, InstallCluster
from application.permissions import QUARTERDECK, Forbidden
from application.tasks import (
    BeginPhaseAnew,
    CancelTask,
    ClaimTask,
    EndCancelledTask,
    EndPhase,
    FailTask,
    LoseTask,
    PinHostKey,
    StartPhase,
    SucceedTask,
)
from domain.clusters import Cluster, ClusterHostKeyPinned, ClusterStatus
from domain.model import NotFound
from domain.secrets import Secret
from domain.tasks import (
    Task,
    TaskClaimed,
    TaskIsOver,
    TaskIsTaken,
    TaskPhaseEnded,
    TaskStatus,
    TaskTracesLost,
)
from domain.values import OperationKind
from tests.application.in_memory import ADA, Hub

PHASES = ("prepare", "boot")


class Work:
    """A cluster with a task of a kind, claimed by m1 unless it is left waiting."""

    def __init__(self, hub: Hub, workspace_id: UUID, cluster_id: UUID, task_id: UUID) -> None:
        self.hub = hub
        self.workspace_id = workspace_id
        self.cluster_id = cluster_id
        self.task_id = task_id

    @property
    def by_m1(self) -> dict[str, Any]:
        return {"task_id": self.task_id, "manager": "m1"}

    @property
    def cancel(self) -> CancelTask:
        return CancelTask(workspace_id=self.workspace_id, task_id=self.task_id)

    async def task(self) -> Task:
        return await self.hub.state(Task, self.task_id)

    async def cluster(self) -> Cluster:
        return await self.hub.state(Cluster, self.cluster_id)


async def install(claimed: bool = True) -> Work:
    hub = Hub()
    workspace_id = await hub.workspace()
    cluster_id = await hub.cluster(workspace_id)
    about = {"workspace_id": workspace_id, "cluster_id": cluster_id}
    task_id = await hub.do(InstallCluster(**about))
    work = Work(hub, workspace_id, cluster_id, task_id)
    if claimed:
        await hub.do(ClaimTask(**work.by_m1))
    return work


async def of_kind(kind: type[CheckCluster | DeleteCluster]) -> Work:
    work = await install()
    await work.hub.do(SucceedTask(**work.by_m1))
    about = {"workspace_id": work.workspace_id, "cluster_id": work.cluster_id}
    await work.hub.do(kind(**about))
    task_id = (await work.cluster()).task_id
    assert task_id is not None
    work.task_id = task_id
    await work.hub.do(ClaimTask(**work.by_m1))
    return work


async def test_a_claim_starts_the_operation_on_the_cluster() -> None:
    work = await install(claimed=False)
    assert not (await work.cluster()).was_created
    await work.hub.do(ClaimTask(**work.by_m1))
    assert (await work.task()).manager == "m1"
    assert (await work.cluster()).was_created


async def test_of_two_managers_the_last_claimant_has_the_task() -> None:
    """The lease decides who may claim; the log, who has it."""
    work = await install()
    await work.hub.do(ClaimTask(task_id=work.task_id, manager="m2"))
    with pytest.raises(TaskIsTaken):
        await work.hub.do(SucceedTask(**work.by_m1))
    claims = [e for e in work.hub.events() if isinstance(e, TaskClaimed)]
    assert [(c.manager, c.attempt) for c in claims] == [("m1", 1), ("m2", 2)]


async def test_phases_leave_what_the_next_manager_needs_sealed_for_the_cluster() -> None:
    work = await install()
    await work.hub.do(StartPhase(**work.by_m1, phase="prepare", critical=False, phases=PHASES))
    ended = EndPhase(
        **work.by_m1,
        phase="prepare",
        skipped=False,
        next_phase="boot",
        next_phase_critical=True,
        state={"inventory": Secret("c3dvcmRmaXNo")},
    )
    await work.hub.do(ended)
    await work.hub.do(ended)
    assert [type(e) for e in work.hub.events()].count(TaskPhaseEnded) == 1
    task = await work.task()
    assert (task.done, task.in_critical) == (("prepare",), True)
    assert await work.hub.vault.open(work.task_id, task.state["inventory"]) == "c3dvcmRmaXNo"
    work.hub.vault.erase(work.cluster_id)
    with pytest.raises(LookupError):
        await work.hub.vault.open(work.task_id, task.state["inventory"])


async def test_a_phase_is_begun_anew_by_who_has_the_task() -> None:
    work = await install()
    await work.hub.do(BeginPhaseAnew(**work.by_m1, phase="prepare"))
    assert work.hub.events()[-1] == TaskTracesLost(phase="prepare")
    await work.hub.do(ClaimTask(task_id=work.task_id, manager="m2"))
    with pytest.raises(TaskIsTaken):
        await work.hub.do(BeginPhaseAnew(**work.by_m1, phase="prepare"))


async def test_a_host_key_is_pinned_to_the_cluster_once() -> None:
    work = await install()
    pin = PinHostKey(**work.by_m1, host="10.0.0.1", port=22, key="K", fingerprint="F")
    await work.hub.do(pin)
    await work.hub.do(pin)
    assert [type(e) for e in work.hub.events()].count(ClusterHostKeyPinned) == 1
    assert (await work.cluster()).host_keys == {"10.0.0.1:22": "K"}


async def test_a_manager_that_lost_its_task_pins_nothing() -> None:
    work = await install()
    await work.hub.do(ClaimTask(task_id=work.task_id, manager="m2"))
    with pytest.raises(TaskIsTaken):
        await work.hub.do(
            PinHostKey(**work.by_m1, host="10.0.0.1", port=22, key="K", fingerprint="F")
        )


async def test_a_good_install_is_what_the_machines_have() -> None:
    work = await install()
    await work.hub.do(SucceedTask(**work.by_m1))
    cluster = await work.cluster()
    assert (cluster.status, cluster.applied) == (ClusterStatus.IN_SYNC, 1)
    assert cluster.applied_sections == cluster.sections
    assert (await work.task()).status is TaskStatus.SUCCEEDED


async def test_a_deleted_cluster_goes_to_the_archive_with_its_task() -> None:
    work = await of_kind(DeleteCluster)
    await work.hub.do(SucceedTask(**work.by_m1))
    cluster = await work.cluster()
    assert cluster.status is ClusterStatus.DELETED
    assert await work.hub.store.holder(f"cluster:{work.workspace_id}:north") is None


async def test_a_check_that_finds_all_as_declared_changes_nothing() -> None:
    work = await of_kind(CheckCluster)
    await work.hub.do(SucceedTask(**work.by_m1, in_sync=True))
    cluster = await work.cluster()
    assert (cluster.status, cluster.task_id) == (ClusterStatus.IN_SYNC, None)


async def test_drift_found_by_a_check_is_put_right_in_automatic_mode() -> None:
    work = await of_kind(CheckCluster)
    await work.hub.do(SucceedTask(**work.by_m1, in_sync=False, detail="replicas"))
    cluster = await work.cluster()
    assert cluster.task_id is not None
    assert (await work.hub.state(Task, cluster.task_id)).kind is OperationKind.CHANGE


@pytest.mark.parametrize(
    ("end", "task_status", "cluster_status"),
    [
        (FailTask, TaskStatus.FAILED, ClusterStatus.CREATION_FAILED),
        (EndCancelledTask, TaskStatus.CANCELLED, ClusterStatus.CREATION_FAILED),
        (LoseTask, TaskStatus.LOST, ClusterStatus.UNKNOWN),
    ],
)
async def test_a_bad_end_is_the_clusters_too(
    end: type[FailTask], task_status: TaskStatus, cluster_status: ClusterStatus
) -> None:
    work = await install()
    reason = {} if end is EndCancelledTask else {"reason": "No disk."}
    await work.hub.do(end(**work.by_m1, **reason))
    cluster = await work.cluster()
    assert (await work.task()).status is task_status
    assert (cluster.status, cluster.task_id) == (cluster_status, None)
    with pytest.raises(TaskIsOver):
        await work.hub.do(SucceedTask(**work.by_m1))


async def test_a_task_that_waits_is_cancelled_at_once_and_its_cluster_is_free() -> None:
    work = await install(claimed=False)
    await work.hub.do(work.cancel)
    assert (await work.task()).status is TaskStatus.CANCELLED
    assert (await work.cluster()).task_id is None
    with pytest.raises(TaskIsOver):
        await work.hub.do(ClaimTask(**work.by_m1))


async def test_a_task_that_runs_is_asked_to_stop() -> None:
    work = await install()
    await work.hub.do(work.cancel)
    task = await work.task()
    assert (task.status, task.cancel_requested) == (TaskStatus.RUNNING, True)
    assert (await work.cluster()).task_id == work.task_id
    await work.hub.do(EndCancelledTask(**work.by_m1))
    assert (await work.cluster()).task_id is None


async def test_a_configuration_broken_during_an_install_is_seen_after_it() -> None:
    work = await install()
    cluster = await work.cluster()
    await work.hub.do(
        ChangeCluster(
            workspace_id=work.workspace_id,
            cluster_id=work.cluster_id,
            name="north",
            cluster_template_version_id=cluster.configuration.template_version_id,
            values={"size": 3},
        )
    )
    await work.hub.do(SucceedTask(**work.by_m1))
    assert (await work.cluster()).status is ClusterStatus.CONFIGURATION_ERROR


async def test_a_task_of_another_workspace_is_not_found() -> None:
    work = await install()
    other_id = await work.hub.workspace("other")
    with pytest.raises(NotFound):
        await work.hub.do(CancelTask(workspace_id=other_id, task_id=work.task_id))
    for task_id in (uuid4(), work.cluster_id):
        with pytest.raises(NotFound):
            await work.hub.do(ClaimTask(task_id=task_id, manager="m1"))


async def test_only_quarterdeck_itself_runs_tasks() -> None:
    work = await install(claimed=False)
    with pytest.raises(Forbidden):
        await work.hub.do(ClaimTask(**work.by_m1), ADA)
    await work.hub.do(ClaimTask(**work.by_m1), QUARTERDECK)
    claimed = work.hub.store.records[-1]
    assert claimed.metadata.workspace == "team-a"

"""A cluster is destroyed where it was installed, when nothing runs on it, and then archived."""

from uuid import UUID

import pytest

from application.clusters import (
    ApplyChanges,
    ChangeClusterSettings,
    CheckCluster,
    ClusterCommand,
    DeleteCluster,
    ForgetHostKey,
    InstallCluster,
)
from application.tasks import (
    ClaimTask,
    EndCancelledTask,
    FailTask,
    LoseTask,
    ManagerCommand,
    SucceedTask,
)
from domain.cluster_settings import Settings
from domain.clusters import (
    ClusterArchived,
    ClusterDeletionWanted,
    ClusterIsArchived,
    ClusterIsBusy,
    ClusterStatus,
)
from domain.tasks import Task, TaskStatus
from domain.values import OperationKind
from tests.application.places import GOOD, MANUAL, Place, kinds

ANY = UUID(int=0)


async def test_a_cluster_that_was_never_there_is_archived_at_once(place: Place) -> None:
    cluster_id = await place.create()
    before = len(place.hub.store.records)
    await place.hub.do(DeleteCluster(**place.about(cluster_id)))
    assert kinds(place.hub.events(before)) == [ClusterArchived]


async def test_an_installed_cluster_is_destroyed_before_it_is_archived(place: Place) -> None:
    cluster_id = await place.create()
    await place.install(cluster_id)
    await place.hub.do(DeleteCluster(**place.about(cluster_id)))
    cluster = await place.state(cluster_id)
    assert cluster.status is ClusterStatus.DELETE
    assert cluster.task_id is not None
    await place.hub.do(DeleteCluster(**place.about(cluster_id)))
    for about in (InstallCluster, CheckCluster):
        with pytest.raises(ClusterIsBusy):
            await place.hub.do(about(**place.about(cluster_id)))
    await place.hub.do(ClaimTask(task_id=cluster.task_id, manager="m1"))
    await place.hub.do(SucceedTask(task_id=cluster.task_id, manager="m1"))
    cluster = await place.state(cluster_id)
    assert (cluster.status, cluster.archived_at) == (ClusterStatus.DELETED, place.hub.clock.now())
    await place.create("north")


async def test_a_half_installed_cluster_is_destroyed_too(place: Place) -> None:
    cluster_id = await place.create()
    task_id = await place.hub.do(InstallCluster(**place.about(cluster_id)))
    await place.hub.do(ClaimTask(task_id=task_id, manager="m1"))
    await place.hub.do(FailTask(task_id=task_id, manager="m1", reason="No disk."))
    await place.hub.do(DeleteCluster(**place.about(cluster_id)))
    assert (await place.state(cluster_id)).status is ClusterStatus.DELETE


async def running(place: Place, command: type[ClusterCommand]) -> tuple[UUID, UUID]:
    """An installed cluster with a task that runs."""
    cluster_id = await place.create()
    if command is not InstallCluster:
        await place.install(cluster_id)
        await place.hub.do(ChangeClusterSettings(**place.about(cluster_id), settings=MANUAL))
        await place.change(cluster_id, values={**GOOD, "size": 5})
    task_id = await place.hub.do(command(**place.about(cluster_id)))
    await place.hub.do(ClaimTask(task_id=task_id, manager="m1"))
    return cluster_id, task_id


ENDS: list[ManagerCommand] = [
    SucceedTask(task_id=ANY, manager="m1"),
    SucceedTask(task_id=ANY, manager="m1", in_sync=False),
    FailTask(task_id=ANY, manager="m1", reason="No disk."),
    LoseTask(task_id=ANY, manager="m1", reason="The host is another."),
    EndCancelledTask(task_id=ANY, manager="m1"),
]


@pytest.mark.parametrize("kind", [InstallCluster, ApplyChanges, CheckCluster])
@pytest.mark.parametrize("end", ENDS, ids=lambda end: type(end).__name__)
async def test_a_deletion_begins_when_the_task_that_runs_is_over(
    place: Place, kind: type[ClusterCommand], end: ManagerCommand
) -> None:
    cluster_id, task_id = await running(place, kind)
    for _ in range(2):
        await place.hub.do(DeleteCluster(**place.about(cluster_id)))
    assert kinds(place.hub.events()).count(ClusterDeletionWanted) == 1
    waiting = await place.state(cluster_id)
    assert (waiting.status, waiting.task_id) == (ClusterStatus.DELETE, task_id)
    for command in (InstallCluster, ApplyChanges, CheckCluster):
        with pytest.raises(ClusterIsBusy):
            await place.hub.do(command(**place.about(cluster_id)))
    with pytest.raises(ClusterIsBusy):
        await place.change(cluster_id, "other")
    with pytest.raises(ClusterIsBusy):
        await place.hub.do(ChangeClusterSettings(**place.about(cluster_id), settings=Settings()))
    await place.hub.do(end.model_copy(update={"task_id": task_id}))
    cluster = await place.state(cluster_id)
    assert cluster.status is ClusterStatus.DELETE
    assert cluster.task_id not in (None, task_id)
    assert cluster.task_id is not None
    assert (await place.hub.state(Task, cluster.task_id)).kind is OperationKind.DELETE
    await place.hub.do(ClaimTask(task_id=cluster.task_id, manager="m1"))
    await place.hub.do(SucceedTask(task_id=cluster.task_id, manager="m1"))
    assert (await place.state(cluster_id)).status is ClusterStatus.DELETED


async def test_a_task_that_nobody_has_claimed_gives_way_to_a_deletion(place: Place) -> None:
    cluster_id = await place.create()
    await place.install(cluster_id)
    check_id = await place.hub.do(CheckCluster(**place.about(cluster_id)))
    await place.hub.do(DeleteCluster(**place.about(cluster_id)))
    assert (await place.hub.state(Task, check_id)).status is TaskStatus.CANCELLED
    cluster = await place.state(cluster_id)
    assert cluster.task_id is not None
    assert (await place.hub.state(Task, cluster.task_id)).kind is OperationKind.DELETE


async def test_an_installation_that_has_not_begun_leaves_nothing_to_destroy(place: Place) -> None:
    cluster_id = await place.create()
    task_id = await place.hub.do(InstallCluster(**place.about(cluster_id)))
    await place.hub.do(DeleteCluster(**place.about(cluster_id)))
    assert (await place.hub.state(Task, task_id)).status is TaskStatus.CANCELLED
    assert (await place.state(cluster_id)).status is ClusterStatus.DELETED


async def test_a_cluster_is_forgotten_when_the_task_that_runs_is_over(place: Place) -> None:
    cluster_id, task_id = await running(place, CheckCluster)
    for forget in (False, True, False):
        await place.hub.do(DeleteCluster(**place.about(cluster_id), forget=forget))
    assert (await place.state(cluster_id)).status is ClusterStatus.DELETE
    await place.hub.do(SucceedTask(task_id=task_id, manager="m1"))
    assert (await place.state(cluster_id)).status is ClusterStatus.DELETED
    await place.create("north")


async def test_a_deletion_that_fails_is_not_begun_again_by_itself(place: Place) -> None:
    cluster_id, task_id = await running(place, CheckCluster)
    await place.hub.do(DeleteCluster(**place.about(cluster_id)))
    await place.hub.do(SucceedTask(task_id=task_id, manager="m1"))
    deletion_id = (await place.state(cluster_id)).task_id
    await place.hub.do(ClaimTask(task_id=deletion_id, manager="m1"))
    await place.hub.do(FailTask(task_id=deletion_id, manager="m1", reason="No host."))
    cluster = await place.state(cluster_id)
    assert (cluster.status, cluster.task_id) == (ClusterStatus.DELETION_FAILED, None)
    await place.change(cluster_id, values={**GOOD, "size": 7})
    await place.hub.do(DeleteCluster(**place.about(cluster_id)))
    assert (await place.state(cluster_id)).status is ClusterStatus.DELETE


async def test_nothing_happens_any_more_to_an_archived_cluster(place: Place) -> None:
    cluster_id = await place.create()
    await place.install(cluster_id)
    await place.hub.do(DeleteCluster(**place.about(cluster_id), forget=True))
    before = len(place.hub.store.records)
    await place.hub.do(DeleteCluster(**place.about(cluster_id)))
    about = place.about(cluster_id)
    for command in (
        InstallCluster(**about),
        ApplyChanges(**about),
        CheckCluster(**about),
        ChangeClusterSettings(**about, settings=MANUAL),
        ForgetHostKey(**about, host="10.0.0.1"),
    ):
        with pytest.raises(ClusterIsArchived):
            await place.hub.do(command)
    with pytest.raises(ClusterIsArchived):
        await place.change(cluster_id, "other")
    assert len(place.hub.store.records) == before

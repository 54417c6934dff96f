"""Clusters are installed, changed and checked by tasks, at once or when a person says so."""

import pytest

from application.clusters import (
    ApplyChanges,
    ChangeClusterSettings,
    CheckCluster,
    ForgetHostKey,
    InstallCluster,
)
from application.tasks import ClaimTask, PinHostKey, SucceedTask
from domain.cluster_settings import Settings
from domain.clusters import (
    CannotApply,
    ClusterConfigured,
    ClusterHostKeyForgotten,
    ClusterIsBusy,
    ClusterOperationRequested,
    ClusterRendered,
    ClusterStatus,
)
from domain.tasks import Task, TaskQueued
from domain.values import OperationKind
from tests.application.places import GOOD, MANUAL, Place, kinds


async def test_an_install_is_one_task_and_only_one(place: Place) -> None:
    cluster_id = await place.create()
    before = len(place.hub.store.records)
    task_id = await place.hub.do(InstallCluster(**place.about(cluster_id)))
    assert kinds(place.hub.events(before)) == [ClusterOperationRequested, TaskQueued]
    task = await place.hub.state(Task, task_id)
    cluster = await place.state(cluster_id)
    assert (task.kind, task.sections) == (OperationKind.INSTALL, cluster.sections)
    assert (cluster.task_id, cluster.status) == (task_id, ClusterStatus.CREATING)
    with pytest.raises(ClusterIsBusy):
        await place.hub.do(InstallCluster(**place.about(cluster_id)))


async def test_a_change_is_applied_at_once_in_automatic_mode(place: Place) -> None:
    cluster_id = await place.create()
    await place.install(cluster_id)
    events = await place.change(cluster_id, values={**GOOD, "size": 5})
    assert kinds(events) == [
        ClusterConfigured,
        ClusterRendered,
        ClusterOperationRequested,
        TaskQueued,
    ]
    assert (await place.state(cluster_id)).status is ClusterStatus.CHANGING


async def test_a_change_waits_for_a_person_in_manual_mode(place: Place) -> None:
    cluster_id = await place.create()
    await place.install(cluster_id)
    await place.hub.do(ChangeClusterSettings(**place.about(cluster_id), settings=MANUAL))
    await place.change(cluster_id, values={**GOOD, "size": 5})
    assert (await place.state(cluster_id)).status is ClusterStatus.PENDING_CHANGES
    task_id = await place.hub.do(ApplyChanges(**place.about(cluster_id)))
    assert (await place.hub.state(Task, task_id)).rendering == 2


async def test_automatic_mode_applies_what_has_waited(place: Place) -> None:
    cluster_id = await place.create()
    await place.install(cluster_id)
    await place.hub.do(ChangeClusterSettings(**place.about(cluster_id), settings=MANUAL))
    await place.change(cluster_id, values={**GOOD, "size": 5})
    await place.hub.do(ChangeClusterSettings(**place.about(cluster_id), settings=Settings()))
    assert (await place.state(cluster_id)).status is ClusterStatus.CHANGING


async def test_a_change_made_while_a_task_is_at_work_is_applied_after_it(place: Place) -> None:
    cluster_id = await place.create()
    task_id = await place.hub.do(InstallCluster(**place.about(cluster_id)))
    await place.hub.do(ClaimTask(task_id=task_id, manager="m1"))
    await place.change(cluster_id, values={**GOOD, "size": 5})
    await place.hub.do(SucceedTask(task_id=task_id, manager="m1"))
    cluster = await place.state(cluster_id)
    assert cluster.applied == 1
    assert cluster.task_id is not None
    following = await place.hub.state(Task, cluster.task_id)
    assert (following.kind, following.rendering) == (OperationKind.CHANGE, 2)


async def test_only_an_installed_cluster_is_changed_or_checked(place: Place) -> None:
    cluster_id = await place.create()
    for command in (ApplyChanges, CheckCluster):
        with pytest.raises(CannotApply):
            await place.hub.do(command(**place.about(cluster_id)))


async def test_a_host_key_is_forgotten_when_a_person_says_so(place: Place) -> None:
    cluster_id = await place.create()
    task_id = await place.hub.do(InstallCluster(**place.about(cluster_id)))
    await place.hub.do(ClaimTask(task_id=task_id, manager="m1"))
    await place.hub.do(
        PinHostKey(
            task_id=task_id, manager="m1", host="10.0.0.1", port=22, key="K", fingerprint="F"
        )
    )
    await place.hub.do(ForgetHostKey(**place.about(cluster_id), host="10.0.0.1"))
    assert place.hub.events()[-1] == ClusterHostKeyForgotten(
        host="10.0.0.1", port=22, fingerprint="F"
    )

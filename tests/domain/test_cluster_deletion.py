"""A cluster is deleted when nothing runs on it, and archived for good."""

from uuid import UUID

from domain.clusters import Cluster, ClusterIsArchived, ClusterIsBusy, Deletion
from domain.values import OperationKind
from tests.domain.pasts_of_clusters import (
    ARCHIVED,
    CHANGING,
    DELETING,
    DELETION_FAILED,
    INSTALL_FAILED,
    LEAVING,
    NOON,
    TASK,
    K,
    S,
    applied,
    archived,
    declared,
    requested,
    text,
    wanted,
)
from tests.support.scenario import given


def test_a_cluster_that_is_being_deleted_is_not_declared_anew() -> None:
    given(*DELETING).when(Cluster.rename, "south").then_refused(ClusterIsBusy)
    given(*DELETING).when(Cluster.configure, declared(size=5)).then_refused(ClusterIsBusy)


def test_a_deletion_that_failed_may_be_tried_again() -> None:
    given(*DELETION_FAILED).when(Cluster.request, K.DELETE, TASK).then(
        requested(K.DELETE, S.DELETION_FAILED, S.DELETE)
    )


def test_nothing_happens_any_more_to_an_archived_cluster() -> None:
    past = given(*ARCHIVED)
    past.leaves(Cluster, status=S.DELETED, task_id=None, archived_at=NOON)
    past.when(Cluster.archive, NOON, "2").then_nothing()
    past.when(Cluster.rename, "south").then_refused(ClusterIsArchived)
    past.when(Cluster.configure, declared(size=5)).then_refused(ClusterIsArchived)
    past.when(Cluster.forget_host_key, "10.0.0.1", 22).then_refused(ClusterIsArchived)
    for kind in OperationKind:
        past.when(Cluster.request, kind, TASK).then_refused(ClusterIsArchived)


def test_a_half_installed_cluster_is_deleted_by_what_was_tried() -> None:
    cluster = Cluster.fold(INSTALL_FAILED)
    assert cluster is not None
    assert (cluster.rendering_for(K.DELETE), cluster.sections_for(K.DELETE)) == (1, text("1"))


def test_a_deletion_waits_for_the_task_that_runs() -> None:
    given(*CHANGING).when(Cluster.want_deletion, forget=False).then(wanted(S.CHANGING))
    given(*LEAVING).leaves(
        Cluster, status=S.DELETE, deletion=Deletion.DESTROY, task_id=TASK, is_leaving=True
    )
    given(*LEAVING).when(Cluster.want_deletion, forget=False).then_nothing()


def test_who_only_forgets_a_cluster_has_the_last_word() -> None:
    forgotten = wanted(S.DELETE, forget=True)
    given(*LEAVING).when(Cluster.want_deletion, forget=True).then(forgotten)
    for forget in (True, False):
        given(*LEAVING, forgotten).when(Cluster.want_deletion, forget=forget).then_nothing()


def test_nothing_else_is_asked_of_a_cluster_that_waits_to_be_deleted() -> None:
    for kind in K:
        given(*LEAVING).when(Cluster.request, kind, UUID(int=6)).then_refused(
            ClusterIsBusy, "after it the cluster is deleted"
        )
    given(*LEAVING).when(Cluster.rename, "south").then_refused(ClusterIsBusy)
    given(*LEAVING).when(Cluster.configure, declared(size=9)).then_refused(ClusterIsBusy)


def test_the_wish_is_fulfilled_by_the_request() -> None:
    over = applied(2, K.CHANGE, S.DELETE)
    given(*LEAVING, over, requested(K.DELETE, S.IN_SYNC, S.DELETE)).leaves(
        Cluster, status=S.DELETE, deletion=None
    )
    given(*LEAVING, over, archived).leaves(Cluster, status=S.DELETED, deletion=None)


def test_the_audit_tells_who_wanted_a_cluster_deleted() -> None:
    told = wanted(S.CHANGING).audited()
    assert told is not None
    assert told.audited_changes == {
        "deletion": [None, "destroy"],
        "status": [S.CHANGING, S.DELETE],
    }
    again = wanted(S.DELETE, forget=True).audited()
    assert again is not None
    assert again.audited_changes == {"deletion": [None, "forget"]}

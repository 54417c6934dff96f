"""A cluster is installed, changed, checked and looked at, one task at a time."""

from typing import Any
from uuid import UUID

import pytest

from domain.clusters import (
    CannotApply,
    CannotInstall,
    Cluster,
    ClusterChecked,
    ClusterHostKeyForgotten,
    ClusterHostKeyPinned,
    ClusterIsBusy,
    ClusterRendered,
    ClusterStatus,
    Found,
)
from domain.model import Event
from domain.values import OperationKind
from tests.domain.pasts_of_clusters import (
    ARCHIVED,
    AWAY,
    CHANGING,
    DELETING,
    DELETION_FAILED,
    DRIFTED,
    INSTALL_FAILED,
    INSTALLED,
    INSTALLING,
    LOST,
    NEW,
    PENDING,
    TASK,
    K,
    S,
    applied,
    broken,
    checked,
    checking,
    created,
    failed,
    pinned,
    requested,
    text,
)
from tests.support.scenario import given


def test_an_install_is_requested_started_and_applied() -> None:
    given(*NEW).when(Cluster.request, K.INSTALL, TASK).then(requested(K.INSTALL, S.NEW, S.CREATING))
    given(*NEW, requested(K.INSTALL, S.NEW, S.CREATING)).leaves(
        Cluster, status=S.CREATING, task_id=TASK, was_created=False
    )
    given(*INSTALLING).leaves(Cluster, was_created=True, applied=0)
    given(*INSTALLING).when(Cluster.apply, K.INSTALL, TASK, 1, text("1")).then(
        applied(1, K.INSTALL, S.CREATING)
    )
    given(*INSTALLED).leaves(
        Cluster, status=S.IN_SYNC, applied=1, applied_sections=text("1"), task_id=None
    )


def test_a_cluster_that_does_not_render_is_not_installed() -> None:
    given(created).when(Cluster.request, K.INSTALL, TASK).then_refused(CannotInstall)
    given(*NEW, broken).when(Cluster.request, K.INSTALL, TASK).then_refused(CannotInstall)


def test_a_cluster_that_is_there_is_not_installed_again() -> None:
    given(*INSTALLED).when(Cluster.request, K.INSTALL, TASK).then_refused(CannotInstall)


def test_an_install_that_failed_may_be_tried_again() -> None:
    given(*INSTALL_FAILED).when(Cluster.request, K.INSTALL, TASK).then(
        requested(K.INSTALL, S.CREATION_FAILED, S.CREATING)
    )


@pytest.mark.parametrize("kind", [K.CHANGE, K.CHECK])
def test_only_a_cluster_that_is_there_and_renders_is_changed_or_checked(
    kind: OperationKind,
) -> None:
    given(*NEW).when(Cluster.request, kind, TASK).then_refused(CannotApply, "not installed")
    given(*INSTALLED, broken).when(Cluster.request, kind, TASK).then_refused(
        CannotApply, "does not render"
    )


@pytest.mark.parametrize("kind", list(OperationKind))
@pytest.mark.parametrize("past", [INSTALLING, CHANGING, DELETING])
def test_a_cluster_has_one_task_at_a_time(past: list[Event], kind: OperationKind) -> None:
    given(*past).when(Cluster.request, kind, UUID(int=6)).then_refused(ClusterIsBusy, str(TASK))


def test_what_changed_while_a_change_was_applied_is_still_pending() -> None:
    later = ClusterRendered(rendering=3, sections=text("3"), engine="gotpl 0.1")
    given(*CHANGING, later).leaves(Cluster, status=S.CHANGING)
    given(*CHANGING, later).when(Cluster.apply, K.CHANGE, TASK, 2, text("2")).then(
        applied(2, K.CHANGE, S.CHANGING, S.PENDING_CHANGES)
    )


@pytest.mark.parametrize(
    ("decide", "arguments"),
    [
        (Cluster.apply, (K.CHANGE, TASK, 2, text("2"))),
        (Cluster.check, (TASK, "")),
    ],
)
def test_a_configuration_broken_during_a_task_is_seen_when_the_task_is_over(
    decide: Any, arguments: tuple[Any, ...]
) -> None:
    past = [*CHANGING, broken] if decide is Cluster.apply else [*checking(), broken]
    extra: dict[str, Any] = {"in_sync": True} if decide is Cluster.check else {}
    cluster = Cluster.fold(past)
    assert cluster is not None
    after = Cluster.fold(decide(cluster, *arguments, **extra), cluster)
    assert after is not None
    assert after.status is S.CONFIGURATION_ERROR


def test_a_check_says_whether_the_machines_are_as_declared() -> None:
    given(*checking()).when(Cluster.check, TASK, "", in_sync=True).then(
        ClusterChecked(task_id=TASK, in_sync=True, previous_status=S.IN_SYNC, status=S.IN_SYNC)
    )
    drifted = ClusterChecked(
        task_id=TASK,
        in_sync=False,
        detail="replicas",
        previous_status=S.IN_SYNC,
        status=S.PENDING_CHANGES,
    )
    given(*checking()).when(Cluster.check, TASK, "replicas", in_sync=False).then(drifted)
    given(*checking(), drifted).leaves(Cluster, status=S.PENDING_CHANGES, task_id=None)


def test_a_check_that_changes_nothing_is_no_line_of_the_audit() -> None:
    same = ClusterChecked(task_id=TASK, in_sync=True, previous_status=S.IN_SYNC, status=S.IN_SYNC)
    assert same.audited() is None


@pytest.mark.parametrize(
    ("past", "kind", "lost", "status"),
    [
        (INSTALLING, K.INSTALL, False, S.CREATION_FAILED),
        (CHANGING, K.CHANGE, False, S.SYNCHRONIZATION_FAILURE),
        (DELETING, K.DELETE, False, S.DELETION_FAILED),
        (CHANGING, K.CHECK, False, S.UNKNOWN),
        (INSTALLING, K.INSTALL, True, S.UNKNOWN),
    ],
)
def test_a_task_that_fails_leaves_a_status_that_says_so(
    past: list[Event], kind: OperationKind, lost: bool, status: ClusterStatus
) -> None:
    cluster = Cluster.fold(past)
    assert cluster is not None
    given(*past).when(Cluster.fail, kind, TASK, "No disk.", lost=lost).then(
        failed(kind, cluster.status, status)
    )
    given(*past, failed(kind, cluster.status, status)).leaves(Cluster, status=status, task_id=None)


def test_a_task_works_by_what_the_machines_have_when_it_looks_back() -> None:
    cluster = Cluster.fold(PENDING)
    assert cluster is not None
    assert {k: cluster.rendering_for(k) for k in K} == {
        K.INSTALL: 2,
        K.CHANGE: 2,
        K.CHECK: 1,
        K.DELETE: 1,
    }
    assert cluster.sections_for(K.DELETE) == text("1")
    assert cluster.sections_for(K.CHANGE) == text("2")


def test_a_host_key_is_pinned_on_first_contact() -> None:
    given(*NEW).when(Cluster.pin_host_key, "10.0.0.1", 22, "ssh-ed25519 K", "SHA:x").then(pinned)
    given(*NEW, pinned).when(
        Cluster.pin_host_key, "10.0.0.1", 22, "ssh-ed25519 K", "SHA:x"
    ).then_nothing()
    given(*NEW, pinned).leaves(Cluster, host_keys={"10.0.0.1:22": "ssh-ed25519 K"})


def test_a_host_key_is_forgotten_when_a_person_says_so() -> None:
    forgotten = ClusterHostKeyForgotten(host="10.0.0.1", port=22, fingerprint="SHA:x")
    given(*NEW, pinned).when(Cluster.forget_host_key, "10.0.0.1", 22).then(forgotten)
    given(*NEW, pinned).when(Cluster.forget_host_key, "10.0.0.2", 22).then_nothing()
    given(*NEW, pinned, forgotten).leaves(Cluster, host_keys={}, host_fingerprints={})


@pytest.mark.parametrize("host", ["2001:db8::7", "[2001:db8::7]", "2001:DB8:0::7"])
def test_the_key_of_an_address_of_ipv6_is_forgotten_in_each_of_its_forms(host: str) -> None:
    six = ClusterHostKeyPinned(host="2001:db8::7", port=22, key="K", fingerprint="SHA:x")
    forgotten = ClusterHostKeyForgotten(host="2001:db8::7", port=22, fingerprint="SHA:x")
    given(*NEW, six).when(Cluster.forget_host_key, host, 22).then(forgotten)
    given(*NEW, six).leaves(Cluster, host_keys={"[2001:db8::7]:22": "K"})


@pytest.mark.parametrize(
    ("past", "is_looked_at"),
    [
        (NEW, False),
        (INSTALLING, False),
        (INSTALL_FAILED, False),
        (INSTALLED, True),
        (PENDING, True),
        (DRIFTED, True),
        (AWAY, True),
        ([*AWAY, checked(in_sync=True, after=S.IN_SYNC)], True),
        (LOST, False),
        ([*INSTALLED, broken], False),
        ([*PENDING, failed(K.CHANGE, S.CHANGING, S.SYNCHRONIZATION_FAILURE)], False),
        (CHANGING, False),
        (DELETION_FAILED, False),
        (ARCHIVED, False),
    ],
)
def test_routine_checks_are_for_what_is_installed_and_waits_for_nobody(
    past: list[Event], is_looked_at: bool
) -> None:
    given(*past).leaves(Cluster, is_looked_at=is_looked_at)


@pytest.mark.parametrize(
    ("past", "known"),
    [(INSTALLED, Found.IN_SYNC), (DRIFTED, Found.DRIFTED), (AWAY, Found.NOTHING)],
)
def test_what_is_known_already_is_no_news(past: list[Event], known: Found) -> None:
    cluster = Cluster.fold(past)
    assert cluster is not None
    assert [found for found in Found if not cluster.is_news(found)] == [known]

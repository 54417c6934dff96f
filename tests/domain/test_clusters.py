"""A cluster is declared, rendered, installed, changed, checked, deleted, and archived for good."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from pydantic import ValidationError

from domain.clusters import (
    CannotApply,
    CannotInstall,
    Cluster,
    ClusterApplied,
    ClusterArchived,
    ClusterChecked,
    ClusterConfigured,
    ClusterCreated,
    ClusterDeletionWanted,
    ClusterHostKeyForgotten,
    ClusterHostKeyPinned,
    ClusterIsArchived,
    ClusterIsBusy,
    ClusterOperationFailed,
    ClusterOperationRequested,
    ClusterOperationStarted,
    ClusterRenamed,
    ClusterRendered,
    ClusterRenderFailed,
    ClusterStatus,
    Configuration,
    Deletion,
    Found,
    RenderError,
)
from domain.model import Event, RevisionConflict
from domain.secrets import MASK, Secret
from domain.values import DocumentRef, OperationKind
from tests.support.scenario import given

S, K = ClusterStatus, OperationKind
NOON = datetime(2025, 6, 18, 12, tzinfo=UTC)
WORKSPACE, TASK = UUID(int=1), UUID(int=5)
KEY = Secret(token="sealed key")


def declared(**values: Any) -> Configuration:
    return Configuration(template_id=UUID(int=2), template_version_id=UUID(int=3), values=values)


def text(digest: str) -> dict[str, DocumentRef]:
    return {"resources": DocumentRef(digest=digest, size=9)}


def requested(
    kind: OperationKind, before: ClusterStatus, after: ClusterStatus
) -> ClusterOperationRequested:
    return ClusterOperationRequested(task_id=TASK, kind=kind, previous_status=before, status=after)


def began(kind: OperationKind) -> ClusterOperationStarted:
    return ClusterOperationStarted(task_id=TASK, kind=kind)


def failed(
    kind: OperationKind, before: ClusterStatus, after: ClusterStatus
) -> ClusterOperationFailed:
    return ClusterOperationFailed(
        task_id=TASK, kind=kind, reason="No disk.", previous_status=before, status=after
    )


def applied(
    rendering: int, kind: OperationKind, before: ClusterStatus, after: ClusterStatus = S.IN_SYNC
) -> ClusterApplied:
    return ClusterApplied(
        task_id=TASK,
        kind=kind,
        rendering=rendering,
        sections=text(str(rendering)),
        previous_status=before,
        status=after,
    )


created = ClusterCreated(
    workspace_id=WORKSPACE,
    name="north",
    configuration=declared(size=3),
    ssh_public_key="ssh-ed25519 AAAA",
    ssh_private_key=KEY,
)
rendered = ClusterRendered(rendering=1, sections=text("1"), engine="gotpl 0.1")
rendered_again = ClusterRendered(rendering=2, sections=text("2"), engine="gotpl 0.1")
ERRORS = (RenderError(section="resources", detail="no such value", line=3, column=7),)
broken = ClusterRenderFailed(errors=ERRORS, engine="gotpl 0.1")
configured = ClusterConfigured(configuration=declared(size=5), previous=declared(size=3))
archived = ClusterArchived(archived_at=NOON, archive_number="20250618")
pinned = ClusterHostKeyPinned(host="10.0.0.1", port=22, key="ssh-ed25519 K", fingerprint="SHA:x")

NEW: list[Event] = [created, rendered]
INSTALLING: list[Event] = [*NEW, requested(K.INSTALL, S.NEW, S.CREATING), began(K.INSTALL)]
INSTALLED: list[Event] = [*INSTALLING, applied(1, K.INSTALL, S.CREATING)]
INSTALL_FAILED: list[Event] = [*INSTALLING, failed(K.INSTALL, S.CREATING, S.CREATION_FAILED)]
PENDING: list[Event] = [*INSTALLED, configured, rendered_again]
CHANGING: list[Event] = [
    *PENDING,
    requested(K.CHANGE, S.PENDING_CHANGES, S.CHANGING),
    began(K.CHANGE),
]
DELETING: list[Event] = [*INSTALLED, requested(K.DELETE, S.IN_SYNC, S.DELETE), began(K.DELETE)]
DELETION_FAILED: list[Event] = [*DELETING, failed(K.DELETE, S.DELETING, S.DELETION_FAILED)]
ARCHIVED: list[Event] = [*DELETING, archived]


def test_a_cluster_begins_with_what_is_declared_of_it() -> None:
    begun = list(
        Cluster.create(
            workspace_id=WORKSPACE,
            name="north",
            configuration=declared(size=3),
            registry_id=None,
            ssh_public_key="ssh-ed25519 AAAA",
            ssh_private_key="open key",
        )
    )
    assert begun == [created.model_copy(update={"ssh_private_key": Secret("open key")})]
    given(created).leaves(Cluster, status=S.NEW, revision=1, rendering=0)


@pytest.mark.parametrize(
    "name", ["", "North", "-n", "n-", "a.b", "a_b", "n" * 64, "north\n", "nörd", "a:b"]
)
def test_a_cluster_is_named_as_kubernetes_names_things(name: str) -> None:
    with pytest.raises(ValidationError):
        ClusterCreated(
            workspace_id=WORKSPACE,
            name=name,
            configuration=declared(),
            ssh_public_key="",
            ssh_private_key=KEY,
        )


def test_a_cluster_is_renamed_and_each_declaration_is_a_revision() -> None:
    renamed = ClusterRenamed(name="south", previous_name="north")
    given(*NEW).when(Cluster.rename, "south").then(renamed)
    given(*NEW).when(Cluster.rename, "north").then_nothing()
    given(*NEW, renamed, configured).leaves(Cluster, name="south", revision=3)


def test_a_cluster_is_declared_anew_as_a_whole() -> None:
    given(*NEW).when(Cluster.configure, declared(size=5)).then(configured)
    given(*NEW).when(Cluster.configure, declared(size=3)).then_nothing()


def test_a_change_to_another_revision_is_a_conflict() -> None:
    cluster = Cluster.fold([*NEW, configured])
    assert cluster is not None
    cluster.must_be_at(2)
    cluster.must_be_at(None)
    with pytest.raises(RevisionConflict) as conflict:
        cluster.must_be_at(1)
    assert conflict.value.pointer == "/current_revision"


def test_renderings_are_numbered() -> None:
    given(created).when(Cluster.render, text("1"), "gotpl 0.1").then(rendered)
    given(*NEW).when(Cluster.render, text("2"), "gotpl 0.1").then(rendered_again)


def test_a_configuration_that_does_not_render_is_told_once() -> None:
    given(created).when(Cluster.fail_to_render, ERRORS, "gotpl 0.1").then(broken)
    given(created, broken).when(Cluster.fail_to_render, ERRORS, "gotpl 0.1").then_nothing()
    given(created, broken).leaves(Cluster, status=S.CONFIGURATION_ERROR, render_errors=ERRORS)


def test_a_rendering_takes_the_errors_away() -> None:
    given(created, broken, rendered).leaves(Cluster, status=S.NEW, render_errors=())


@pytest.mark.parametrize(
    ("past", "status"),
    [
        (NEW, S.NEW),
        (INSTALL_FAILED, S.CREATION_FAILED),
        ([*INSTALLING, failed(K.INSTALL, S.CREATING, S.UNKNOWN)], S.CREATION_FAILED),
        (INSTALLED, S.PENDING_CHANGES),
        (INSTALLING, S.CREATING),
        (CHANGING, S.CHANGING),
        (DELETING, S.DELETING),
    ],
    ids=["new", "failed", "lost", "installed", "installing", "changing", "deleting"],
)
def test_a_corrected_configuration_shows_what_is_left_to_do(
    past: list[Event], status: ClusterStatus
) -> None:
    rendered_at_last = ClusterRendered(rendering=9, sections=text("9"), engine="gotpl 0.1")
    given(*past, broken, rendered_at_last).leaves(Cluster, status=status)


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


def test_a_half_installed_cluster_is_deleted_by_what_was_tried() -> None:
    cluster = Cluster.fold(INSTALL_FAILED)
    assert cluster is not None
    assert (cluster.rendering_for(K.DELETE), cluster.sections_for(K.DELETE)) == (1, text("1"))


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


def test_the_audit_shows_the_values_that_differ_and_no_secret() -> None:
    before = Configuration(
        template_id=UUID(int=2),
        template_version_id=UUID(int=3),
        values={"size": 3, "zone": "a"},
        secret_values={"password": Secret(token="old")},
    )
    after = before.model_copy(
        update={"values": {"size": 5, "zone": "a"}, "secret_values": {"password": Secret("new")}}
    )
    assert audited_values(before, after) == [
        {"size": 3, "password": MASK},
        {"size": 5, "password": MASK},
    ]


def test_the_audit_shows_a_value_that_came_and_one_that_went() -> None:
    assert audited_values(declared(size=3), declared(zone="b")) == [{"size": 3}, {"zone": "b"}]


def checking() -> list[Event]:
    return [*INSTALLED, requested(K.CHECK, S.IN_SYNC, S.IN_SYNC), began(K.CHECK)]


def audited_values(before: Configuration, after: Configuration) -> list[Any]:
    audited = ClusterConfigured(configuration=after, previous=before).audited()
    values: list[Any] = audited.audited_changes["values"]
    return values


def checked(*, in_sync: bool, after: ClusterStatus) -> ClusterChecked:
    return ClusterChecked(task_id=TASK, in_sync=in_sync, previous_status=S.IN_SYNC, status=after)


DRIFTED: list[Event] = [*INSTALLED, checked(in_sync=False, after=S.PENDING_CHANGES)]
AWAY: list[Event] = [*INSTALLED, failed(K.CHECK, S.IN_SYNC, S.UNKNOWN)]
LOST: list[Event] = [*CHANGING, failed(K.CHANGE, S.CHANGING, S.UNKNOWN)]


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


def wanted(before: ClusterStatus, *, forget: bool = False) -> ClusterDeletionWanted:
    return ClusterDeletionWanted(forget=forget, previous_status=before, status=S.DELETE)


LEAVING: list[Event] = [*CHANGING, wanted(S.CHANGING)]


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

"""A cluster is declared, renamed, declared anew and rendered; the audit tells the difference."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from pydantic import ValidationError

from domain.clusters import (
    Cluster,
    ClusterConfigured,
    ClusterCreated,
    ClusterRegistryChosen,
    ClusterRenamed,
    ClusterRendered,
    ClusterStatus,
    Configuration,
)
from domain.model import Event, RevisionConflict
from domain.secrets import MASK, Secret
from tests.domain.pasts_of_clusters import (
    CHANGING,
    DELETING,
    ERRORS,
    INSTALL_FAILED,
    INSTALLED,
    INSTALLING,
    KEY,
    NEW,
    WORKSPACE,
    K,
    S,
    broken,
    configured,
    created,
    declared,
    failed,
    rendered,
    rendered_again,
    text,
)
from tests.support.scenario import given


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


def test_where_releases_come_from_is_part_of_the_declaration() -> None:
    registry = uuid4()
    chosen = ClusterRegistryChosen(registry_id=registry, previous=None)
    given(*NEW).when(Cluster.choose_registry, registry).then(chosen)
    given(*NEW, chosen).when(Cluster.choose_registry, registry).then_nothing()
    given(*NEW, chosen).leaves(Cluster, registry_id=registry, revision=2)
    audited = chosen.audited()
    assert audited is not None
    assert audited.audited_changes == {"registry_id": [None, str(registry)]}


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


def audited_values(before: Configuration, after: Configuration) -> list[Any]:
    audited = ClusterConfigured(configuration=after, previous=before).audited()
    values: list[Any] = audited.audited_changes["values"]
    return values

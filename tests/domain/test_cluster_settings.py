"""The settings of a cluster are a record of their own in the audit."""

from uuid import UUID

from domain.cluster_settings import (
    ClusterSettings,
    ClusterSettingsChanged,
    ClusterSettingsCreated,
    Settings,
)
from domain.model import Action, Audited
from domain.values import ChangeMode
from tests.support.scenario import given

CLUSTER = UUID(int=7)
BY_HAND = Settings(change_mode=ChangeMode.MANUAL, check_interval=10)
created = ClusterSettingsCreated(cluster_id=CLUSTER, settings=Settings())
changed = ClusterSettingsChanged(cluster_id=CLUSTER, settings=BY_HAND, previous=Settings())


def test_settings_begin_with_their_cluster() -> None:
    given().when(ClusterSettings.create, CLUSTER, Settings()).then(created)


def test_settings_change_as_a_whole() -> None:
    given(created).when(ClusterSettings.change, BY_HAND).then(changed)
    given(created, changed).leaves(ClusterSettings, settings=BY_HAND)


def test_settings_that_are_so_already_do_not_change() -> None:
    given(created, changed).when(ClusterSettings.change, BY_HAND).then_nothing()


def test_the_record_of_a_cluster_has_an_id_of_its_own_that_is_always_the_same() -> None:
    assert ClusterSettings.id_of(CLUSTER) == ClusterSettings.id_of(UUID(int=7))
    assert ClusterSettings.id_of(CLUSTER) not in (CLUSTER, ClusterSettings.id_of(UUID(int=8)))


def test_the_audit_spells_settings_as_the_product_does() -> None:
    assert created.audited() == Audited(
        auditable_type="ClusterSettings",
        action=Action.CREATE,
        audited_changes={"cluster_manager": {"sync": {"mode": "auto"}, "check_interval": 1}},
    )
    assert changed.audited() == Audited(
        auditable_type="ClusterSettings",
        action=Action.UPDATE,
        audited_changes={
            "cluster_manager": [
                {"sync": {"mode": "auto"}, "check_interval": 1},
                {"sync": {"mode": "manual"}, "check_interval": 10},
            ]
        },
    )

"""Clusters are declared out of templates, and rendered."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest

from adapters.memory.renderer import PlainRenderer
from application.cluster_templates import ArchiveClusterTemplate, WithdrawTemplateVersion
from application.clusters import (
    ChangeCluster,
    ChangeClusterSettings,
    DeleteCluster,
    ForgetHostKey,
    InstallCluster,
)
from application.ports import Rendering, SectionSource
from application.tasks import CancelTask
from application.workspaces import ChangeWorkspaceSettings
from domain.cluster_settings import ClusterSettings, ClusterSettingsCreated, Settings
from domain.cluster_templates import TemplateIsArchived, VersionIsWithdrawn
from domain.clusters import (
    CannotInstall,
    ClusterConfigured,
    ClusterCreated,
    ClusterIsBusy,
    ClusterOperationRequested,
    ClusterRenamed,
    ClusterRendered,
    ClusterRenderFailed,
    ClusterStatus,
    RenderError,
)
from domain.model import Invalid, NotFound, RevisionConflict, Taken
from domain.secrets import MASK, Secret
from domain.tasks import TaskQueued
from domain.values import ChangeMode
from domain.workspaces import WorkspaceSettings
from tests.application.places import GOOD, MANUAL, Place, kinds


async def test_a_cluster_is_declared_with_settings_keys_and_a_rendering(place: Place) -> None:
    before = len(place.hub.store.records)
    cluster_id = await place.create()
    events = place.hub.events(before)
    assert kinds(events) == [ClusterSettingsCreated, ClusterCreated, ClusterRendered]
    cluster = await place.state(cluster_id)
    assert cluster.configuration.values == {"size": 3, "zone": "a"}
    text = await place.hub.documents.read(cluster.sections["resources"])
    assert text == "size: 3\nzone: a\n"
    assert cluster.sections["resources"].subject_id == cluster_id
    assert cluster.ssh_public_key == "public 1 quarterdeck north"
    assert await place.hub.vault.open(cluster_id, cluster.ssh_private_key) == "private 1"


async def test_the_settings_of_a_cluster_begin_as_those_of_its_workspace(place: Place) -> None:
    settings = WorkspaceSettings(change_mode=ChangeMode.MANUAL, check_interval=9)
    await place.hub.do(ChangeWorkspaceSettings(workspace_id=place.workspace_id, settings=settings))
    record_id = ClusterSettings.id_of(await place.create())
    record = await place.hub.state(ClusterSettings, record_id)
    assert record.settings == Settings(change_mode=ChangeMode.MANUAL, check_interval=9)


async def test_a_workspace_that_says_so_installs_what_is_declared(place: Place) -> None:
    await installing_at_once(place)
    before = len(place.hub.store.records)
    cluster_id = await place.create()
    asked = [ClusterOperationRequested, TaskQueued]
    assert kinds(place.hub.events(before))[-2:] == asked
    assert (await place.state(cluster_id)).status is ClusterStatus.CREATING
    with pytest.raises(ClusterIsBusy):
        await place.install(cluster_id)


async def test_who_declares_has_the_last_word_on_whether_it_is_installed(place: Place) -> None:
    at_once = await place.state(await place.create(install=True))
    await installing_at_once(place)
    kept = await place.state(await place.create("south", install=False))
    assert at_once.task_id is not None
    assert kept.task_id is None


async def test_what_does_not_render_is_installed_once_it_does(place: Place) -> None:
    cluster_id = await place.create(values={"size": 3}, install=True)
    cluster = await place.state(cluster_id)
    assert (cluster.status, cluster.task_id) == (ClusterStatus.CONFIGURATION_ERROR, None)
    assert kinds(await place.change(cluster_id)) == [
        ClusterConfigured,
        ClusterRendered,
        ClusterOperationRequested,
        TaskQueued,
    ]


async def test_an_installation_that_was_called_off_does_not_begin_by_itself(place: Place) -> None:
    cluster_id = await place.create(install=True)
    task_id = (await place.state(cluster_id)).task_id
    await place.hub.do(CancelTask(workspace_id=place.workspace_id, task_id=task_id))
    await place.change(cluster_id, values={**GOOD, "size": 5})
    assert (await place.state(cluster_id)).task_id is None


class NamesHosts(PlainRenderer):
    """Gives an SSHConfig with the zone or the password as its user, and a host."""

    def __init__(self, user: str) -> None:
        self.user = user

    async def render(
        self,
        sections: Sequence[SectionSource],
        values: Mapping[str, Any],
        *,
        tenant: Hashable = None,
    ) -> Rendering:
        done = await super().render(sections, values, tenant=tenant)
        user = values[self.user]
        told = user.reveal() if isinstance(user, Secret) else user
        api = {"apiVersion": "dhctl.deckhouse.io/v1"}
        config = {**api, "kind": "SSHConfig", "sshUser": told}
        host = {**api, "kind": "SSHHost", "host": "10.0.0.1"}
        return replace(done, documents={"ssh": [config, host]})


@pytest.mark.parametrize(
    ("user", "password", "masters"),
    [("zone", "swordfish", 1), ("zone", "", 1), ("password", "swordfish", 0)],
)
async def test_a_host_is_told_unless_a_secret_stands_in_it(
    place: Place, user: str, password: str, masters: int
) -> None:
    place.hub.bus.world = replace(place.hub.bus.world, renderer=NamesHosts(user))
    before = len(place.hub.store.records)
    await place.create(values={**GOOD, "password": password})
    rendered = next(e for e in place.hub.events(before) if isinstance(e, ClusterRendered))
    assert len(rendered.masters) == masters
    assert "swordfish" not in repr(rendered)


async def installing_at_once(place: Place) -> None:
    settings = WorkspaceSettings(install_on_create=True)
    await place.hub.do(ChangeWorkspaceSettings(workspace_id=place.workspace_id, settings=settings))


async def test_a_left_out_value_takes_its_default(place: Place) -> None:
    cluster = await place.state(await place.create(values={"zone": "a"}))
    assert cluster.configuration.values == {"size": 3, "zone": "a"}


async def test_every_wrong_value_is_named(place: Place) -> None:
    with pytest.raises(Invalid) as invalid:
        await place.create(values={"size": "three", "zoen": "a"})
    assert {f.pointer for f in invalid.value.faults} == {"/values/size", "/values/zoen"}


async def test_a_version_that_is_not_there_is_a_fault_of_the_body(place: Place) -> None:
    other = await place.hub.workspace("other")
    theirs = await place.hub.template(other)
    for version_id in (uuid4(), await place.hub.version(theirs)):
        with pytest.raises(Invalid) as invalid:
            await place.create(cluster_template_version_id=version_id)
        assert invalid.value.faults[0].pointer == "/cluster_template_version_id"
    with pytest.raises(Invalid):
        await place.create(
            cluster_template_id=theirs,
            cluster_template_version_id=await place.hub.version(theirs),
        )


async def test_a_template_that_may_not_be_used_is_refused(place: Place) -> None:
    template = {
        "workspace_id": place.workspace_id,
        "cluster_template_id": place.template_id,
    }
    cluster_id = await place.create()
    await place.hub.do(WithdrawTemplateVersion(**template, version_id=place.version_id))
    with pytest.raises(VersionIsWithdrawn):
        await place.create("south")
    assert kinds(await place.change(cluster_id, values={**GOOD, "size": 5})) == [
        ClusterConfigured,
        ClusterRendered,
    ]
    await place.hub.do(ArchiveClusterTemplate(**template))
    with pytest.raises(TemplateIsArchived):
        await place.create("south")


async def test_a_name_is_of_one_cluster_in_its_workspace_until_it_is_archived(
    place: Place,
) -> None:
    cluster_id = await place.create("north")
    with pytest.raises(Taken, match=str(cluster_id)):
        await place.create("north")
    await place.hub.do(DeleteCluster(**place.about(cluster_id)))
    other_id = await place.create("north")
    await place.hub.do(DeleteCluster(**place.about(cluster_id)))
    with pytest.raises(Taken, match=str(other_id)):
        await place.create("north")


async def test_a_rename_gives_the_old_name_back(place: Place) -> None:
    cluster_id = await place.create("north")
    await place.create("south")
    with pytest.raises(Taken):
        await place.change(cluster_id, "south")
    assert kinds(await place.change(cluster_id, "west")) == [ClusterRenamed]
    await place.create("north")


async def test_a_configuration_that_does_not_render_is_kept_with_its_errors(
    place: Place,
) -> None:
    cluster_id = await place.create(values={"size": 3})
    cluster = await place.state(cluster_id)
    assert cluster.status is ClusterStatus.CONFIGURATION_ERROR
    error = RenderError(section="resources", detail="There is no value zone.", line=2, column=7)
    assert cluster.render_errors == (error,)
    with pytest.raises(CannotInstall):
        await place.hub.do(InstallCluster(**place.about(cluster_id)))
    assert kinds(await place.change(cluster_id)) == [ClusterConfigured, ClusterRendered]
    assert (await place.state(cluster_id)).status is ClusterStatus.NEW


async def test_a_change_that_renders_to_the_same_text_is_nothing_to_apply(place: Place) -> None:
    cluster_id = await place.create()
    version_id = await place.next_version("size: {{ .size }}\nzone: a\n")
    events = await place.change(cluster_id, cluster_template_version_id=version_id)
    assert kinds(events) == [ClusterConfigured]


async def test_what_is_declared_again_is_no_event(place: Place) -> None:
    cluster_id = await place.create()
    assert not await place.change(cluster_id)


async def test_a_cluster_moves_to_another_version_of_its_template(place: Place) -> None:
    cluster_id = await place.create()
    version_id = await place.next_version("size: {{ .size }}\n")
    await place.change(cluster_id, cluster_template_version_id=version_id)
    cluster = await place.state(cluster_id)
    assert cluster.configuration.template_version_id == version_id
    assert await place.hub.documents.read(cluster.sections["resources"]) == "size: 3\n"


async def test_a_change_to_another_revision_changes_nothing(place: Place) -> None:
    cluster_id = await place.create()
    with pytest.raises(RevisionConflict):
        await place.change(cluster_id, current_revision=2, values={**GOOD, "size": 5})
    await place.change(cluster_id, current_revision=1, values={**GOOD, "size": 5})
    with pytest.raises(RevisionConflict):
        await place.change(cluster_id, current_revision=1, values={**GOOD, "size": 6})


async def test_a_password_is_sealed_kept_by_its_mask_and_changed_by_another(
    place: Place,
) -> None:
    cluster_id = await place.create(values={**GOOD, "password": "swordfish"})
    await place.change(cluster_id, values={**GOOD, "size": 5, "password": MASK})
    assert await password(place, cluster_id) == "swordfish"
    await place.change(cluster_id, values={**GOOD, "size": 5, "password": "sturgeon"})
    assert await password(place, cluster_id) == "sturgeon"
    await place.change(cluster_id, values={**GOOD, "size": 5})
    assert not (await place.state(cluster_id)).configuration.secret_values
    told = "".join(f"{e!r}{e.audited()!r}{e.model_dump_json()}" for e in place.hub.events())
    assert "swordfish" not in told
    assert "sturgeon" not in told


async def test_a_template_sees_the_clusters_own_words(place: Place) -> None:
    version_id = await place.next_version(
        "{{ .dc_sshPublicKey }} {{ .dc_sshPrivateKey }} {{ .dc_clusterUUID }} {{ .password }}"
    )
    cluster_id = await place.create(
        cluster_template_version_id=version_id, values={**GOOD, "password": "swordfish"}
    )
    cluster = await place.state(cluster_id)
    text = await place.hub.documents.read(cluster.sections["resources"])
    assert text == f"public 1 quarterdeck north private 1 {cluster_id} swordfish"


async def test_a_cluster_of_another_workspace_is_not_found(place: Place) -> None:
    cluster_id = await place.create()
    theirs = {"workspace_id": await place.hub.workspace("theirs"), "cluster_id": cluster_id}
    for command in (
        InstallCluster(**theirs),
        DeleteCluster(**theirs),
        ChangeClusterSettings(**theirs, settings=MANUAL),
        ForgetHostKey(**theirs, host="10.0.0.1"),
        ChangeCluster(
            **theirs, name="north", cluster_template_version_id=place.version_id, values=GOOD
        ),
    ):
        with pytest.raises(NotFound):
            await place.hub.do(command)


async def test_a_render_that_fails_the_same_way_again_is_no_second_event(place: Place) -> None:
    cluster_id = await place.create(values={"size": 3})
    events = await place.change(cluster_id, values={"size": 4})
    assert kinds(events) == [ClusterConfigured]
    assert kinds(place.hub.events()).count(ClusterRenderFailed) == 1


async def password(place: Place, cluster_id: UUID) -> str:
    cluster = await place.state(cluster_id)
    return await place.hub.vault.open(cluster_id, cluster.configuration.secret_values["password"])

"""Clusters are declared out of templates, rendered, and asked to become what they say."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from adapters.memory.clock import StandingClock
from adapters.memory.event_store import InMemoryEventStore
from application.claims import claims_of
from application.cluster_templates import (
    ArchiveClusterTemplate,
    ChangeClusterTemplate,
    SectionText,
    WithdrawTemplateVersion,
)
from application.clusters import (
    ApplyChanges,
    ChangeCluster,
    ChangeClusterSettings,
    CheckCluster,
    ClusterCommand,
    CreateCluster,
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
    PinHostKey,
    SucceedTask,
)
from application.workspaces import ChangeWorkspaceSettings
from domain.cluster_settings import ClusterSettings, ClusterSettingsCreated, Settings
from domain.cluster_templates import TemplateIsArchived, VersionIsWithdrawn
from domain.clusters import (
    CannotApply,
    CannotInstall,
    Cluster,
    ClusterArchived,
    ClusterConfigured,
    ClusterCreated,
    ClusterDeletionWanted,
    ClusterHostKeyForgotten,
    ClusterIsArchived,
    ClusterIsBusy,
    ClusterOperationRequested,
    ClusterRenamed,
    ClusterRendered,
    ClusterRenderFailed,
    ClusterStatus,
    RenderError,
)
from domain.model import Event, Invalid, NotFound, RevisionConflict, Taken
from domain.secrets import MASK
from domain.tasks import Task, TaskQueued, TaskStatus
from domain.values import ChangeMode, OperationKind
from domain.workspaces import WorkspaceSettings
from tests.application.in_memory import PARAMS, Hub

Fields = dict[str, Any]
GOOD = {"size": 3, "zone": "a"}
ANY = UUID(int=0)
MANUAL = Settings(change_mode=ChangeMode.MANUAL)


class Place:
    """A hub with a workspace, a template, and a cluster of it."""

    def __init__(self, hub: Hub, workspace_id: UUID, template_id: UUID, version_id: UUID) -> None:
        self.hub = hub
        self.workspace_id = workspace_id
        self.template_id = template_id
        self.version_id = version_id

    async def create(self, name: str = "north", **fields: Any) -> UUID:
        given = {"values": GOOD, "cluster_template_version_id": self.version_id, **fields}
        command = CreateCluster(workspace_id=self.workspace_id, name=name, **given)
        made: UUID = await self.hub.do(command)
        return made

    async def change(self, cluster_id: UUID, name: str = "north", **fields: Any) -> list[Event]:
        """What the change recorded."""
        given = {"values": GOOD, "cluster_template_version_id": self.version_id, **fields}
        before = len(self.hub.store.records)
        await self.hub.do(ChangeCluster(**self.about(cluster_id), name=name, **given))
        return self.hub.events(before)

    def about(self, cluster_id: UUID) -> Fields:
        return {"workspace_id": self.workspace_id, "cluster_id": cluster_id}

    async def install(self, cluster_id: UUID) -> UUID:
        return await self.hub.install(self.workspace_id, cluster_id)

    async def state(self, cluster_id: UUID) -> Cluster:
        return await self.hub.state(Cluster, cluster_id)

    async def next_version(self, source: str) -> UUID:
        await self.hub.do(
            ChangeClusterTemplate(
                workspace_id=self.workspace_id,
                cluster_template_id=self.template_id,
                sections=(SectionText(name="resources", source=source),),
            )
        )
        return await self.hub.version(self.template_id)


class Unheard(InMemoryEventStore):
    """A store in which nobody sees who holds a value before the append: always a race."""

    async def holder(self, key: str) -> UUID | None:
        return None if key.startswith("cluster_value:") else await super().holder(key)


@pytest.fixture
async def place() -> Place:
    return await a_place(Hub())


async def a_place(hub: Hub) -> Place:
    workspace_id = await hub.workspace()
    template_id = await hub.template(workspace_id)
    return Place(hub, workspace_id, template_id, await hub.version(template_id))


def kinds(events: list[Event]) -> list[type[Event]]:
    return [type(event) for event in events]


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


async def test_a_unique_value_belongs_to_one_cluster_of_the_template(place: Place) -> None:
    await place.create(values={**GOOD, "port": 22})
    with pytest.raises(Taken, match="cluster north has the value 22") as refused:
        await place.create("south", values={**GOOD, "port": 22.0})
    assert refused.value.pointer == "/values/port"
    other = await place.create("south", values={**GOOD, "port": 23})
    with pytest.raises(Taken) as refused:
        await place.change(other, "south", values={**GOOD, "port": 22})
    assert refused.value.pointer == "/values/port"
    await place.create("east")
    await place.create("west")


async def test_two_who_want_one_unique_value_at_once_hear_the_same() -> None:
    place = await a_place(Hub(Unheard(StandingClock())))
    north = await place.create(values={**GOOD, "port": 22})
    with pytest.raises(Taken, match=f"port must be unique, and cluster {north}") as refused:
        await place.create("south", values={**GOOD, "port": 22})
    assert refused.value.pointer == "/values/port"


async def test_a_unique_value_that_is_given_up_is_for_anybody(place: Place) -> None:
    first = await place.create(values={**GOOD, "port": 22})
    second = await place.create("south", values={**GOOD, "port": 23})
    await place.change(first, values={**GOOD, "port": 24})
    await place.change(second, "south", values={**GOOD, "port": 22})
    await place.hub.do(DeleteCluster(**place.about(second)))
    await place.change(first, values={**GOOD, "port": 22})
    await place.change(first, values={**GOOD, "port": 22, "size": 4})
    await place.change(first, values=GOOD)
    await place.create("east", values={**GOOD, "port": 22})


async def test_a_value_is_unique_in_its_own_template(place: Place) -> None:
    await place.create(values={**GOOD, "port": 22})
    await place.hub.cluster(place.workspace_id, "south", size=3, zone="a", port=22)


async def test_a_value_is_unique_from_the_version_on_that_says_so(place: Place) -> None:
    await place.create(values={**GOOD, "port": 22})
    shared = tuple({**entry, "unique": False} for entry in PARAMS)
    await place.hub.do(
        ChangeClusterTemplate(
            workspace_id=place.workspace_id,
            cluster_template_id=place.template_id,
            params=shared,
        )
    )
    newest = await place.hub.version(place.template_id)
    fields = {"values": {**GOOD, "port": 22}, "cluster_template_version_id": newest}
    second = await place.create("south", **fields)
    with pytest.raises(Taken):
        await place.change(second, "south", values=fields["values"])
    assert claims_of(place.hub.store.records) == place.hub.store.claims


async def test_a_unique_value_of_any_length_is_held(place: Place) -> None:
    long = "x" * 20_000
    params = ({"key": "zone", "title": "Zone", "type": "string", "unique": True},)
    await place.hub.do(
        ChangeClusterTemplate(
            workspace_id=place.workspace_id, cluster_template_id=place.template_id, params=params
        )
    )
    version = {"cluster_template_version_id": await place.hub.version(place.template_id)}
    await place.create(values={"zone": long}, **version)
    with pytest.raises(Taken) as refused:
        await place.create("south", values={"zone": long}, **version)
    assert len(refused.value.detail) < 200
    assert max(map(len, place.hub.store.claims)) < 500

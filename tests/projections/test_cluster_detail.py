"""What is shown of one cluster."""

from uuid import uuid4

from domain.cluster_settings import ClusterSettings, ClusterSettingsCreated, Settings
from domain.clusters import (
    ClusterApplied,
    ClusterChecked,
    ClusterConfigured,
    ClusterCreated,
    ClusterHostKeyForgotten,
    ClusterHostKeyPinned,
    ClusterOperationFailed,
    ClusterOperationRequested,
    ClusterRendered,
    ClusterRenderFailed,
    ClusterStatus,
    Configuration,
    RenderError,
)
from domain.secrets import Secret
from domain.values import ChangeMode, ConnectionHost, DocumentRef, OperationKind
from projections.cluster_detail import cluster, installed_clusters
from projections.cluster_list import ClusterFilter, clusters_where
from projections.reader import Shown
from tests.projections.scenario import Scenario

ACME, CLUSTER, TASK = uuid4(), uuid4(), uuid4()
TEMPLATE, VERSION = uuid4(), uuid4()
BEFORE = Configuration(
    template_id=TEMPLATE,
    template_version_id=VERSION,
    values={"nodes": 3},
    secret_values={"password": Secret(token="sealed-by-the-vault")},
)
DOCUMENT = DocumentRef(digest="cd" * 32, size=11, subject_id=CLUSTER)
CREATED = ClusterCreated(
    workspace_id=ACME,
    name="east",
    configuration=BEFORE,
    ssh_public_key="ssh-ed25519 AAAA",
    ssh_private_key=Secret(token="sealed-by-the-vault"),
)

APPLIED = ClusterApplied(
    task_id=TASK,
    kind=OperationKind.INSTALL,
    rendering=1,
    sections={},
    previous_status=ClusterStatus.CREATING,
    status=ClusterStatus.IN_SYNC,
)

FIELDS_OF_COMMANDER = """
    id current_revision name values cluster_template_version_id
    cluster_template_version_switched_at registry_id registry_mode created_at updated_at
    archived_at archive_number was_created is_locked cluster_type status agent_status agent_api_key
    cluster_configuration_applied_at cluster_configuration_checked_at
    cluster_configuration_updated_at resources_sync_state resources_state_results
    resources_checked_at resources_applied_at render_errors connection_hosts cluster_agent_data
"""


async def only(scene: Scenario) -> Shown:
    row = await scene.shows(cluster, ACME, CLUSTER)
    assert row is not None
    return row


async def test_a_cluster_has_every_field_that_commander_gives_it(scene: Scenario) -> None:
    await scene.given(CLUSTER, CREATED)
    row = await only(scene)
    assert set(FIELDS_OF_COMMANDER.split()) <= row.keys()
    assert (row["current_revision"], row["status"], row["was_created"]) == (1, "new", False)
    assert row["cluster_configuration_updated_at"] == row["created_at"]
    assert row["archive_number"] is None


async def test_secrets_are_named_and_never_shown(scene: Scenario) -> None:
    await scene.given(CLUSTER, CREATED)
    row = await only(scene)
    assert (row["values"], row["secret_keys"]) == ({"nodes": 3}, ["password"])
    assert "sealed-by-the-vault" not in repr(row)


async def test_a_new_version_is_a_switch_and_new_values_are_not(scene: Scenario) -> None:
    changed = BEFORE.model_copy(update={"values": {"nodes": 5}})
    moved = changed.model_copy(update={"template_version_id": uuid4()})
    await scene.given(CLUSTER, CREATED)
    await scene.given(CLUSTER, ClusterConfigured(configuration=changed, previous=BEFORE))
    row = await only(scene)
    assert row["values"] == {"nodes": 5}
    assert row["cluster_template_version_switched_at"] == row["created_at"]
    await scene.given(CLUSTER, ClusterConfigured(configuration=moved, previous=changed))
    row = await only(scene)
    assert row["cluster_template_version_switched_at"] > row["created_at"]


async def test_what_is_desired_and_what_is_applied_are_told_apart(scene: Scenario) -> None:
    later = DOCUMENT.model_copy(update={"digest": "ef" * 32})
    await scene.given(
        CLUSTER,
        CREATED,
        ClusterRendered(rendering=1, sections={"SSH": DOCUMENT}, engine="gotpl 1"),
        ClusterApplied(
            task_id=TASK,
            kind=OperationKind.INSTALL,
            rendering=1,
            sections={"SSH": DOCUMENT},
            previous_status=ClusterStatus.CREATING,
            status=ClusterStatus.IN_SYNC,
        ),
        ClusterRendered(rendering=2, sections={"SSH": later}, engine="gotpl 1"),
    )
    row = await only(scene)
    assert row["applied_sections"] == {"SSH": DOCUMENT.model_dump(mode="json")}
    assert row["sections"] == {"SSH": later.model_dump(mode="json")}
    assert (row["rendering"], row["applied_rendering"]) == (2, 1)
    assert row["cluster_configuration_applied_at"] is not None


async def test_the_hosts_are_those_of_the_newest_rendering(scene: Scenario) -> None:
    masters = (ConnectionHost(host="10.0.0.1", user="ubuntu"),)
    rendered = ClusterRendered(rendering=1, sections={}, engine="gotpl 1", masters=masters)
    await scene.given(CLUSTER, CREATED)
    assert (await only(scene))["connection_hosts"] == {"masters": []}
    await scene.given(CLUSTER, rendered)
    told = {"masters": [{"host": "10.0.0.1", "user": "ubuntu", "port": 22}]}
    assert (await only(scene))["connection_hosts"] == told
    listed = await scene.shows(clusters_where, ClusterFilter(workspace_id=ACME))
    assert listed.rows[0]["connection_hosts"] == told


async def test_errors_of_rendering_stand_until_it_renders(scene: Scenario) -> None:
    error = RenderError(section="SSH", detail="no such key", line=3, column=7)
    await scene.given(CLUSTER, CREATED, ClusterRenderFailed(errors=(error,), engine="gotpl 1"))
    assert (await only(scene))["render_errors"] == [error.model_dump(mode="json")]
    await scene.given(CLUSTER, ClusterRendered(rendering=1, sections={}, engine="gotpl 1"))
    assert (await only(scene))["render_errors"] == []


async def test_a_failure_stands_until_something_ends_well(scene: Scenario) -> None:
    failed = ClusterOperationFailed(
        task_id=TASK,
        kind=OperationKind.CHECK,
        reason="The host does not answer.",
        previous_status=ClusterStatus.IN_SYNC,
        status=ClusterStatus.UNKNOWN,
    )
    await scene.given(CLUSTER, CREATED, failed)
    assert (await only(scene))["failure"] == "The host does not answer."
    checked = ClusterChecked(
        task_id=TASK,
        in_sync=False,
        detail="packages differ",
        previous_status=ClusterStatus.UNKNOWN,
        status=ClusterStatus.PENDING_CHANGES,
    )
    await scene.given(CLUSTER, checked)
    row = await only(scene)
    assert (row["failure"], row["is_as_declared"]) == (None, False)
    assert (row["check_detail"], row["has_drifted"]) == ("packages differ", True)


async def test_host_keys_are_those_that_are_pinned(scene: Scenario) -> None:
    keys = [
        ClusterHostKeyPinned(host=host, port=22, key="k", fingerprint=f"SHA256:{host}")
        for host in ("10.0.0.1", "10.0.0.2")
    ]
    forgotten = ClusterHostKeyForgotten(host="10.0.0.1", port=22, fingerprint="SHA256:10.0.0.1")
    await scene.given(CLUSTER, CREATED, *keys, forgotten)
    assert (await only(scene))["host_keys"] == [
        {"host": "10.0.0.2", "port": 22, "fingerprint": "SHA256:10.0.0.2"}
    ]


async def test_settings_of_its_own_are_shown_with_it(scene: Scenario) -> None:
    settings_id = ClusterSettings.id_of(CLUSTER)
    settings = Settings(change_mode=ChangeMode.MANUAL, check_interval=7)
    await scene.given(CLUSTER, CREATED)
    assert (await only(scene))["settings"] is None
    await scene.given(settings_id, ClusterSettingsCreated(cluster_id=CLUSTER, settings=settings))
    assert (await only(scene))["settings"] == {
        "id": str(settings_id),
        "change_mode": "manual",
        "check_interval": 7,
    }


async def test_a_cluster_is_locked_while_a_task_is_at_work_on_it(scene: Scenario) -> None:
    await scene.given(CLUSTER, CREATED)
    assert (await only(scene))["is_locked"] is False
    asked = ClusterOperationRequested(
        task_id=TASK,
        kind=OperationKind.INSTALL,
        previous_status=ClusterStatus.NEW,
        status=ClusterStatus.CREATING,
    )
    await scene.given(CLUSTER, asked)
    assert (await only(scene))["is_locked"] is True
    await scene.given(CLUSTER, APPLIED)
    assert (await only(scene))["is_locked"] is False


async def test_the_clusters_to_look_at_are_those_that_are_installed_and_rest(
    scene: Scenario,
) -> None:
    settings = ClusterSettingsCreated(cluster_id=CLUSTER, settings=Settings(check_interval=7))
    await scene.given(ClusterSettings.id_of(CLUSTER), settings)
    await scene.given(CLUSTER, CREATED)
    assert await scene.shows(installed_clusters) == []
    await scene.given(CLUSTER, APPLIED)
    (row,) = await scene.shows(installed_clusters)
    assert (row["id"], row["check_interval"]) == (str(CLUSTER), 7)
    applied_at = (await only(scene))["cluster_configuration_applied_at"]
    assert row["seen_at"] == applied_at
    await scene.given(
        CLUSTER,
        ClusterChecked(
            task_id=TASK,
            in_sync=False,
            previous_status=ClusterStatus.IN_SYNC,
            status=ClusterStatus.PENDING_CHANGES,
        ),
    )
    (row,) = await scene.shows(installed_clusters)
    assert row["seen_at"] == (await only(scene))["cluster_configuration_checked_at"] > applied_at
    await scene.given(
        CLUSTER,
        ClusterOperationRequested(
            task_id=TASK,
            kind=OperationKind.CHANGE,
            previous_status=ClusterStatus.PENDING_CHANGES,
            status=ClusterStatus.CHANGING,
        ),
    )
    assert await scene.shows(installed_clusters) == []


async def test_a_cluster_is_found_in_its_workspace_only(scene: Scenario) -> None:
    await scene.given(CLUSTER, CREATED)
    row = await scene.shows(cluster, ACME, CLUSTER)
    assert row is not None
    assert row["name"] == "east"
    assert await cluster(scene.reader, uuid4(), CLUSTER) is None

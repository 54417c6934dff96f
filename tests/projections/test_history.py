"""What is shown of everything that happened."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from domain.auth_tokens import AuthTokenCreated
from domain.clusters import ClusterCreated, ClusterRendered, ClusterRenderFailed, Configuration
from domain.model import Actor
from domain.secrets import Secret
from domain.tasks import TaskFailed, TaskQueued
from domain.values import OperationKind
from domain.workspaces import WorkspaceCreated, WorkspaceRenamed
from projections.history import HistoryFilter, history_row, history_where, who_acted
from projections.reader import Shown
from projections.subjects import subjects_called
from tests.projections.scenario import Scenario

ACME, CLUSTER, TASK = uuid4(), uuid4(), uuid4()
WORKSPACE = WorkspaceCreated(name="Acme", slug="acme")
CREATED = ClusterCreated(
    workspace_id=ACME,
    name="east",
    configuration=Configuration(template_id=uuid4(), template_version_id=uuid4()),
    ssh_public_key="ssh-ed25519 AAAA",
    ssh_private_key=Secret(token="sealed"),
)
QUEUED = TaskQueued(
    workspace_id=ACME,
    cluster_id=CLUSTER,
    cluster_name="east",
    kind=OperationKind.INSTALL,
    rendering=1,
)


async def rows(scene: Scenario, **where: Any) -> list[Shown]:
    return (await scene.shows(history_where, HistoryFilter(**where), oldest_first=True)).rows


async def test_an_act_is_shown_with_its_envelope(scene: Scenario) -> None:
    token = Actor(type="AuthToken", id=uuid4(), name="terraform-ci")
    envelope = {
        "workspace_id": ACME,
        "workspace": "acme",
        "actor": token.known,
        "remote_address": "10.1.2.3",
        "request_id": "r-1",
        "pid": 7,
        "correlation_id": uuid4(),
        "causation_id": uuid4(),
        "command_id": "key-1",
    }
    await scene.given(ACME, WORKSPACE, envelope=envelope)
    (row,) = await rows(scene)
    assert {key: row[key] for key in row if key != "time"} == {
        "position": 1,
        "topic": "workspace.created",
        "stream_id": str(ACME),
        "version": 1,
        "user_type": "AuthToken",
        "user_id": str(token.id),
        "user_name": "terraform-ci",
        "remote_address": "10.1.2.3",
        "request_id": "r-1",
        "pid": 7,
        "workspace_id": str(ACME),
        "workspace_slug": "acme",
        "correlation_id": str(envelope["correlation_id"]),
        "causation_id": str(envelope["causation_id"]),
        "command_id": "key-1",
        "auditable_type": "Workspace",
        "auditable_id": str(ACME),
        "action": "create",
        "audited_changes": {
            "name": "Acme",
            "slug": "acme",
            "change_mode": "auto",
            "check_interval": 5,
        },
        "kind": "Workspace",
        "name": "Acme",
        "belongs_to": None,
        "is_failure": False,
    }
    assert row["time"].endswith("Z")
    assert await history_row(scene.reader, 1) == row
    assert await history_row(scene.reader, 2) is None


async def test_times_in_changes_are_rfc_3339(scene: Scenario) -> None:
    expires = datetime(2027, 1, 2, 3, 4, 5, tzinfo=UTC)
    token = AuthTokenCreated(name="ci", word_hash="00", hint="qd_", expires_at=expires)
    await scene.given(uuid4(), token)
    (row,) = await rows(scene)
    assert row["audited_changes"]["expires_at"] == "2027-01-02T03:04:05.000000Z"


async def test_what_the_audit_leaves_out_is_still_history(scene: Scenario) -> None:
    rendered = ClusterRendered(rendering=1, sections={}, engine="gotpl 1")
    await scene.given(CLUSTER, CREATED, rendered)
    found = await rows(scene)
    assert [row["action"] for row in found] == ["create", None]
    assert found[1]["auditable_id"] is None
    assert [row["position"] for row in await rows(scene, only_audited=True)] == [1]


async def test_the_history_of_a_cluster_has_its_tasks(scene: Scenario) -> None:
    await scene.given(ACME, WORKSPACE)
    await scene.given(CLUSTER, CREATED)
    await scene.given(TASK, QUEUED, TaskFailed(reason="no"))
    found = await rows(scene, subject_id=CLUSTER)
    assert [row["topic"] for row in found] == ["cluster.created", "task.queued", "task.failed"]
    assert {row["belongs_to"] for row in found} == {None, str(CLUSTER)}
    failures = await rows(scene, subject_id=CLUSTER, only_failures=True)
    assert [row["topic"] for row in failures] == ["task.failed"]


async def test_a_thing_is_called_by_its_newest_name(scene: Scenario) -> None:
    await scene.given(ACME, WORKSPACE, WorkspaceRenamed(name="Apex", previous_name="Acme"))
    assert {row["name"] for row in await rows(scene)} == {"Apex"}
    (found,) = await subjects_called(scene.reader, "ape")
    assert (found["id"], found["kind"]) == (str(ACME), "Workspace")


async def test_each_filter_lets_pass_what_it_names(scene: Scenario) -> None:
    someone = {"actor": {"type": "AuthToken", "name": "ci"}, "workspace_id": ACME}
    await scene.given(uuid4(), WORKSPACE)
    await scene.given(uuid4(), WORKSPACE, envelope=someone)
    await scene.given(CLUSTER, CREATED)
    expected = {
        "user_name": ("ci", [2]),
        "user_type": ("AuthToken", [2]),
        "workspace_id": (ACME, [2]),
        "auditable_types": (["Cluster"], [3]),
        "actions": (["update"], []),
        "topics": (["cluster.created"], [3]),
    }
    for name, (value, positions) in expected.items():
        assert [row["position"] for row in await rows(scene, **{name: value})] == positions, name


async def test_history_is_cut_by_time(scene: Scenario) -> None:
    for _ in range(3):
        await scene.given(uuid4(), WORKSPACE)
    times = [datetime.fromisoformat(row["time"]) for row in await rows(scene)]
    assert [row["position"] for row in await rows(scene, since=times[1])] == [2, 3]
    assert [row["position"] for row in await rows(scene, until=times[1])] == [1]
    assert await rows(scene, since=times[2] + timedelta(seconds=1)) == []
    assert len(await rows(scene, until=times[2] + timedelta(seconds=1))) == 3


async def test_history_comes_page_by_page_newest_first(scene: Scenario) -> None:
    for _ in range(5):
        await scene.given(uuid4(), WORKSPACE)
    first = await scene.shows(history_where, HistoryFilter(), limit=3)
    rest = await history_where(scene.reader, HistoryFilter(), limit=3, cursor=first.next_cursor)
    positions = [row["position"] for row in [*first.rows, *rest.rows]]
    assert positions == [5, 4, 3, 2, 1]
    assert rest.next_cursor is None
    back = await history_where(scene.reader, HistoryFilter(), limit=3, cursor=rest.previous_cursor)
    assert back == first


async def test_who_acted_is_told_with_how_often(scene: Scenario) -> None:
    await scene.given(uuid4(), WORKSPACE)
    await scene.given(uuid4(), WORKSPACE, envelope={})
    await scene.given(uuid4(), WORKSPACE)
    found = await scene.shows(who_acted)
    assert [(row["user_name"], row["acts"]) for row in found] == [("Mira Okafor", 2), (None, 1)]


async def test_a_failed_render_is_a_failure(scene: Scenario) -> None:
    await scene.given(CLUSTER, CREATED, ClusterRenderFailed(errors=(), engine="gotpl 1"))
    assert [row["is_failure"] for row in await rows(scene)] == [False, True]

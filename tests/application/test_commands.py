"""The bus: the only place that authorises, repeats, remembers and appends."""

import asyncio
from uuid import UUID, uuid4

import pytest

from adapters.memory.clock import StandingClock
from adapters.memory.event_store import InMemoryEventStore
from application.auth_tokens import CreateAuthToken, NewAuthToken
from application.cluster_templates import ChangeClusterTemplate
from application.clusters import ChangeCluster, InstallCluster
from application.commands import ChangedMeanwhile, KeyReused
from application.permissions import QUARTERDECK, Forbidden, Principal, Role
from application.ports import Append, Appended, StreamAppend, Unavailable
from application.workspaces import CreateWorkspace, RenameWorkspace
from domain.cluster_templates import ClusterTemplate
from domain.clusters import Cluster, ClusterIsBusy
from domain.model import SYSTEM, Actor, NotFound, Refusal, Taken
from domain.workspaces import Workspace, WorkspaceRenamed
from tests.application.in_memory import ADA, Hub


class WithRivals(InMemoryEventStore):
    """A store in which somebody else renames the workspace first, as often as it is told."""

    rivals = 0

    async def append(self, append: Append) -> Appended:
        if self.rivals:
            self.rivals -= 1
            stream_id = append.streams[0].stream_id
            version = len(await self.load(stream_id))
            other = WorkspaceRenamed(name=f"rival {version}", previous_name="Team")
            first = StreamAppend(stream_id, version, [other])
            await super().append(Append([first], {}))
        return await super().append(append)


class Away(InMemoryEventStore):
    """A store that cannot be reached when it is told so."""

    is_away = False

    async def append(self, append: Append) -> Appended:
        if self.is_away:
            raise Unavailable("The database cannot be reached.")
        return await super().append(append)


@pytest.fixture
def hub() -> Hub:
    return Hub()


async def test_a_command_is_carried_out_and_its_position_told(hub: Hub) -> None:
    outcome = await hub.execute(CreateWorkspace(name="Team A"))
    assert isinstance(outcome.result, UUID)
    assert (outcome.position, outcome.is_repeated) == (1, False)
    assert outcome.recorded_at == hub.store.records[0].recorded_at
    assert (await hub.state(Workspace, outcome.result)).slug == "team-a"


async def test_a_command_that_finds_it_so_already_writes_nothing(hub: Hub) -> None:
    workspace_id = await hub.workspace()
    outcome = await hub.execute(RenameWorkspace(workspace_id=workspace_id, name="Team"))
    assert (outcome.position, outcome.recorded_at) == (0, None)
    assert len(hub.store.records) == 1


async def test_the_envelope_tells_who_from_where_and_why(hub: Hub) -> None:
    cause = uuid4()
    await hub.execute(
        CreateWorkspace(name="Team A"),
        remote_address="10.0.0.9",
        request_id="r1",
        pid=12,
        correlation_id=cause,
        causation_id=cause,
        command_id="c1",
        traceparent="00-1-2-01",
    )
    metadata = hub.store.records[0].metadata
    assert (metadata.actor, metadata.remote_address) == (ADA.actor, "10.0.0.9")
    assert (metadata.request_id, metadata.pid, metadata.command_id) == ("r1", 12, "c1")
    assert (metadata.correlation_id, metadata.causation_id) == (cause, cause)
    assert (metadata.workspace, metadata.workspace_id) == ("team-a", hub.store.records[0].stream_id)
    assert metadata.traceparent == "00-1-2-01"


async def test_all_that_a_command_decides_has_one_envelope_and_one_time(hub: Hub) -> None:
    workspace_id = await hub.workspace()
    before = len(hub.store.records)
    await hub.cluster(workspace_id)
    records = hub.store.records[before + 2 :]
    assert len(records) == 3
    assert len({(r.metadata_json, r.recorded_at) for r in records}) == 1


@pytest.mark.parametrize("conflicts", [1, 2, 3])
async def test_a_conflict_is_tried_again_on_the_newest_state(conflicts: int) -> None:
    store = WithRivals(StandingClock())
    hub = Hub(store)
    workspace_id = await hub.workspace()
    store.rivals = conflicts
    await hub.execute(RenameWorkspace(workspace_id=workspace_id, name="Ours"))
    renamed = hub.events()[-1]
    assert renamed == WorkspaceRenamed(name="Ours", previous_name=f"rival {conflicts}")


async def test_after_four_conflicts_nothing_was_done_and_it_says_so() -> None:
    store = WithRivals(StandingClock())
    hub = Hub(store)
    workspace_id = await hub.workspace()
    store.rivals = 4
    with pytest.raises(ChangedMeanwhile):
        await hub.execute(RenameWorkspace(workspace_id=workspace_id, name="Ours"))
    assert (await hub.state(Workspace, workspace_id)).name == "rival 4"
    assert store.rivals == 0
    await hub.execute(RenameWorkspace(workspace_id=workspace_id, name="Ours"))


async def test_a_stale_state_costs_a_conflict_and_never_a_wrong_write() -> None:
    """Two processes share a log; each believes what it last saw."""
    one = Hub()
    other = Hub(one.store)
    workspace_id = await one.workspace()
    await other.execute(RenameWorkspace(workspace_id=workspace_id, name="First"))
    await one.execute(RenameWorkspace(workspace_id=workspace_id, name="Second"))
    await other.execute(RenameWorkspace(workspace_id=workspace_id, name="Third"))
    names = [e.previous_name for e in one.events() if isinstance(e, WorkspaceRenamed)]
    assert names == ["Team", "First", "Second"]


async def test_many_at_once_on_one_stream_each_take_effect_once_or_say_no(hub: Hub) -> None:
    workspace_id = await hub.workspace()
    results = await asyncio.gather(
        *(
            hub.execute(RenameWorkspace(workspace_id=workspace_id, name=f"Name {n}"))
            for n in range(10)
        ),
        return_exceptions=True,
    )
    refused = [r for r in results if isinstance(r, BaseException)]
    assert all(isinstance(r, ChangedMeanwhile) for r in refused)
    renamed = [e for e in hub.events() if isinstance(e, WorkspaceRenamed)]
    assert len(renamed) == 10 - len(refused) > 0
    assert [e.previous_name for e in renamed] == ["Team", *(e.name for e in renamed[:-1])]


async def test_a_store_that_is_away_leaves_nothing_believed() -> None:
    store = Away(StandingClock())
    hub = Hub(store)
    workspace_id = await hub.workspace()
    store.is_away = True
    with pytest.raises(Unavailable):
        await hub.execute(RenameWorkspace(workspace_id=workspace_id, name="Lost"))
    store.is_away = False
    await hub.execute(RenameWorkspace(workspace_id=workspace_id, name="Found"))
    assert hub.events()[-1] == WorkspaceRenamed(name="Found", previous_name="Team")


async def test_a_repeated_command_gives_the_same_result_and_does_nothing(hub: Hub) -> None:
    command = CreateWorkspace(name="Team A")
    first = await hub.execute(command, command_id="c1")
    again = await hub.execute(command, command_id="c1")
    assert again.is_repeated
    assert (again.result, again.position) == (first.result, first.position)
    assert type(again.result) is UUID
    assert len(hub.store.records) == 1


async def test_a_repeated_command_that_would_now_be_refused_gives_its_first_result(
    hub: Hub,
) -> None:
    workspace_id = await hub.workspace()
    cluster_id = await hub.cluster(workspace_id)
    command = InstallCluster(workspace_id=workspace_id, cluster_id=cluster_id)
    first = await hub.execute(command, command_id="c1")
    again = await hub.execute(command, command_id="c1")
    assert (again.result, again.is_repeated) == (first.result, True)
    with pytest.raises(ClusterIsBusy):
        await hub.execute(command, command_id="c2")


async def test_a_command_that_changed_nothing_is_remembered_too(hub: Hub) -> None:
    workspace_id = await hub.workspace()
    command = RenameWorkspace(workspace_id=workspace_id, name="Team")
    await hub.execute(command, command_id="c1")
    await hub.execute(RenameWorkspace(workspace_id=workspace_id, name="Other"))
    again = await hub.execute(command, command_id="c1")
    assert again.is_repeated
    assert (await hub.state(Workspace, workspace_id)).name == "Other"


async def test_a_command_id_belongs_to_one_request(hub: Hub) -> None:
    await hub.execute(CreateWorkspace(name="Team A"), command_id="c1")
    with pytest.raises(KeyReused):
        await hub.execute(CreateWorkspace(name="Team B"), command_id="c1")
    with pytest.raises(KeyReused):
        await hub.execute(RenameWorkspace(workspace_id=uuid4(), name="Team A"), command_id="c1")
    assert len(hub.store.records) == 1


async def test_a_refused_command_is_not_remembered(hub: Hub) -> None:
    await hub.workspace("team-a")
    command = CreateWorkspace(name="Other", slug="team-a")
    with pytest.raises(Taken):
        await hub.execute(command, command_id="c1")
    with pytest.raises(Taken):
        await hub.execute(command, command_id="c1")


async def test_the_same_command_many_times_at_once_takes_effect_once(hub: Hub) -> None:
    command = CreateWorkspace(name="Team A")
    outcomes = await asyncio.gather(*(hub.execute(command, command_id="c1") for _ in range(10)))
    assert len({outcome.result for outcome in outcomes}) == 1
    assert [o.is_repeated for o in outcomes].count(False) == 1
    assert len(hub.store.records) == 1


async def test_a_word_that_is_shown_once_is_not_remembered(hub: Hub) -> None:
    command = CreateAuthToken(name="terraform")
    first = await hub.execute(command, command_id="c1")
    assert isinstance(first.result, NewAuthToken)
    assert first.result.token is not None
    again = await hub.execute(command, command_id="c1")
    assert again.result == NewAuthToken(id=first.result.id, token=None)
    outcome = await hub.store.outcome("c1")
    assert outcome is not None
    assert first.result.token.encode() not in outcome.result
    assert len(hub.store.records) == 1


async def test_the_same_command_id_makes_the_same_ids(hub: Hub) -> None:
    """So that a command whose answer was lost makes no second cluster."""
    first = await Hub().execute(CreateWorkspace(name="A"), command_id="c1")
    other = await Hub().execute(CreateWorkspace(name="A"), command_id="c1")
    third = await Hub().execute(CreateWorkspace(name="A"), command_id="c2")
    assert first.result == other.result != third.result


async def test_nothing_to_do_is_said_of_what_is_so_now() -> None:
    """Another process has changed it since this one last looked."""
    store = InMemoryEventStore(StandingClock())
    here, there = Hub(store), Hub(store)
    workspace_id = await here.workspace("team-a")
    old = (await here.state(Workspace, workspace_id)).name
    await here.execute(RenameWorkspace(workspace_id=workspace_id, name=old))
    await there.execute(RenameWorkspace(workspace_id=workspace_id, name="New"))
    outcome = await here.execute(RenameWorkspace(workspace_id=workspace_id, name=old))
    assert outcome.position == 3
    assert (await here.state(Workspace, workspace_id)).name == old


async def test_a_refusal_is_said_of_what_is_so_now() -> None:
    store = InMemoryEventStore(StandingClock())
    here, there = Hub(store), Hub(store)
    workspace_id = await here.workspace("team-a")
    template_id = await here.template(workspace_id, "one")
    read = await here.state(ClusterTemplate, template_id)
    about = {"workspace_id": workspace_id, "cluster_template_id": template_id}
    await there.do(ChangeClusterTemplate(**about, name="two"))
    changed = await there.state(ClusterTemplate, template_id)
    assert changed.revision > read.revision
    revision = changed.revision
    await here.do(ChangeClusterTemplate(**about, name="three", current_revision=revision))
    assert (await here.state(ClusterTemplate, template_id)).name == "three"


async def test_a_taken_name_is_refused_with_its_holder_and_field(hub: Hub) -> None:
    workspace_id = await hub.workspace("team-a")
    with pytest.raises(Taken, match=str(workspace_id)) as taken:
        await hub.workspace("team-a")
    assert taken.value.pointer == "/slug"
    template_id = await hub.template(workspace_id, "one: two")
    with pytest.raises(Taken) as taken:
        await hub.template(workspace_id, "One: Two")
    assert taken.value.detail == (
        f"The name one: two is taken: cluster template {template_id} has it."
    )
    assert taken.value.pointer == "/name"


READER = Principal(Actor(type="AuthToken", name="reader"), Role.WORKSPACE_READER, uuid4())


async def test_without_the_permission_nothing_is_looked_at(hub: Hub) -> None:
    reader = Principal(READER.actor, Role.WORKSPACE_READER, await hub.workspace())
    with pytest.raises(Forbidden, match="lacks clusters:write"):
        await hub.do(InstallCluster(workspace_id=reader.workspace_id, cluster_id=uuid4()), reader)
    with pytest.raises(Forbidden, match="lacks workspaces:write"):
        await hub.do(CreateWorkspace(name="Team"), reader)


async def test_a_token_of_a_workspace_is_of_no_use_in_another(hub: Hub) -> None:
    ours, theirs = await hub.workspace("ours"), await hub.workspace("theirs")
    cluster_id = await hub.cluster(theirs)
    token = Principal(READER.actor, Role.WORKSPACE_TOKEN, ours)
    with pytest.raises(Forbidden, match="another workspace"):
        await hub.do(InstallCluster(workspace_id=theirs, cluster_id=cluster_id), token)
    with pytest.raises(NotFound):
        await hub.do(InstallCluster(workspace_id=ours, cluster_id=cluster_id), token)


async def test_a_repeated_command_is_authorised_again(hub: Hub) -> None:
    command = CreateWorkspace(name="Team A")
    await hub.execute(command, command_id="c1")
    with pytest.raises(Forbidden):
        await hub.execute(command, READER, command_id="c1")


async def test_quarterdeck_itself_is_no_user(hub: Hub) -> None:
    await hub.do(CreateWorkspace(name="Team"), QUARTERDECK)
    assert hub.store.records[0].metadata.actor == SYSTEM


@pytest.mark.parametrize("kind", ["workspace", "template", "task", "nobody"])
async def test_an_id_of_another_kind_is_not_found(hub: Hub, kind: str) -> None:
    workspace_id = await hub.workspace()
    cluster_id = await hub.cluster(workspace_id)
    ids = {
        "workspace": workspace_id,
        "template": await hub.template(workspace_id),
        "task": await hub.do(InstallCluster(workspace_id=workspace_id, cluster_id=cluster_id)),
        "nobody": uuid4(),
    }
    for warm in (True, False):
        if not warm:
            hub.cache.drop(ids[kind])
        with pytest.raises(NotFound, match=f"no cluster {ids[kind]}"):
            await hub.do(InstallCluster(workspace_id=workspace_id, cluster_id=ids[kind]))


async def test_a_refusal_after_a_decision_leaves_no_trace(hub: Hub) -> None:
    """The new name is free, the version is not there: the name stays free."""
    workspace_id = await hub.workspace()
    cluster_id = await hub.cluster(workspace_id)
    cluster = await hub.state(Cluster, cluster_id)
    claims, records = dict(hub.store.claims), len(hub.store.records)
    with pytest.raises(Refusal):
        await hub.do(
            ChangeCluster(
                workspace_id=workspace_id,
                cluster_id=cluster_id,
                name="renamed",
                cluster_template_version_id=uuid4(),
                values={},
            )
        )
    template_id = cluster.configuration.template_id
    with pytest.raises(Refusal):
        await hub.do(
            ChangeClusterTemplate(
                workspace_id=workspace_id,
                cluster_template_id=template_id,
                name="renamed",
                params=({"key": "bad key"},),
            )
        )
    assert (dict(hub.store.claims), len(hub.store.records)) == (claims, records)
    assert await hub.state(Cluster, cluster_id) == cluster

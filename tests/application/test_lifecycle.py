"""Whatever is done to clusters and tasks, in whatever order, the log stays true to itself."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar
from uuid import UUID

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

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
from application.commands import ChangedMeanwhile, Command
from application.tasks import (
    BeginPhaseAnew,
    CancelTask,
    ClaimTask,
    EndCancelledTask,
    EndPhase,
    FailTask,
    LoseTask,
    ManagerCommand,
    PinHostKey,
    StartPhase,
    SucceedTask,
)
from domain.cluster_settings import ClusterSettings, ClusterSettingsCreated, Settings
from domain.cluster_templates import ClusterTemplate, ClusterTemplateCreated
from domain.clusters import Cluster, ClusterCreated, ClusterStatus
from domain.model import Aggregate, Refusal
from domain.secrets import MASK, Secret
from domain.tasks import Task, TaskQueued, TaskStatus
from domain.users import User
from domain.values import ChangeMode
from domain.workspaces import Workspace, WorkspaceCreated
from tests.application.in_memory import PARAMS, SOURCE, Hub

T = TypeVar("T")
DELETED = ClusterStatus.DELETED
RUNNING = TaskStatus.RUNNING
KINDS: dict[type, type[Aggregate]] = {
    ClusterCreated: Cluster,
    ClusterSettingsCreated: ClusterSettings,
    ClusterTemplateCreated: ClusterTemplate,
    TaskQueued: Task,
    WorkspaceCreated: Workspace,
}
UNDER_WAY = {
    ClusterStatus.CREATING,
    ClusterStatus.CHANGING,
    ClusterStatus.DELETE,
    ClusterStatus.DELETING,
}
PHASES = ("prepare", "boot")
names = st.sampled_from(["north", "south"])
which = st.integers(0, 5)
revisions = st.sampled_from([None, None, None, 1, 2])
rarely = st.sampled_from([False, False, False, True])
registries = st.sampled_from([None, None, None, UUID(int=7)])
SHARED = tuple({**entry, "unique": False} for entry in PARAMS)
ENDS = [FailTask, LoseTask, EndCancelledTask]
values = st.fixed_dictionaries(
    {"size": st.integers(1, 3)},
    optional={
        "zone": st.sampled_from(["a", "b"]),
        "port": st.sampled_from([22, 22.0, 23]),
        "password": st.sampled_from(["swordfish", "sturgeon", "swordfish", MASK]),
    },
)


class Lifecycle(RuleBasedStateMachine):
    """People and managers do what they like; after each act everything is looked at."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.hub = Hub()
        self.seen = 0
        self.clusters: list[UUID] = []
        self.tasks: list[UUID] = []
        self.templates: list[UUID] = []
        self.stepwise: dict[UUID, Any] = {}

    def teardown(self) -> None:
        self.loop.close()

    def wait(self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(work)

    def do(self, command: Command) -> None:
        """A refused command changes nothing; nothing else may go wrong."""
        store = self.hub.store
        before = (len(store.records), dict(store.claims), dict(store.documents))
        if self.wait(self.is_refused(command)):
            assert before == (len(store.records), store.claims, store.documents)

    async def is_refused(self, command: Command) -> bool:
        try:
            await self.hub.execute(command)
        except ChangedMeanwhile:
            raise
        except Refusal:
            return True
        return False

    def cluster(self, n: int) -> UUID:
        """One that is not archived if there is one, mostly."""
        among = self.living if self.living and n else self.clusters
        return among[-1 - n % min(len(among), 2)]

    def task(self, n: int) -> UUID:
        """One that is not over if there is one, mostly."""
        among = self.active if self.active and n else self.tasks
        return among[-1 - n % min(len(among), 2)]

    @property
    def active(self) -> list[UUID]:
        return [t for t in self.tasks if not self.stepwise[t].status.is_over]

    @property
    def living(self) -> list[UUID]:
        return [c for c in self.clusters if self.stepwise[c].status is not DELETED]

    def told_by(self, n: int, other: bool) -> dict[str, Any]:
        """A task, and the manager that has it or another one."""
        task = self.stepwise[self.task(n)]
        return {"task_id": self.task(n), "manager": "m3" if other else task.manager or "m1"}

    @initialize(installed=st.booleans())
    def begin(self, installed: bool) -> None:
        self.workspace_id = self.wait(self.hub.workspace())
        self.wait(self.hub.template(self.workspace_id, "first"))
        cluster_id = self.wait(self.hub.cluster(self.workspace_id, "north", size=2, zone="a"))
        if installed:
            self.wait(self.hub.install(self.workspace_id, cluster_id))

    @precondition(lambda self: len(self.living) < 2)
    @rule(name=names, given=values, n=which, install=st.sampled_from([None, True]))
    def create(self, name: str, given: dict[str, Any], n: int, install: bool | None) -> None:
        template_id = self.templates[n % len(self.templates)]
        self.do(
            CreateCluster(
                workspace_id=self.workspace_id,
                name=name,
                cluster_template_version_id=self.wait(self.hub.version(template_id)),
                values=given,
                install=install,
            )
        )

    @rule(n=which, name=names, given=values, revision=revisions, m=which, registry=registries)
    def change(
        self,
        n: int,
        name: str,
        given: dict[str, Any],
        revision: int | None,
        m: int,
        registry: UUID | None,
    ) -> None:
        template_id = self.templates[m % len(self.templates)]
        self.do(
            ChangeCluster(
                workspace_id=self.workspace_id,
                cluster_id=self.cluster(n),
                current_revision=revision,
                name=name,
                registry_id=registry,
                cluster_template_version_id=self.wait(self.hub.version(template_id)),
                values=given,
            )
        )

    @rule(n=which, kind=st.sampled_from([ApplyChanges, CheckCluster, CheckCluster]), odd=rarely)
    def ask(self, n: int, kind: type[ClusterCommand], odd: bool) -> None:
        cluster = self.stepwise[self.cluster(n)]
        wanted = kind if bool(cluster.applied) is not odd else InstallCluster
        self.do(wanted(workspace_id=self.workspace_id, cluster_id=self.cluster(n)))

    @rule(n=which, forget=rarely, odd=rarely)
    def delete(self, n: int, forget: bool, odd: bool) -> None:
        cluster = self.stepwise[self.cluster(n)]
        if not cluster.was_created and not odd:
            return
        self.do(
            DeleteCluster(workspace_id=self.workspace_id, cluster_id=self.cluster(n), forget=forget)
        )

    @rule(n=which, act=which, zone=names, name=st.sampled_from(["first", "FIRST", "second"]))
    def meddle(self, n: int, act: int, zone: str, name: str) -> None:
        """With settings, host keys, and the templates that clusters are made of."""
        ours = {"workspace_id": self.workspace_id}
        cluster = {**ours, "cluster_id": self.cluster(n)}
        template_id = self.templates[n % len(self.templates)]
        template = {**ours, "cluster_template_id": template_id}
        match act:
            case 0 | 1:
                mode = ChangeMode.MANUAL if act else ChangeMode.AUTO
                self.do(ChangeClusterSettings(**cluster, settings=Settings(change_mode=mode)))
            case 2:
                self.do(ForgetHostKey(**cluster, host="10.0.0.1"))
            case 3 if len(self.templates) > 2:
                self.do(ArchiveClusterTemplate(**template))
            case 3 | 4 if len(self.templates) < 3:
                self.wait(self.hub.template(self.workspace_id, f"more {len(self.templates)}"))
            case 4:
                version_id = self.wait(self.hub.version(template_id))
                self.do(WithdrawTemplateVersion(**template, version_id=version_id))
            case _:
                sections = (SectionText(name="resources", source=f"{SOURCE}at: {zone}\n"),)
                params = PARAMS if zone == "north" else SHARED
                self.do(
                    ChangeClusterTemplate(**template, name=name, params=params, sections=sections)
                )

    @precondition(lambda self: self.active)
    @rule(
        n=which,
        act=st.integers(0, 6),
        other=rarely,
        phase=st.integers(0, 1),
        critical=st.booleans(),
    )
    def step(self, n: int, act: int, other: bool, phase: int, critical: bool) -> None:
        match act:
            case 0:
                self.claim(n, "m1" if other else "m2")
            case 1 | 2:
                self.start_phase(n, other, phase, critical)
            case 3 | 4:
                self.end_phase(n, other, phase, critical)
            case 5:
                self.begin_phase_anew(n, other, phase)
            case _:
                self.pin(n, other, "K" if critical else "L")

    @precondition(lambda self: self.active)
    @rule(n=which, other=rarely, ends_well=st.booleans(), how=st.sampled_from(ENDS))
    def finish(self, n: int, other: bool, ends_well: bool, how: type[ManagerCommand]) -> None:
        if ends_well:
            self.do(SucceedTask(**self.told_by(n, other), in_sync=how is not LoseTask))
        else:
            reason = {} if how is EndCancelledTask else {"reason": "No disk."}
            self.do(how.model_validate({**self.told_by(n, other), **reason}))

    @precondition(lambda self: self.active)
    @rule(n=which, ends_well=st.sampled_from([True, True, False]), in_sync=st.booleans())
    def run(self, n: int, ends_well: bool, in_sync: bool) -> None:
        """From claim to end, as it mostly goes."""
        self.claim(n, "m1")
        self.start_phase(n, False, 0, True)
        self.pin(n, False, "K")
        self.end_phase(n, False, 0, True)
        self.start_phase(n, False, 1, True)
        if ends_well:
            self.do(SucceedTask(**self.told_by(n, False), in_sync=in_sync))
        else:
            self.do(FailTask(**self.told_by(n, False), reason="No disk."))

    @precondition(lambda self: self.tasks and not self.active)
    @rule(manager=st.sampled_from(["m1", "m2"]))
    def come_too_late(self, manager: str) -> None:
        self.claim(0, manager)
        self.start_phase(0, False, 0, True)
        self.do(SucceedTask(**self.told_by(0, False)))
        self.do(CancelTask(workspace_id=self.workspace_id, task_id=self.task(0)))

    @precondition(lambda self: self.active)
    @rule(n=which)
    def cancel(self, n: int) -> None:
        self.do(CancelTask(workspace_id=self.workspace_id, task_id=self.task(n)))

    def claim(self, n: int, manager: str) -> None:
        self.do(ClaimTask(task_id=self.task(n), manager=manager))

    def start_phase(self, n: int, other: bool, phase: int, critical: bool) -> None:
        named = {"phase": PHASES[phase], "critical": critical, "phases": PHASES}
        self.do(StartPhase(**self.told_by(n, other), **named))

    def end_phase(self, n: int, other: bool, phase: int, critical: bool) -> None:
        self.do(
            EndPhase(
                **self.told_by(n, other),
                phase=PHASES[phase],
                skipped=False,
                next_phase=PHASES[1] if phase == 0 else None,
                next_phase_critical=critical,
                state={"inventory": Secret("swordfish")},
            )
        )

    def begin_phase_anew(self, n: int, other: bool, phase: int) -> None:
        self.do(BeginPhaseAnew(**self.told_by(n, other), phase=PHASES[phase]))

    def pin(self, n: int, other: bool, key: str) -> None:
        self.do(
            PinHostKey(**self.told_by(n, other), host="10.0.0.1", port=22, key=key, fingerprint=key)
        )

    @invariant()
    def what_the_log_gives_is_what_was_decided_on(self) -> None:
        """Stored, read and folded events give the state that the commands went on with."""
        touched = {recorded.stream_id for recorded in self.hub.store.records[self.seen :]}
        for recorded in self.hub.store.records[self.seen :]:
            self._step(recorded.stream_id, recorded.event)
        for stream_id in touched:
            events = [r.event for r in self.wait(self.hub.store.load(stream_id))]
            state = self.stepwise[stream_id]
            kind = type(state)
            assert kind.fold(events) == state
            version, cached = self.wait(self.hub.cache.load(kind, stream_id))
            assert (version, cached) == (len(events), state)
            half = kind.fold(events[: len(events) // 2 + 1])
            assert half is not None
            snapshot = kind.model_validate_json(half.model_dump_json())
            assert kind.fold(events[len(events) // 2 + 1 :], snapshot) == state
        self.seen = len(self.hub.store.records)

    def _step(self, stream_id: UUID, event: Any) -> None:
        before = self.stepwise.get(stream_id)
        kind = KINDS[type(event)] if before is None else type(before)
        self.stepwise[stream_id] = kind.evolve(before, event)
        match event:
            case ClusterCreated():
                self.clusters.append(stream_id)
            case TaskQueued():
                self.tasks.append(stream_id)
            case ClusterTemplateCreated():
                self.templates.append(stream_id)

    @invariant()
    def claims_are_what_the_events_say(self) -> None:
        assert claims_of(self.hub.store.records) == self.hub.store.claims

    @invariant()
    def a_cluster_has_one_task_at_work_or_none(self) -> None:
        active: dict[UUID, list[UUID]] = {}
        for stream_id in self.tasks:
            task = self.stepwise[stream_id]
            if not task.status.is_over:
                active.setdefault(task.cluster_id, []).append(stream_id)
        for cluster_id in self.clusters:
            cluster = self.stepwise[cluster_id]
            at_work = active.get(cluster_id, [])
            assert cluster.deletion is None or self.stepwise[at_work[0]].status is RUNNING
            assert at_work == ([cluster.task_id] if cluster.task_id else [])
            assert at_work or cluster.status not in UNDER_WAY
            assert cluster.archived_at is None or not at_work

    @invariant()
    def every_secret_opens_and_none_is_written(self) -> None:
        for cluster_id in self.clusters:
            cluster = self.stepwise[cluster_id]
            opened = self.wait(self.hub.vault.open(cluster_id, cluster.ssh_private_key))
            assert opened.startswith("private ")
            for secret in cluster.configuration.secret_values.values():
                text = self.wait(self.hub.vault.open(cluster_id, secret))
                assert text in ("swordfish", "sturgeon")
            for secret in cluster.installer_state.values():
                assert self.wait(self.hub.vault.open(cluster_id, secret)) == "swordfish"
        for task_id in self.tasks:
            for secret in self.stepwise[task_id].state.values():
                assert self.wait(self.hub.vault.open(task_id, secret)) == "swordfish"
        for recorded in self.hub.store.records:
            told = f"{recorded.event!r} {recorded.event.audited()!r}"
            assert "swordfish" not in told
            assert "sturgeon" not in told
            assert "private " not in told


TestLifecycle = Lifecycle.TestCase
TestLifecycle.settings = settings(
    max_examples=20,
    stateful_step_count=60,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


def test_a_stream_of_another_kind_is_no_aggregate() -> None:
    """Ids come from outside: one of another kind is as good as none."""

    async def look() -> None:
        hub = Hub()
        workspace_id = await hub.workspace()
        hub.cache.drop(workspace_id)
        assert await hub.cache.load(User, workspace_id) == (0, None)
        version, state = await hub.cache.load(Workspace, workspace_id)
        assert (version, type(state)) == (1, Workspace)
        assert await hub.cache.load(Cluster, workspace_id) == (0, None)

    asyncio.run(look())

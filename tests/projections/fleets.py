"""A fleet lives a random life: whatever its aggregates decide, and nothing they refuse."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from random import Random
from uuid import UUID

from domain.cluster_settings import ClusterSettings, Settings
from domain.cluster_templates import ClusterTemplate, Section
from domain.clusters import Cluster, Configuration, RenderError
from domain.model import Aggregate, Event, Refusal
from domain.secrets import Secret
from domain.tasks import Task, TaskPhaseEnded
from domain.values import ChangeMode, ConnectionHost, DocumentRef, OperationKind
from domain.workspaces import Workspace, WorkspaceSettings

NOW = datetime(2026, 11, 21, 14, 0, tzinfo=UTC)
Fact = tuple[UUID, Event]
PHASES = ("prepare", "install", "finish")


class Fleet:
    """One workspace with a template and some clusters; `facts` is all that happened, in order."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.facts: list[Fact] = []
        self.states: dict[UUID, Aggregate] = {}
        self.workspace = self._id()
        self.template = self._id()
        self.versions: list[UUID] = []
        self.clusters: list[UUID] = []
        self._found()

    def live(self, steps: int) -> "Fleet":
        """Do some things, each at random."""
        for _ in range(steps):
            self.random.choice(self._acts())()
        return self

    def _found(self) -> None:
        settings = WorkspaceSettings()
        self._record(Workspace, self.workspace, Workspace.create("Acme", "acme", settings))
        created = ClusterTemplate.create(self.workspace, "core-ha", "")
        self._record(ClusterTemplate, self.template, created)
        self._add_version()

    def _acts(self) -> list[Callable[[], None]]:
        clusters = [self._create_cluster, *([self._touch_cluster] * 8)]
        return [*clusters, self._add_version, self._rename_workspace, self._withdraw]

    def _record(self, kind: type[Aggregate], stream_id: UUID, decided: Iterator[Event]) -> None:
        try:
            events = list(decided)
        except Refusal:
            return
        for event in events:
            event = event.with_secrets(lambda path, _: Secret(token=f"sealed {path}"))
            self.states[stream_id] = kind.evolve(self.states.get(stream_id), event)
            self.facts.append((stream_id, event))

    def _change(self, stream_id: UUID, decide: Callable[[Aggregate], Iterator[Event]]) -> None:
        state = self.states[stream_id]
        self._record(type(state), stream_id, decide(state))

    def _rename_workspace(self) -> None:
        self._change(self.workspace, lambda w: w.rename(f"Acme {self.random.randint(1, 9)}"))  # type: ignore[attr-defined]

    def _add_version(self) -> None:
        self.versions.append(self._id())
        sections = (Section(name="SSH", source=self._document()),)
        self._change(
            self.template,
            lambda t: t.add_version(self.versions[-1], "", ({"key": "nodes"},), sections),  # type: ignore[attr-defined]
        )

    def _withdraw(self) -> None:
        version, withdrawn = self.random.choice(self.versions), self.random.random() < 0.5
        self._change(
            self.template,
            lambda t: t.withdraw_version(version, withdrawn=withdrawn),  # type: ignore[attr-defined]
        )

    def _create_cluster(self) -> None:
        cluster = self._id()
        self.clusters.append(cluster)
        created = Cluster.create(
            workspace_id=self.workspace,
            name=f"c{len(self.clusters)}",
            configuration=self._configuration(),
            registry_id=None,
            ssh_public_key="ssh-ed25519 AAAA",
            ssh_private_key="secret",
        )
        self._record(Cluster, cluster, created)
        settings = ClusterSettings.create(cluster, Settings(change_mode=self._mode()))
        self._record(ClusterSettings, ClusterSettings.id_of(cluster), settings)

    def _touch_cluster(self) -> None:
        if self.clusters:
            cluster = self.random.choice(self.clusters)
            declare = [self._rename, self._choose_registry, self._configure]
            acts = [*declare, self._render, self._fail_to_render, self._pin]
            self.random.choice([*acts, self._archive, self._render, *([self._operate] * 3)])(
                cluster
            )

    def _rename(self, cluster: UUID) -> None:
        self._change(cluster, lambda c: c.rename(f"n{self.random.randint(1, 99)}"))  # type: ignore[attr-defined]

    def _choose_registry(self, cluster: UUID) -> None:
        registry = self.random.choice([None, UUID(int=7)])
        self._change(cluster, lambda c: c.choose_registry(registry))  # type: ignore[attr-defined]

    def _configure(self, cluster: UUID) -> None:
        self._change(cluster, lambda c: c.configure(self._configuration()))  # type: ignore[attr-defined]

    def _render(self, cluster: UUID) -> None:
        sections = {"SSH": self._document()}
        masters = (ConnectionHost(host=f"m{self.random.randint(1, 3)}", user="ubuntu"),)
        self._change(cluster, lambda c: c.render(sections, "gotpl 1", masters))  # type: ignore[attr-defined]

    def _fail_to_render(self, cluster: UUID) -> None:
        errors = (RenderError(section="SSH", detail=f"no {self.random.randint(1, 3)}"),)
        self._change(cluster, lambda c: c.fail_to_render(errors, "gotpl 1"))  # type: ignore[attr-defined]

    def _pin(self, cluster: UUID) -> None:
        host, port = self.random.choice(["a", "b"]), 22
        if self.random.random() < 0.3:
            self._change(cluster, lambda c: c.forget_host_key(host, port))  # type: ignore[attr-defined]
        else:
            key = f"key {self.random.randint(1, 3)}"
            self._change(cluster, lambda c: c.pin_host_key(host, port, key, f"SHA256:{key}"))  # type: ignore[attr-defined]

    def _archive(self, cluster: UUID) -> None:
        if self.random.random() < 0.1:
            self._change(cluster, lambda c: c.archive(NOW, str(len(self.facts))))  # type: ignore[attr-defined]

    def _operate(self, cluster: UUID) -> None:
        """Ask for a task and let it run to some end, with renders in between."""
        kind, task, before = self.random.choice(list(OperationKind)), self._id(), len(self.facts)
        self._change(cluster, lambda c: c.request(kind, task))  # type: ignore[attr-defined]
        if len(self.facts) == before:
            return
        queued = Task.queue(
            workspace_id=self.workspace,
            cluster_id=cluster,
            cluster_name="c",
            kind=kind,
            rendering=1,
            sections={},
            state={},
        )
        self._record(Task, task, queued)
        if self.random.random() < 0.2:
            return
        self._change(task, lambda t: t.claim("manager-1"))  # type: ignore[attr-defined]
        self._change(cluster, lambda c: c.start(kind, task))  # type: ignore[attr-defined]
        self._phases(task)
        if self.random.random() < 0.1:
            self._change(cluster, lambda c: c.want_deletion(forget=False))  # type: ignore[attr-defined]
        self.random.choice([self._render, self._fail_to_render, lambda _: None])(cluster)
        self._end(cluster, task, kind)

    def _phases(self, task: UUID) -> None:
        for phase in PHASES[: self.random.randint(0, 3)]:
            critical = self.random.random() < 0.3
            self._change(
                task,
                lambda t, p=phase, c=critical: t.start_phase("manager-1", p, PHASES, critical=c),  # type: ignore[misc]
            )
            ended = TaskPhaseEnded(phase=phase, state={"x": Secret(token="sealed")})
            self._change(task, lambda t, e=ended: t.end_phase("manager-1", e))  # type: ignore[misc]

    def _end(self, cluster: UUID, task: UUID, kind: OperationKind) -> None:
        match self.random.choice(["well", "badly", "lost", "checked", "not at all"]):
            case "well":
                self._change(task, lambda t: t.succeed("manager-1"))  # type: ignore[attr-defined]
                self._change(cluster, lambda c: c.apply(kind, task, c.rendering, c.sections))  # type: ignore[attr-defined]
            case "badly":
                self._change(task, lambda t: t.fail("manager-1", "no"))  # type: ignore[attr-defined]
                self._change(cluster, lambda c: c.fail(kind, task, "no", lost=False))  # type: ignore[attr-defined]
            case "lost":
                self._change(task, lambda t: t.lose("manager-1", "gone"))  # type: ignore[attr-defined]
                self._change(cluster, lambda c: c.fail(kind, task, "gone", lost=True))  # type: ignore[attr-defined]
            case "checked":
                self._change(cluster, lambda c: c.check(task, "", in_sync=True))  # type: ignore[attr-defined]

    def _configuration(self) -> Configuration:
        return Configuration(
            template_id=self.template,
            template_version_id=self.random.choice(self.versions),
            values={"nodes": self.random.randint(1, 5)},
            secret_values={"password": Secret(token=f"sealed {self.random.randint(1, 2)}")},
        )

    def _document(self) -> DocumentRef:
        return DocumentRef(digest=f"{self.random.getrandbits(256):064x}", size=3)

    def _mode(self) -> ChangeMode:
        return self.random.choice(list(ChangeMode))

    def _id(self) -> UUID:
        return UUID(int=self.random.getrandbits(128), version=4)

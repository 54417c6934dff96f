"""All that can be done, in memory: the real commands over ports that last as long as a test."""

from typing import Any, TypeVar
from uuid import UUID, uuid4

from adapters.memory.clock import StandingClock
from adapters.memory.documents import InMemoryDocuments
from adapters.memory.event_store import InMemoryEventStore
from adapters.memory.key_pairs import NumberedKeyPairs
from adapters.memory.renderer import PlainRenderer
from adapters.memory.vault import InMemoryVault
from application.cluster_templates import CreateClusterTemplate, SectionText
from application.clusters import CreateCluster, InstallCluster
from application.commands import Command, CommandBus, Outcome
from application.index import HANDLERS
from application.permissions import QUARTERDECK, Principal, Role
from application.state_cache import StateCache
from application.tasks import ClaimTask, ManagerCommand, SucceedTask
from application.work import Context, World
from application.workspaces import CreateWorkspace
from domain.cluster_templates import ClusterTemplate
from domain.model import Actor, Aggregate, Event

A = TypeVar("A", bound=Aggregate)
ADA = Principal(Actor(type="User", id=UUID(int=77), name="ada"), Role.ADMINISTRATOR)
PARAMS: tuple[dict[str, Any], ...] = (
    {"key": "size", "title": "Size", "type": "number", "default": 3},
    {"key": "zone", "title": "Zone", "type": "string", "optional": True},
    {"key": "port", "title": "Port", "type": "number", "optional": True, "unique": True},
    {
        "key": "password",
        "title": "Password",
        "type": "string",
        "format": "password",
        "optional": True,
    },
)
SOURCE = "size: {{ .size }}\nzone: {{ .zone }}\n"


class Hub:
    """The bus and what it works on, each within reach of a test."""

    def __init__(self, store: Any = None) -> None:
        self.clock = StandingClock()
        self.store: InMemoryEventStore = store or InMemoryEventStore(self.clock)
        self.documents = InMemoryDocuments(self.store)
        self.vault = InMemoryVault()
        self.world = World(
            store=self.store,
            documents=self.documents,
            vault=self.vault,
            clock=self.clock,
            renderer=PlainRenderer(),
            key_pairs=NumberedKeyPairs(),
        )
        self.cache = StateCache(self.store)
        self.bus = CommandBus(self.world, self.cache, HANDLERS)

    async def execute(
        self, command: Command, who: Principal | None = None, **around: Any
    ) -> Outcome:
        """Carry out a command: as Quarterdeck what managers say, as an administrator the rest."""
        default = QUARTERDECK if isinstance(command, ManagerCommand) else ADA
        command_id = around.pop("command_id", None)
        return await self.bus.execute(command, Context(who or default, around, command_id))

    async def do(self, command: Command, who: Principal | None = None, **around: Any) -> Any:
        """The result of a command."""
        return (await self.execute(command, who, **around)).result

    async def state(self, kind: type[A], stream_id: UUID) -> A:
        """The state that the log gives, without a cache."""
        state = kind.fold([r.event for r in await self.store.load(stream_id)])
        assert isinstance(state, kind)
        return state

    def events(self, after: int = 0) -> list[Event]:
        """What was recorded after a position."""
        return [recorded.event for recorded in self.store.records[after:]]

    async def workspace(self, slug: str = "team-a") -> UUID:
        made: UUID = await self.do(CreateWorkspace(name="Team", slug=slug))
        return made

    async def template(self, workspace_id: UUID, name: str = "plain", source: str = SOURCE) -> UUID:
        made: UUID = await self.do(
            CreateClusterTemplate(
                workspace_id=workspace_id,
                name=name,
                params=PARAMS,
                sections=(SectionText(name="resources", source=source),),
            )
        )
        return made

    async def version(self, template_id: UUID) -> UUID:
        """The current version of a template."""
        current = (await self.state(ClusterTemplate, template_id)).current
        assert current is not None
        return current.id

    async def cluster(self, workspace_id: UUID, name: str = "north", **values: Any) -> UUID:
        """A cluster of a template of its own; without values it renders."""
        template_id = await self.template(workspace_id, f"of {name} {uuid4()}")
        made: UUID = await self.do(
            CreateCluster(
                workspace_id=workspace_id,
                name=name,
                cluster_template_version_id=await self.version(template_id),
                values=values or {"size": 3, "zone": "a"},
            )
        )
        return made

    async def install(self, workspace_id: UUID, cluster_id: UUID) -> UUID:
        """Install a cluster; the task that did it."""
        about = {"workspace_id": workspace_id, "cluster_id": cluster_id}
        task_id: UUID = await self.do(InstallCluster(**about))
        await self.do(ClaimTask(task_id=task_id, manager="m1"))
        await self.do(SucceedTask(task_id=task_id, manager="m1"))
        return task_id

"""A place is a workspace with a template, and clusters that are declared out of it."""

from typing import Any
from uuid import UUID

from application.cluster_templates import ChangeClusterTemplate, SectionText
from application.clusters import ChangeCluster, CreateCluster
from domain.cluster_settings import Settings
from domain.clusters import Cluster
from domain.model import Event
from domain.values import ChangeMode
from tests.application.in_memory import Hub

Fields = dict[str, Any]
GOOD = {"size": 3, "zone": "a"}
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


async def a_place(hub: Hub) -> Place:
    workspace_id = await hub.workspace()
    template_id = await hub.template(workspace_id)
    return Place(hub, workspace_id, template_id, await hub.version(template_id))


def kinds(events: list[Event]) -> list[type[Event]]:
    return [type(event) for event in events]

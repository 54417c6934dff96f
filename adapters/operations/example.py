"""The example of one hub: loaded, unloaded, and whether its throw-away host can be served here."""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from adapters.bootstrap import CannotStart, Hub
from adapters.operations.administration import administration
from adapters.settings import Settings
from adapters.ssh.example_place import example_port
from adapters.ssh.sandbox.sandbox import sandbox_obstacle
from application.cluster_templates import ArchiveClusterTemplate
from application.clusters import DeleteCluster
from application.example import SLUG, TEMPLATE_NAME, load_example
from application.tasks import CancelTask
from application.work import Context, of_its_own_accord
from application.workspaces import slug_key
from domain.cluster_templates import ClusterTemplate
from domain.clusters import Cluster
from domain.model import Refusal

ADDRESS = f"/workspaces/{SLUG}/clusters"

TEMPLATES = """
    select originator_id from (
        select originator_id, convert_from(state, 'UTF8')::jsonb as fact
        from log.stored_events where topic = 'cluster_template.created'
    ) created where fact ->> 'workspace_id' = %s and fact ->> 'name' = %s
"""
CLUSTERS = """
    select originator_id from (
        select originator_id, convert_from(state, 'UTF8')::jsonb as fact
        from log.stored_events where topic = 'cluster.created'
    ) created
    where fact ->> 'workspace_id' = %s and fact -> 'configuration' ->> 'template_id' = any(%s)
"""
PUBLIC_KEYS = """
    select convert_from(state, 'UTF8')::jsonb ->> 'ssh_public_key' from log.stored_events
    where topic = 'cluster.created' and convert_from(state, 'UTF8')::jsonb ->> 'workspace_id' = %s
"""


class NotServed(Refusal, code="example_not_served"):
    """The example needs a throw-away host, and this server serves none."""


class Example:
    """`obstacle` is why its host is not served here; None where it is."""

    def __init__(self, hub: Hub, obstacle: str | None) -> None:
        self._hub = hub
        self.obstacle = obstacle

    async def load(self, context: Context) -> str:
        """Load it, unless it is there; the path of its clusters. Raises NotServed."""
        if self.obstacle is not None:
            raise NotServed(f"The example is not served here: {self.obstacle}.")
        await load_example(self._hub.bus, context, example_port(self._hub.settings.data))
        return ADDRESS

    async def unload(self, context: Context) -> str:
        """Forget its clusters and archive its template, which ends its host; their path.

        A task that runs is cancelled. What others made in its workspace stays.
        """
        workspace_id = await self.workspace_id()
        if workspace_id is None:
            return "/"
        templates = await self._templates(workspace_id)
        for cluster_id, cluster in await self._live_clusters(workspace_id, templates):
            if cluster.task_id is not None:
                await self._cancel(workspace_id, cluster.task_id, context)
            forgetting = DeleteCluster(
                workspace_id=workspace_id, cluster_id=cluster_id, forget=True
            )
            await self._hub.bus.execute(forgetting, context)
        for template_id in await self._live_templates(templates):
            archiving = ArchiveClusterTemplate(
                workspace_id=workspace_id, cluster_template_id=template_id
            )
            await self._hub.bus.execute(archiving, context)
        return ADDRESS

    async def _cancel(self, workspace_id: UUID, task_id: UUID, context: Context) -> None:
        try:
            await self._hub.bus.execute(
                CancelTask(workspace_id=workspace_id, task_id=task_id), context
            )
        except Refusal:
            # It has ended meanwhile.
            return

    async def is_loaded(self) -> bool:
        """Whether its template or a cluster of it is in use."""
        workspace_id = await self.workspace_id()
        if workspace_id is None:
            return False
        templates = await self._templates(workspace_id)
        return bool(
            await self._live_templates(templates)
            or await self._live_clusters(workspace_id, templates)
        )

    async def workspace_id(self) -> UUID | None:
        return await self._hub.store.holder(slug_key(SLUG))

    async def public_keys(self) -> Collection[str]:
        """The keys of the clusters of the example's workspace, and of no other."""
        return await self._select(PUBLIC_KEYS, str(await self.workspace_id()))

    async def _templates(self, workspace_id: UUID) -> Sequence[UUID]:
        return await self._select(TEMPLATES, str(workspace_id), TEMPLATE_NAME)

    async def _live_templates(self, templates: Sequence[UUID]) -> Sequence[UUID]:
        loaded = [(each, await self._hub.cache.load(ClusterTemplate, each)) for each in templates]
        return [
            template_id
            for template_id, (_, template) in loaded
            if isinstance(template, ClusterTemplate) and not template.is_archived
        ]

    async def _live_clusters(
        self, workspace_id: UUID, templates: Sequence[UUID]
    ) -> Sequence[tuple[UUID, Cluster]]:
        made_of = [str(template_id) for template_id in templates]
        clusters = await self._select(CLUSTERS, str(workspace_id), made_of)
        loaded = [(each, await self._hub.cache.load(Cluster, each)) for each in clusters]
        return [
            (cluster_id, cluster)
            for cluster_id, (_, cluster) in loaded
            if isinstance(cluster, Cluster) and cluster.archived_at is None
        ]

    async def _select(self, query: str, *arguments: object) -> list[Any]:
        async with self._hub.pool.connection() as connection:
            cursor = await connection.execute(query, arguments)
            return [row[0] for row in await cursor.fetchall()]


async def example_obstacle(settings: Settings) -> str | None:
    """Why this machine does not serve the example's host; None where it does."""
    if not settings.example_host:
        return "QUARTERDECK_EXAMPLE_HOST is false"
    return await sandbox_obstacle()


async def load(settings: Settings) -> str:
    """Load the example, unless it is there; the address of its clusters."""
    obstacle = await example_obstacle(settings)
    if obstacle is not None:
        raise CannotStart(f"The example is not served here: {obstacle}.")
    async with administration(settings, begins=True) as hub:
        return settings.url + await Example(hub, obstacle).load(of_its_own_accord())


async def unload(settings: Settings) -> str:
    """Unload the example; the address of what is left."""
    async with administration(settings) as hub:
        return settings.url + await Example(hub, None).unload(of_its_own_accord())

"""A manager at work in this process, over a house with the real database and real SSH."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from application.cluster_manager import ClusterManager
from application.cluster_templates import CreateClusterTemplate
from application.clusters import CreateCluster
from application.workspaces import CreateWorkspace
from domain.cluster_templates import ClusterTemplate
from domain.clusters import Cluster
from tests.adapters.http.web.house import House
from tests.support.servers import SshHost


@asynccontextmanager
async def at_work(manager: ClusterManager) -> AsyncIterator[None]:
    """The manager does what is queued, as long as this lasts."""
    running = asyncio.create_task(manager.run())
    try:
        yield
    finally:
        running.cancel()
        await asyncio.wait([running])


async def declared(house: House, host: SshHost, **template: Any) -> tuple[UUID, UUID]:
    """A workspace and a cluster of this template in it, which has the host's address as values."""
    workspace_id = (await house.do(CreateWorkspace(name="Production"))).result
    create = CreateClusterTemplate(workspace_id=workspace_id, **template)
    _, made = await house.hub.cache.load(ClusterTemplate, (await house.do(create)).result)
    assert isinstance(made, ClusterTemplate)
    assert made.current is not None
    declare = CreateCluster(
        workspace_id=workspace_id,
        name="alone",
        cluster_template_version_id=made.current.id,
        values={"host": host.address, "port": host.port, "user": host.user},
    )
    return workspace_id, (await house.do(declare)).result


async def cluster_of(house: House, cluster_id: UUID) -> Cluster:
    _, cluster = await house.hub.cache.load(Cluster, cluster_id)
    assert isinstance(cluster, Cluster)
    return cluster

"""The story of a cluster that nobody asks about: quiet while all is well, mended when it is not."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from adapters.memory.clock import StandingClock
from adapters.processes.manager import cluster_manager, routine_checker
from application.cluster_templates import CreateClusterTemplate
from application.clusters import CreateCluster, InstallCluster
from application.routine_checks import RoutineChecker
from application.workspaces import CreateWorkspace
from domain.cluster_templates import ClusterTemplate
from domain.clusters import Cluster
from tests.adapters.http.web.house import House, open_house
from tests.support.servers import SshHost

pytestmark = pytest.mark.slow
TEMPLATE = json.loads(Path("infra/examples/template.json").read_text())
HOUR = timedelta(hours=1)


@pytest.fixture
async def house(database: str, tmp_path: Path) -> AsyncIterator[House]:
    async with open_house(database, tmp_path) as house:
        yield house


@asynccontextmanager
async def managed(house: House) -> AsyncIterator[None]:
    """A manager does what is queued, as long as this lasts."""
    manager = cluster_manager(house.hub, house.reads.now)
    running = asyncio.create_task(manager.run())
    try:
        yield
    finally:
        running.cancel()
        await asyncio.wait([running])


async def installed(house: House, host: SshHost) -> UUID:
    """A cluster of the example's template, installed on the host by a manager."""
    workspace_id = (await house.do(CreateWorkspace(name="Production"))).result
    template_id = (
        await house.do(CreateClusterTemplate(workspace_id=workspace_id, **TEMPLATE))
    ).result
    _, template = await house.hub.cache.load(ClusterTemplate, template_id)
    assert isinstance(template, ClusterTemplate)
    assert template.current is not None
    values = {"host": host.address, "port": host.port, "user": host.user}
    create = CreateCluster(
        workspace_id=workspace_id,
        name="alone",
        cluster_template_version_id=template.current.id,
        values=values,
    )
    cluster_id: UUID = (await house.do(create)).result
    host.authorize((await cluster_of(house, cluster_id)).ssh_public_key)
    await house.do(InstallCluster(workspace_id=workspace_id, cluster_id=cluster_id))
    async with managed(house):
        await until(house, cluster_id, lambda c: c.status == "in_sync")
    return cluster_id


async def cluster_of(house: House, cluster_id: UUID) -> Cluster:
    _, cluster = await house.hub.cache.load(Cluster, cluster_id)
    assert isinstance(cluster, Cluster)
    return cluster


async def until(house: House, cluster_id: UUID, holds: Callable[[Cluster], bool]) -> None:
    async with asyncio.timeout(60):
        while not holds(await cluster_of(house, cluster_id)):
            await asyncio.sleep(0.02)
    await house.shown()


async def turn(checker: RoutineChecker) -> None:
    async with asyncio.TaskGroup() as group:
        await checker.turn(group)


async def test_a_cluster_is_checked_by_itself_and_only_what_differs_is_told(
    house: House, ssh_host: SshHost
) -> None:
    cluster_id = await installed(house, ssh_host)
    tools = cluster_manager(house.hub, house.reads.now).tools
    clock = StandingClock(datetime.now(UTC) + HOUR)
    greeting = ssh_host.home / "quarterdeck-greeting"

    quiet = await house.hub.store.head()
    await turn(routine_checker(house.hub, tools, house.reads.now, clock))
    assert await house.hub.store.head() == quiet
    assert not list((ssh_host.home / ".quarterdeck").rglob("check.1"))

    greeting.unlink()
    await turn(routine_checker(house.hub, tools, house.reads.now, clock))
    assert await house.hub.store.head() == quiet, "it is not due again yet"

    clock.move(HOUR)
    await turn(routine_checker(house.hub, tools, house.reads.now, clock))
    assert (await cluster_of(house, cluster_id)).task_id is not None
    async with managed(house):
        await until(house, cluster_id, lambda c: c.task_id is None and greeting.exists())
    assert (await cluster_of(house, cluster_id)).status == "in_sync"

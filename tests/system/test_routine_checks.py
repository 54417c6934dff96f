"""The story of a cluster that nobody asks about: quiet while all is well, mended when it is not."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from adapters.memory.clock import StandingClock
from adapters.processes.manager import cluster_manager, routine_checker
from application.clusters import InstallCluster
from application.routine_checks import RoutineChecker
from domain.clusters import Cluster
from tests.adapters.http.web.house import House, open_house
from tests.support.servers import SshHost
from tests.system.managed import at_work, cluster_of, declared

pytestmark = pytest.mark.slow
TEMPLATE = json.loads(Path("infra/examples/template.json").read_text())
HOUR = timedelta(hours=1)


@pytest.fixture
async def house(database: str, tmp_path: Path) -> AsyncIterator[House]:
    async with open_house(database, tmp_path) as house:
        yield house


async def installed(house: House, host: SshHost) -> UUID:
    """A cluster of the example's template, installed on the host by a manager."""
    workspace_id, cluster_id = await declared(house, host, **TEMPLATE)
    host.authorize((await cluster_of(house, cluster_id)).ssh_public_key)
    await house.do(InstallCluster(workspace_id=workspace_id, cluster_id=cluster_id))
    async with at_work(cluster_manager(house.hub, house.reads.now)):
        await until(house, cluster_id, lambda c: c.status == "in_sync")
    return cluster_id


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
    async with at_work(cluster_manager(house.hub, house.reads.now)):
        await until(house, cluster_id, lambda c: c.task_id is None and greeting.exists())
    assert (await cluster_of(house, cluster_id)).status == "in_sync"

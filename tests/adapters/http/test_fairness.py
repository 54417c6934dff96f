"""What is long is done in turns: another workspace waits for one part of it, not for all of it."""

import asyncio
from collections.abc import Callable, Hashable, Iterable
from dataclasses import replace
from typing import Any, TypeVar
from uuid import UUID

import pytest

from adapters.http.edge import Log
from adapters.http.feed import LogFeed
from adapters.http.rendered import rendered_texts
from adapters.postgres.stream import LogStream
from application.clusters import ChangeCluster
from application.fair_turns import LongWork
from domain.clusters import Cluster
from tests.adapters.http.house import House, furnish
from tests.adapters.http.quarterdeck import Quarterdeck

T = TypeVar("T")
pytestmark = pytest.mark.asyncio(loop_scope="module")
CSV = {"Accept": "text/csv"}


async def test_an_export_of_one_workspace_waits_for_one_part_of_anothers(
    quarterdeck: Quarterdeck, house: House
) -> None:
    other = await furnish(quarterdeck)
    turns, ended = quarterdeck.edge.long_reads, list[str]()

    async def export(of: House) -> None:
        async with quarterdeck.client(of.token, **CSV) as client:
            assert (await client.get("/api/v1/audit")).status_code == 200
        ended.append(of.slug)

    async with turns.turn("somebody"):
        first = [asyncio.create_task(export(house)) for _ in range(6)]
        await until(lambda: turns.waiting == 6)
        second = asyncio.create_task(export(other))
        await until(lambda: turns.waiting == 7)
    await asyncio.gather(*first, second)
    assert ended.index(other.slug) <= 1


async def test_who_wants_topics_that_there_are_not_costs_no_reading_of_the_log(
    quarterdeck: Quarterdeck,
) -> None:
    log = ReadsCounted(quarterdeck.hub.store)
    feed = LogFeed(
        LogStream(quarterdeck.hub.dsn, quarterdeck.hub.store.mapper.recorded), log, lambda _: None
    )
    running = asyncio.create_task(feed.run())
    await until(lambda: log.heads == 1)
    for topics, reads in (([], 0), (["cluster.created"], 1)):
        listener = asyncio.ensure_future(
            anext(feed.subscribe(after=0, wanted=lambda _: False, topics=topics))
        )
        await until(lambda: feed.listening == 1)
        assert log.reads >= reads
        assert bool(log.reads) is bool(reads)
        listener.cancel()
        await asyncio.wait([listener])
        await until(lambda: feed.listening == 0)
    running.cancel()
    await asyncio.wait([running])


async def test_masking_many_lines_is_work_in_steps_of_its_cluster(
    quarterdeck: Quarterdeck, house: House
) -> None:
    await quarterdeck.execute(
        ChangeCluster(
            workspace_id=house.workspace_id,
            cluster_id=house.cluster_id,
            name="first",
            cluster_template_version_id=house.version_id,
            values={
                "region": "south",
                "password": "\n".join(f"line {n:05d}" for n in range(5_000)),
            },
        )
    )
    _, state = await quarterdeck.hub.cache.load(Cluster, house.cluster_id)
    assert isinstance(state, Cluster)
    work = Recorded()
    sections = {name: ref.model_dump(mode="json") for name, ref in state.sections.items()}
    await rendered_texts(replace(quarterdeck.edge, long_work=work), house.cluster_id, sections)
    assert work.tenants == {house.cluster_id}
    assert work.steps > 5_000


class Recorded(LongWork):
    """Counts the steps, and for whom they were."""

    def __init__(self) -> None:
        super().__init__()
        self.steps = 0
        self.tenants: set[Hashable] = set()

    async def done(self, tenant: Hashable, steps: Iterable[T]) -> list[T]:
        found = await super().done(tenant, steps)
        self.steps += len(found)
        self.tenants.add(tenant)
        return found


class ReadsCounted:
    """The log, which counts what is asked of it."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self.heads = self.reads = 0

    async def load(self, stream_id: UUID, after: int = 0) -> Any:
        return await self._log.load(stream_id, after)

    async def read(self, after: int = 0, limit: int = 500, upto: int = 2**62) -> Any:
        return await self._log.read(after, limit, upto)

    async def read_some(self, after: int, upto: int, **some: Any) -> Any:
        self.reads += 1
        return await self._log.read_some(after, upto, **some)

    async def head(self) -> int:
        position = await self._log.head()
        self.heads += 1
        return position


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not holds():
            await asyncio.sleep(0.001)

"""Read models that follow Kafka end as a rebuild from the log would make them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import chain, zip_longest
from secrets import token_hex

import psycopg
import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions

from adapters.kafka.cluster import Cluster
from adapters.kafka.messages import Stored
from adapters.kafka.relay import Relay
from adapters.kafka.stream import HistoryIsCut, KafkaStream
from adapters.postgres.leadership import lead_and_work
from adapters.postgres.mapper import Mapper
from adapters.postgres.marks import PostgresMarks
from adapters.postgres.projector import Projector
from adapters.postgres.rebuild import Rebuilder
from adapters.postgres.sessions import open_pool
from adapters.postgres.stream import LogStream
from adapters.postgres.visibility import Visibility
from projections import PROJECTIONS
from tests.adapters.kafka.conftest import PATIENCE_SECONDS, running
from tests.projections.fleets import Fleet
from tests.projections.scenario import Scenario, scenario
from tests.support import servers

pytestmark = pytest.mark.kafka


@pytest.fixture
async def scene(database: str) -> AsyncIterator[Scenario]:
    async with scenario(database) as scene:
        yield scene


@asynccontextmanager
async def relaying(scene: Scenario, cluster: Cluster) -> AsyncIterator[None]:
    async with open_pool(scene.dsn, name="relay", size=1) as pool:
        place = PostgresMarks(pool, "relay", durable=False)
        relay = Relay(LogStream(scene.dsn, Stored), place, cluster, stuck_seconds=5)
        async with running(lead_and_work(scene.dsn, "relay", relay.run)):
            yield


@asynccontextmanager
async def projecting(scene: Scenario, cluster: Cluster) -> AsyncIterator[None]:
    decode = Mapper().recorded
    projector = Projector(
        scene.dsn,
        PROJECTIONS,
        KafkaStream(cluster, "projector", decode, stuck_seconds=5),
        Rebuilder(scene.dsn, decode),
        source="kafka",
        cut=HistoryIsCut,
    )
    async with running(projector.run()):
        yield


async def live(scene: Scenario, seeds: range) -> int:
    """Fleets live beside each other, each in a workspace of its own."""
    fleets = [Fleet(seed).live(60) for seed in seeds]
    position = 0
    facts = ([(fleet, fact) for fact in fleet.facts] for fleet in fleets)
    for fleet, (stream_id, event) in filter(None, chain(*zip_longest(*facts))):
        envelope = {
            "workspace_id": fleet.workspace,
            "workspace": "acme",
            "actor": {"type": "User", "name": "m"},
        }
        position = await scene.given(stream_id, event, envelope=envelope)
    return position


async def test_read_models_are_equal_to_a_rebuild_whoever_comes_and_goes(
    scene: Scenario, kafka_broker: servers.KafkaBroker
) -> None:
    cluster, visibility = Cluster(kafka_broker.address), Visibility(scene.dsn, scene.projections)
    async with (
        running(visibility.run()),
        relaying(scene, cluster),
        relaying(scene, cluster),
        projecting(scene, cluster),
    ):
        assert await visibility.wait_for(await live(scene, range(3)), PATIENCE_SECONDS)
        async with projecting(scene, cluster):
            living = asyncio.create_task(live(scene, range(3, 6)))
            await asyncio.to_thread(kafka_broker.kill)
            await asyncio.to_thread(kafka_broker.start)
            assert await visibility.wait_for(await living, PATIENCE_SECONDS)
        assert await visibility.wait_for(await live(scene, range(6, 8)), PATIENCE_SECONDS)

    for projection in PROJECTIONS:
        comparison = await Rebuilder(scene.dsn, Mapper().recorded).check(projection)
        assert comparison.is_equal, comparison.differences


async def test_read_models_are_equal_to_a_rebuild_when_the_topic_gets_more_partitions(
    scene: Scenario, kafka_server: servers.KafkaBroker
) -> None:
    cluster = Cluster(kafka_server.address, f"quarterdeck.events.{token_hex(4)}")
    visibility = Visibility(scene.dsn, scene.projections)
    admin = AIOKafkaAdminClient(**cluster.client)
    await admin.start()
    async with running(visibility.run()), relaying(scene, cluster), projecting(scene, cluster):
        assert await visibility.wait_for(await live(scene, range(3)), PATIENCE_SECONDS)
        living = asyncio.create_task(live(scene, range(3, 6)))
        await admin.create_partitions({cluster.topic: NewPartitions(7)})
        assert await visibility.wait_for(await living, PATIENCE_SECONDS)
        await until_partitions(scene, 7)
        assert await visibility.wait_for(await live(scene, range(6, 8)), PATIENCE_SECONDS)
    await admin.close()

    for projection in PROJECTIONS:
        comparison = await Rebuilder(scene.dsn, Mapper().recorded).check(projection)
        assert comparison.is_equal, comparison.differences


async def until_partitions(scene: Scenario, count: int) -> None:
    """Wait until so many partitions are read."""
    async with (
        asyncio.timeout(PATIENCE_SECONDS),
        await psycopg.AsyncConnection.connect(scene.dsn, autocommit=True) as connection,
    ):
        while True:
            cursor = await connection.execute(
                "select count(distinct partition) from read_models.positions where upto > 0"
            )
            if await cursor.fetchone() == (count,):
                return
            await asyncio.sleep(0.05)

"""The long forms of the kernel's fault tests; each prints how much it did."""

import random
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from adapters.embedded.postgres import EmbeddedPostgres
from adapters.kafka.cluster import Cluster
from adapters.postgres.event_store import PostgresEventStore
from adapters.postgres.migrations import migrate
from tests.adapters.kafka.test_many_writers import tails_of_both
from tests.adapters.postgres import test_cut_at_commit as cutting
from tests.adapters.postgres import test_failover as failing_over
from tests.adapters.postgres import test_killed as killing
from tests.adapters.postgres import test_many_writers as writing
from tests.adapters.postgres import test_verification as verification
from tests.application.test_lifecycle import Lifecycle
from tests.soak.counts import CUTS, EVENTS, FAILOVERS, LIVES, POSTGRES_KILLS, TAMPERED
from tests.support import servers
from tests.support.cutting_proxy import cutting_proxy
from tests.support.servers import KafkaBroker
from tests.support.writing import Load

pytestmark = [pytest.mark.soak, pytest.mark.timeout(0)]


@pytest.fixture
async def log(database: str) -> str:
    await migrate(database)
    return database


async def test_cut_at_commit(log: str, chance: random.Random) -> None:
    with tempfile.TemporaryDirectory(prefix="qd-proxy-", dir="/tmp") as folder:
        async with (
            cutting_proxy(log, Path(folder)) as (proxy, dsn),
            PostgresEventStore(dsn) as store,
        ):
            await cutting.survive(store, proxy, CUTS, chance)
            print(f"{proxy.cuts:,} cuts, {await store.head():,} events, one effect each")


async def test_mutation_of_stored_bytes(log: str, chance: random.Random) -> None:
    async with PostgresEventStore(log) as store:
        await verification.fill(store, log)
    counts = await verification.tamper(log, TAMPERED, chance)
    print(f"{counts.total():,} changes of stored bytes, each found: {dict(counts)}")


async def test_failover(server_folder: Path) -> None:
    folder = server_folder / f"pair-{secrets.token_hex(4)}"
    with servers.replicated_postgres(folder, synchronous=True) as pair:
        acknowledged = await failing_over.survive_failovers(pair, FAILOVERS)
    print(f"{FAILOVERS:,} failovers, {acknowledged:,} appends, none of them lost")


async def test_kill_of_postgres(own_postgres: EmbeddedPostgres, chance: random.Random) -> None:
    acknowledged = await killing.survive(own_postgres, POSTGRES_KILLS, chance)
    print(f"{POSTGRES_KILLS:,} kills of PostgreSQL")
    print(f"{acknowledged:,} acknowledged appends, each there once")


@pytest.mark.kafka
async def test_many_writers_and_tail_readers(log: str, kafka_server: KafkaBroker) -> None:
    begun = time.monotonic()
    cluster = Cluster(kafka_server.address, f"quarterdeck.events.{secrets.token_hex(4)}")
    load = Load(events=EVENTS // 2, streams=512, most=200)
    tails = tails_of_both(log, cluster)
    with relay_beside(log, cluster):
        seen = await writing.watch_writers(log, load, tails, (500, 5_000))
    took = time.monotonic() - begun
    print(f"{seen:,} events by 64 hands in 2 processes, {seen / took:,.0f} a second")
    print("none skipped, none out of order in its stream: on the log, and on Kafka")


@contextmanager
def relay_beside(dsn: str, cluster: Cluster) -> Iterator[None]:
    program = [sys.executable, "-m", "tests.adapters.kafka.relay_process"]
    with subprocess.Popen([*program, dsn, cluster.servers, cluster.topic]) as relay:
        try:
            yield
        finally:
            relay.kill()


def test_lives_of_clusters() -> None:
    run_state_machine_as_test(
        Lifecycle,
        settings=settings(
            max_examples=LIVES,
            stateful_step_count=100,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    print(f"{LIVES:,} lives of clusters and tasks, replayed step by step")

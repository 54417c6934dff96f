"""What a fleet needs is away for a while: writes come again later, reads go on, all drains."""

import asyncio
import json
import time
import urllib.parse
import urllib.request
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import psycopg
import pytest

from adapters.embedded.postgres import EmbeddedPostgres
from tests.support import servers
from tests.support.drained import DRAINED_SECONDS, audited, must_have_drained
from tests.support.fleet import Fleet, fleet_over
from tests.support.load import Load
from tests.support.quarterdeck import Quarterdeck, eventually
from tests.support.servers import KafkaBroker, LokiServer, SmallDisk, SshHost

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
SECONDS = 3
FELT_SECONDS = 120.0
BACK_SECONDS = 30.0
SMALL_LOG = {"max_wal_size": "96MB", "min_wal_size": "32MB"}


@dataclass(frozen=True)
class Outage:
    """Something that is needed goes away and comes back."""

    name: str
    begin: Callable[[], None]
    end: Callable[[], None]
    stops_writes: bool
    reads: frozenset[int]
    """What reads are answered meanwhile."""


def database_gone(server: EmbeddedPostgres) -> Outage:
    return Outage("database gone", server.stop, server.start, True, frozenset({503}))


def database_read_only(server: EmbeddedPostgres) -> Outage:
    def turn(how: str) -> None:
        with psycopg.connect(server.dsn, autocommit=True) as connection:
            connection.execute("set default_transaction_read_only = off")
            connection.execute(f"alter system {how}".encode())
            connection.execute("select pg_reload_conf()")

    return Outage(
        "database read only",
        lambda: turn("set default_transaction_read_only = on"),
        lambda: turn("reset default_transaction_read_only"),
        True,
        frozenset({200}),
    )


def database_full(disk: SmallDisk) -> Outage:
    return Outage("database full", disk.fill, disk.empty, True, frozenset({200}))


def kafka_gone(broker: KafkaBroker) -> Outage:
    return Outage("Kafka gone", broker.kill, broker.start, False, frozenset({200}))


def loki_gone(loki: LokiServer) -> Outage:
    return Outage("Loki gone", loki.stop, loki.start, False, frozenset({200}))


@pytest.mark.kafka
def test_the_database_or_kafka_is_away_for_a_while(
    server_folder: Path,
    own_postgres: EmbeddedPostgres,
    kafka_broker: KafkaBroker,
    ssh_host: SshHost,
) -> None:
    outages = [
        database_gone(own_postgres),
        kafka_gone(kafka_broker),
        database_read_only(own_postgres),
    ]
    with fleet_over(server_folder, own_postgres, copies=1, kafka=kafka_broker.address) as fleet:
        survive(fleet, ssh_host, outages, SECONDS)


def test_the_disk_of_the_database_is_full_for_a_while(
    server_folder: Path, disk: SmallDisk, ssh_host: SshHost
) -> None:
    with (
        servers.postgres(disk.folder / "postgres", settings=SMALL_LOG) as server,
        fleet_over(server_folder, server, copies=1) as fleet,
    ):
        survive(fleet, ssh_host, [database_full(disk)], SECONDS)
        assert "No space left on device" in server.folder.log.read_text()


@pytest.mark.full
def test_loki_is_away_for_a_while(
    server_folder: Path, own_postgres: EmbeddedPostgres, own_loki: LokiServer, ssh_host: SshHost
) -> None:
    with fleet_over(server_folder, own_postgres, copies=1, loki_url=own_loki.url) as fleet:
        survive(fleet, ssh_host, [loki_gone(own_loki), database_gone(own_postgres)], SECONDS)
        must_be_in_loki(fleet, own_loki)


def survive(fleet: Fleet, host: SshHost, outages: Sequence[Outage], seconds: float) -> Load:
    """Load through all of them; afterwards everything acknowledged is there once."""
    with Load(fleet.apis, host) as load:
        for outage in outages:
            load.until_more(10, lambda: fleet.errors)
            reads = endure(fleet, load, outage, seconds)
            print(
                f"{outage.name} for {seconds:,} s: reads {dict(reads)}, {load.counts}", flush=True
            )
            assert set(reads) == outage.reads
        load.until_more(50, lambda: fleet.errors)
    fleet.revive()
    assert not fleet.ended, fleet.errors
    must_have_drained(fleet, load, host)
    return load


def endure(fleet: Fleet, load: Load, outage: Outage, seconds: float) -> Counter[int]:
    """Be without it for so long, and longer until it was felt; how reads were answered."""
    refused, acknowledged = load.refused_writes, load.acknowledged
    reads: Counter[int] = Counter()
    outage.begin()
    until = time.monotonic() + seconds

    def is_over() -> bool:
        reads.update(read(api, load.everywhere.token) for api in fleet.apis)
        was_felt = (
            load.refused_writes >= refused + 3
            if outage.stops_writes
            else load.acknowledged >= acknowledged + 10
        )
        return was_felt and time.monotonic() > until

    try:
        eventually(is_over, seconds + FELT_SECONDS, lambda: (reads, load.counts, fleet.errors))
    finally:
        outage.end()
    answered = [0]

    def is_back() -> bool:
        answered[:] = [read(api, load.everywhere.token) for api in fleet.apis]
        return set(answered) == {200}

    eventually(is_back, BACK_SECONDS, lambda: (outage.name, answered, fleet.errors))
    load.until_more(10, lambda: (outage.name, load.counts, fleet.errors))
    return reads


def read(api: Quarterdeck, token: str) -> int:
    """How a query is answered; the process lives, whatever is away."""
    assert httpx2.get(f"{api.url}/livez").status_code == 200
    answer = httpx2.get(f"{api.url}/api/v1/workspaces", headers={"X-Auth-Token": token}, timeout=60)
    if answer.status_code == 503:
        assert int(answer.headers["Retry-After"]) > 0
        assert answer.headers["Content-Type"] == "application/problem+json"
    return answer.status_code


def must_be_in_loki(fleet: Fleet, loki: LokiServer) -> None:
    """Each audit line once."""
    wanted = Counter(asyncio.run(audited(fleet.dsn)))
    eventually(lambda: shipped(loki).total() >= wanted.total(), DRAINED_SECONDS)
    assert shipped(loki) == wanted


def shipped(loki: LokiServer) -> Counter[int]:
    """How often Loki has each position."""
    found: Counter[int] = Counter()
    begin, end = time.time_ns() - 6 * 3600 * 10**9, time.time_ns()
    while True:
        query = {"query": '{app="quarterdeck"}', "start": begin, "end": end, "limit": 5000}
        asked = urllib.parse.urlencode({**query, "direction": "forward"})
        with urllib.request.urlopen(
            f"{loki.url}/loki/api/v1/query_range?{asked}", timeout=60
        ) as answer:
            page = _entries(json.load(answer))
        found.update(position for _, position in page)
        if not page:
            return found
        begin = max(at for at, _ in page) + 1


def _entries(answer: Any) -> list[tuple[int, int]]:
    return [
        (int(at), int(stream["stream"]["position"]))
        for stream in answer["data"]["result"]
        for at, _ in stream["values"]
    ]

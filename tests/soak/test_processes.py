"""The long forms of the faults of whole processes; each prints how much it did."""

import random
from pathlib import Path

import pytest

from adapters.embedded.postgres import EmbeddedPostgres
from tests.soak.counts import KILLS, OUTAGE_SECONDS
from tests.support import servers
from tests.support.fleet import Fleet, fleet_over
from tests.support.servers import KafkaBroker, LokiServer, SmallDisk, SshHost
from tests.system import test_killed_processes as killing
from tests.system import test_outages as outages

pytestmark = [pytest.mark.soak, pytest.mark.kafka, pytest.mark.timeout(0)]


def test_kill_of_any_process(
    fleet: Fleet, own_postgres: EmbeddedPostgres, ssh_host: SshHost, chance: random.Random
) -> None:
    killed, counts = killing.survive(fleet, own_postgres, ssh_host, KILLS, chance)
    print(f"{killed.total():,} kills: {dict(killed)}")
    print(f"{counts}; each acknowledged command is there once, read models equal to a rebuild")
    for last_word, times in fleet.ended.most_common():
        print(f"ended by itself {times:,} times: {last_word}")


def test_everything_that_is_needed_is_away_in_turn(
    server_folder: Path,
    own_postgres: EmbeddedPostgres,
    kafka_broker: KafkaBroker,
    own_loki: LokiServer,
    ssh_host: SshHost,
) -> None:
    away = [
        outages.database_gone(own_postgres),
        outages.kafka_gone(kafka_broker),
        outages.database_read_only(own_postgres),
        outages.loki_gone(own_loki),
    ]
    kafka, loki = kafka_broker.address, own_loki.url
    with fleet_over(server_folder, own_postgres, kafka=kafka, loki_url=loki) as fleet:
        load = outages.survive(fleet, ssh_host, away, OUTAGE_SECONDS)
        outages.must_be_in_loki(fleet, own_loki)
    print(f"{len(away)} outages of {OUTAGE_SECONDS} s: {load.counts}, all drained")


def test_the_disk_of_the_database_is_full(
    server_folder: Path, disk: SmallDisk, ssh_host: SshHost
) -> None:
    with (
        servers.postgres(disk.folder / "postgres", settings=outages.SMALL_LOG) as server,
        fleet_over(server_folder, server) as fleet,
    ):
        load = outages.survive(fleet, ssh_host, [outages.database_full(disk)], OUTAGE_SECONDS)
    print(f"disk full for {OUTAGE_SECONDS} s: {load.counts}, all drained")

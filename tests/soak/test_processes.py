"""The long forms of the faults of whole processes; each prints how much it did."""

import random

import pytest

from adapters.embedded.postgres import EmbeddedPostgres
from tests.soak.counts import KILLS
from tests.support.fleet import Fleet
from tests.support.servers import SshHost
from tests.system import test_killed_processes as killing

pytestmark = [pytest.mark.soak, pytest.mark.kafka, pytest.mark.timeout(0)]


def test_kill_of_any_process(
    fleet: Fleet, own_postgres: EmbeddedPostgres, ssh_host: SshHost, chance: random.Random
) -> None:
    killed, counts = killing.survive(fleet, own_postgres, ssh_host, KILLS, chance)
    print(f"{killed.total():,} kills: {dict(killed)}")
    print(f"{counts}; each acknowledged command is there once, read models equal to a rebuild")
    print(f"ended by themselves: {dict(fleet.ended)}")

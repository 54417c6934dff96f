"""Every process and PostgreSQL are killed under load: what was acknowledged is there once."""

import random
from collections import Counter
from collections.abc import Iterator

import pytest

from adapters.embedded.postgres import EmbeddedPostgres
from tests.adapters.postgres.test_killed import kill as kill_postgres
from tests.support.drained import must_have_drained
from tests.support.fleet import Fleet
from tests.support.load import Load
from tests.support.progress import Progress
from tests.support.servers import SshHost

pytestmark = [pytest.mark.slow, pytest.mark.kafka, pytest.mark.timeout(600)]
POSTGRES = "postgres"
EACH_ONCE = 9
"""Two of each process, and PostgreSQL."""
MOST_AT_ONCE = 6


def test_what_was_acknowledged_survives_the_kill_of_any_process(
    fleet: Fleet, own_postgres: EmbeddedPostgres, ssh_host: SshHost
) -> None:
    killed, _ = survive(fleet, own_postgres, ssh_host, EACH_ONCE, random.Random(5))
    assert set(killed) == {"api", "manager", "projector", "relay", POSTGRES}


def survive(
    fleet: Fleet, server: EmbeddedPostgres, host: SshHost, kills: int, chance: random.Random
) -> tuple[Counter[str], dict[str, int]]:
    """Kill so many under load, then hold what was asked against what there is.

    How often each kind was killed, and what came of all that was asked.
    """
    killed: Counter[str] = Counter()
    progress = Progress(kills, "kills")
    with Load(fleet.apis, host) as load:

        def more(acknowledged: int) -> None:
            # What was started while the database came up has ended, with a sentence, and is
            # started again by whoever watches over processes.
            load.until_more(acknowledged, lambda: (killed, fleet.errors), fleet.revive)

        for victims in rounds([*fleet.members, POSTGRES], kills, chance):
            for victim in victims:
                more(chance.randint(0, 4))
                if victim == POSTGRES:
                    kill_postgres(server, chance)
                else:
                    fleet.kill(victim)
                killed[victim.split("-")[0]] += 1
            fleet.until_up()
            more(1)
            progress.at(killed.total(), load.counts)
    must_have_drained(fleet, load, host)
    return killed, load.counts


def rounds(victims: list[str], kills: int, chance: random.Random) -> Iterator[list[str]]:
    """Some victims at a time, each as often as any other."""
    left = kills
    while left:
        deck = chance.sample(victims, min(left, len(victims)))
        left -= len(deck)
        while deck:
            count = chance.randint(1, MOST_AT_ONCE)
            yield deck[:count]
            deck = deck[count:]

"""A whole Quarterdeck while its database fails over, and when an older backup was restored."""

import secrets
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx2
import psycopg
import pytest

from adapters.embedded.postgres import EmbeddedPostgres
from tests.support import servers
from tests.support.backup import backup
from tests.support.fleet import KEYS
from tests.support.quarterdeck import Client, Quarterdeck, eventually, quarterdeck
from tests.support.servers.processes import free_port

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
SECONDS = 30.0
"""Within so long commands go on."""
HANDS = 8


class Hand:
    """Makes one workspace after the other, and remembers what it was answered."""

    def __init__(self, url: str, token: str) -> None:
        self._http = httpx2.Client(
            base_url=f"{url}/api/v1/", headers={"X-Auth-Token": token}, timeout=SECONDS
        )
        self.made: list[str] = []
        self.answers: Counter[str] = Counter()

    def work(self, over: threading.Event) -> None:
        with self._http:
            while not over.is_set():
                self._make(f"w-{secrets.token_hex(6)}")

    def _make(self, slug: str) -> None:
        answer = self._http.post("workspaces", json={"name": slug, "slug": slug})
        if answer.status_code == 201:
            self.made.append(slug)
        elif answer.status_code == 503 and "retry-after" in answer.headers:
            time.sleep(0.05)
        self.answers[f"{answer.status_code} {answer.headers.get('retry-after', '')}".strip()] += 1


@contextmanager
def under_load(program: Quarterdeck) -> Iterator[list[Hand]]:
    """Hands at work; afterwards each answer was the change, or to come again."""
    token = program.token("--global")
    hands = [Hand(program.url, token) for _ in range(HANDS)]
    over = threading.Event()
    threads = [threading.Thread(target=hand.work, args=[over]) for hand in hands]
    for thread in threads:
        thread.start()
    try:
        more_from(hands)
        yield hands
    finally:
        over.set()
        for thread in threads:
            thread.join()
    answers = sum((hand.answers for hand in hands), Counter[str]())
    assert set(answers) <= {"201", "503 1", "503 5"}, answers


def more_from(hands: list[Hand]) -> None:
    wanted = [len(hand.made) + 3 for hand in hands]
    eventually(
        lambda: all(len(h.made) >= n for h, n in zip(hands, wanted, strict=True)),
        SECONDS,
        lambda: [hand.answers for hand in hands],
    )


def must_be_there(pair: servers.ReplicatedPostgres, made: list[str]) -> None:
    with psycopg.connect(pair.dsn, target_session_attrs="read-write") as connection:
        rows = connection.execute("select key from log.claims").fetchall()
    assert {f"workspace:{slug}" for slug in made} <= {key for (key,) in rows}


def survive_failovers(folder: Path, count: int) -> int:
    """Each time the primary is killed; how many commands were acknowledged, and are there."""
    with (
        servers.replicated_postgres(
            folder.with_name(f"{folder.name}-pg"), synchronous=True
        ) as pair,
        quarterdeck(folder, database_url=pair.dsn, keys=KEYS) as program,
    ):
        with under_load(program) as hands:
            for left in reversed(range(count)):
                pair.fail_over()
                more_from(hands)
                if left:
                    pair.rejoin()
                    more_from(hands)
        made = [slug for hand in hands for slug in hand.made]
        must_be_there(pair, made)
        return len(made)


def test_commands_go_on_when_the_primary_is_killed_and_what_was_acknowledged_is_there(
    folder: Path,
) -> None:
    assert survive_failovers(folder, 1)


def test_commands_go_on_when_the_network_of_the_primary_falls_silent(folder: Path) -> None:
    with servers.replicated_postgres(
        folder.with_name(f"{folder.name}-pg"), synchronous=True
    ) as pair:
        try:
            network = servers.lonely_network(pair.primary_socket)
            with network as lonely:
                survive_silence(folder, pair, lonely)
        except servers.CannotMakeNetwork as reason:
            pytest.skip(str(reason))


def survive_silence(
    folder: Path, pair: servers.ReplicatedPostgres, network: servers.LonelyNetwork
) -> None:
    with quarterdeck(folder, database_url=pair.dsn_through(network), keys=KEYS) as program:
        with under_load(program) as hands:
            network.fall_silent()
            pair.fail_over()
            more_from(hands)
        must_be_there(pair, [slug for hand in hands for slug in hand.made])


class Watched(Quarterdeck):
    """A process apart, with its probes."""

    def __init__(self, folder: Path, **settings: str) -> None:
        folder.mkdir(parents=True)
        self.probes = free_port()
        super().__init__(folder, keys=KEYS, probe_port=str(self.probes), **settings)

    def readiness(self) -> tuple[int, str]:
        try:
            answer = httpx2.get(f"http://127.0.0.1:{self.probes}/readyz")
        except httpx2.TransportError:
            return 0, self.errors
        return answer.status_code, answer.text


@contextmanager
def running(program: Quarterdeck, word: str) -> Iterator[None]:
    program.start(word, await_ready=False)
    try:
        yield
    finally:
        program.kill()


def is_ready(program: Watched) -> bool:
    return program.readiness()[0] == 200


@pytest.mark.kafka
def test_a_relay_ahead_of_a_restored_log_says_so_until_somebody_accepts_the_loss(
    folder: Path, own_postgres: EmbeddedPostgres, kafka_broker: servers.KafkaBroker
) -> None:
    settings = {"database_url": own_postgres.dsn, "kafka": kafka_broker.address}
    api = Watched(folder / "api", **settings)
    relay = Watched(folder / "relay", **settings)
    projector = Watched(folder / "projector", **settings)
    with closing(api):
        lose_and_accept(own_postgres, api, relay, projector)


def lose_and_accept(
    own_postgres: EmbeddedPostgres, api: Watched, relay: Watched, projector: Watched
) -> None:
    with running(api, "api"), running(relay, "relay"), running(projector, "projector"):
        eventually(lambda: api.is_ready() and is_ready(relay) and is_ready(projector), 60.0)
        make = api.client(api.token("--global"))
        make.ok("POST", "workspaces", {"name": "kept"})
        until_published(own_postgres)
    with backup(own_postgres.dsn) as restore:
        with running(api, "api"), running(relay, "relay"):
            eventually(api.is_ready, 60.0)
            make.ok("POST", "workspaces", {"name": "lost"})
            until_published(own_postgres)
        restore()
    with running(api, "api"), running(relay, "relay"), running(projector, "projector"):
        told = "relay stands still. It has seen up to position"
        eventually(lambda: told in relay.readiness()[1], 60.0, relay.readiness)
        assert relay.readiness()[0] == 503
        assert told in relay.errors
        eventually(api.is_ready, 60.0)
        make.ok("POST", "workspaces", {"name": "new"})
        assert any(told in fault for fault in make.ok("GET", "system")["faults"])
        accepted = api.run("accept-loss", "--reason", "The disk broke.", "--by", "Mira")
        assert accepted.returncode == 0, accepted.stderr
        assert "relay goes on." in accepted.stdout
        eventually(lambda: is_ready(relay) and is_ready(projector), 60.0, relay.readiness)
        assert make.ok("GET", "system")["faults"] == []
        eventually(lambda: "The disk broke." in projector.output)
        eventually(lambda: names(make) == ["kept", "new"], 60.0, lambda: names(make))


def names(api: Client) -> list[str]:
    return sorted(each["name"] for each in api.ok("GET", "workspaces"))


def until_published(server: EmbeddedPostgres) -> None:
    behind = (
        "select 1 from log.head h where not exists (select from deliveries.marks m"
        " where m.reader = 'relay' and m.position >= h.position)"
    )
    with psycopg.connect(server.dsn, autocommit=True) as connection:
        eventually(lambda: connection.execute(behind).fetchone() is None, 60.0)

"""A process without pages can be watched over too: it lives, it is ready, and it counts."""

import socket
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest

from adapters.embedded.postgres import EmbeddedPostgres
from adapters.postgres.migrations import migrate
from adapters.postgres.roles import as_process
from tests.support.quarterdeck import Quarterdeck, eventually
from tests.support.servers.processes import free_port

pytestmark = pytest.mark.slow
KEYS = "1:" + "A" * 43 + "="
NO_KAFKA = "127.0.0.1:9"
COUNTED = {
    "manager": {"quarterdeck_tasks_running 0.0", "quarterdeck_task_slots 10.0"},
    "projector": {"process_open_fds"},
    "relay": {"process_open_fds"},
}


class Watched(Quarterdeck):
    """A process apart, with its probes."""

    def __init__(self, folder: Path, **settings: str) -> None:
        folder.mkdir()
        self.probes = free_port()
        super().__init__(folder, keys=KEYS, probe_port=str(self.probes), **settings)

    def ask(self, probe: str) -> tuple[int, str]:
        """The answer's status and text; 0 where nobody listens."""
        try:
            answer = httpx2.get(f"http://127.0.0.1:{self.probes}/{probe}")
        except httpx2.TransportError:
            return 0, self.errors
        return answer.status_code, answer.text


@pytest.fixture
async def watched(own_postgres: EmbeddedPostgres, tmp_path: Path) -> AsyncIterator[Watched]:
    await migrate(own_postgres.dsn)
    program = Watched(
        tmp_path / "watched", database_url=as_process(own_postgres.dsn), kafka=NO_KAFKA
    )
    try:
        yield program
    finally:
        program.close()


@pytest.mark.parametrize("word", COUNTED)
async def test_each_process_without_pages_answers_its_probes(watched: Watched, word: str) -> None:
    watched.start(word, await_ready=False)
    eventually(lambda: watched.ask("readyz")[0] == 200, told=lambda: watched.ask("readyz"))
    assert watched.ask("livez") == (200, "alive\n")
    status, numbers = watched.ask("metrics")
    assert status == 200
    assert all(each in numbers for each in COUNTED[word])
    assert watched.ask("workspaces")[0] == 404
    assert watched.stop() == 0


async def test_who_cannot_reach_its_database_lives_and_is_not_ready(
    watched: Watched, own_postgres: EmbeddedPostgres
) -> None:
    watched.start("manager", await_ready=False)
    eventually(lambda: watched.ask("readyz")[0] == 200, told=lambda: watched.ask("readyz"))
    own_postgres.stop()
    eventually(lambda: watched.ask("readyz")[0] == 503, told=lambda: watched.ask("readyz"))
    assert watched.ask("livez")[0] == 200
    own_postgres.start()
    eventually(lambda: watched.ask("readyz")[0] == 200, told=lambda: watched.ask("readyz"))


async def test_a_taken_probe_port_is_one_sentence(watched: Watched) -> None:
    with socket.create_server(("127.0.0.1", watched.probes)):
        ended = watched.run("manager")
    assert ended.returncode == 1
    (sentence,) = ended.stderr.splitlines()
    assert f"Port {watched.probes} on 127.0.0.1 cannot be used" in sentence
    assert "QUARTERDECK_PROBE_PORT" in sentence

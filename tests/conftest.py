"""The fixtures every test may ask for by name: real servers, each started once per run."""

import asyncio
import secrets
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from pathlib import Path

import psycopg
import pytest
import uvloop
from playwright.async_api import Browser, async_playwright
from psycopg.conninfo import make_conninfo

from adapters.embedded.postgres import EmbeddedPostgres
from tests.support import servers
from tests.support.fleet import Fleet, fleet_over
from tests.support.servers.missing import installed


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Tests run in the loop of the product: asyncio's own differs where one would not look."""
    return {"uvloop": uvloop.new_event_loop}


@pytest.fixture(scope="session")
def server_folder() -> Iterator[Path]:
    """A folder that any account may pass, for the data of this run's servers."""
    folder = Path(tempfile.mkdtemp(prefix="quarterdeck-tests-", dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_server(server_folder: Path) -> Iterator[servers.PostgresServer]:
    """The PostgreSQL of this run; a test that kills its server starts one of its own."""
    with installed(), servers.postgres_under_test(server_folder / "postgres") as server:
        yield server


@pytest.fixture
def own_postgres(server_folder: Path) -> Iterator[servers.PostgresServer]:
    """A PostgreSQL of the test's own, to be stopped and killed."""
    folder = server_folder / f"postgres-{secrets.token_hex(4)}"
    with installed(), servers.postgres_under_test(folder) as server:
        yield server


@pytest.fixture
def disk(server_folder: Path) -> Iterator[servers.SmallDisk]:
    """A disk that can be full; skips where we may not mount one."""
    folder = server_folder / f"disk-{secrets.token_hex(4)}"
    try:
        with servers.small_disk(folder, megabytes=512) as disk:
            yield disk
    except servers.CannotMount as reason:
        pytest.skip(str(reason))


@pytest.fixture
def database(postgres_server: servers.PostgresServer) -> Iterator[str]:
    """The connection string of a fresh, empty database."""
    name = f"test_{secrets.token_hex(6)}"
    with psycopg.connect(postgres_server.dsn, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    yield make_conninfo(postgres_server.dsn, dbname=name)
    with psycopg.connect(postgres_server.dsn, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def sshd_server(server_folder: Path) -> Iterator[servers.SshHost]:
    """The SSH host of this run; a test that changes or stops its host starts one of its own."""
    with installed(), servers.sshd(server_folder / "sshd") as host:
        yield host


@pytest.fixture
def ssh_host(server_folder: Path) -> Iterator[servers.SshHost]:
    """An SSH host of the test's own, to be stopped, changed and cut."""
    with installed(), servers.sshd(server_folder / f"sshd-{secrets.token_hex(4)}") as host:
        yield host


@pytest.fixture(scope="session")
def kafka_server(server_folder: Path) -> Iterator[servers.KafkaBroker]:
    """The Kafka broker of this run: make topics of your own; who stops it starts another."""
    with installed(), servers.kafka(server_folder / "kafka") as broker:
        yield broker


@pytest.fixture
def kafka_broker(server_folder: Path) -> Iterator[servers.KafkaBroker]:
    """A Kafka broker of the test's own, to be stopped and killed."""
    with installed(), servers.kafka(server_folder / f"kafka-{secrets.token_hex(4)}") as broker:
        yield broker


@pytest.fixture
def fleet(
    server_folder: Path, own_postgres: EmbeddedPostgres, kafka_broker: servers.KafkaBroker
) -> Iterator[Fleet]:
    """Two of each process over a PostgreSQL and a Kafka of the test's own."""
    with fleet_over(server_folder, own_postgres, kafka=kafka_broker.address) as fleet:
        yield fleet


@pytest.fixture(scope="session")
def loki_server(server_folder: Path) -> Iterator[servers.LokiServer]:
    """The Loki of this run, for tests marked `full`."""
    with installed(), servers.loki(server_folder / "loki") as server:
        yield server


@pytest.fixture
def own_loki(server_folder: Path) -> Iterator[servers.LokiServer]:
    """A Loki of the test's own, to be stopped and started again."""
    with installed(), servers.loki(server_folder / f"loki-{secrets.token_hex(4)}") as server:
        yield server


@pytest.fixture(scope="session")
def chromium_program() -> str:
    """The path of the real Chromium; start it with `servers.CHROMIUM_FLAGS`."""
    with installed():
        return servers.chromium()


@pytest.fixture
async def chromium(chromium_program: str) -> AsyncIterator[Browser]:
    """A real headless browser; each page opened in a context of its own has a new profile."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=chromium_program, args=list(servers.CHROMIUM_FLAGS)
        )
        yield browser
        await browser.close()

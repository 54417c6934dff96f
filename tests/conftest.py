"""The fixtures every test may ask for by name: real servers, each started once per run."""

import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from adapters.embedded.postgres import EmbeddedPostgres
from tests.support import servers


@pytest.fixture(scope="session")
def server_folder() -> Iterator[Path]:
    """A folder that any account may pass, for the data of this run's servers."""
    folder = Path(tempfile.mkdtemp(prefix="quarterdeck-tests-", dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_server(server_folder: Path) -> Iterator[EmbeddedPostgres]:
    """The PostgreSQL of this run; a test that kills its server starts one of its own."""
    with servers.postgres(server_folder / "postgres") as server:
        yield server


@pytest.fixture
def database(postgres_server: EmbeddedPostgres) -> Iterator[str]:
    """The connection string of a fresh, empty database."""
    name = f"test_{secrets.token_hex(6)}"
    with psycopg.connect(postgres_server.dsn, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    yield make_conninfo(postgres_server.dsn, dbname=name)
    with psycopg.connect(postgres_server.dsn, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def _start_or_skip(missing: servers.MissingServer) -> None:
    if os.environ.get("CI") == "true":
        pytest.fail(str(missing))
    pytest.skip(str(missing))

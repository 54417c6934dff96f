"""What the benchmarks share: figures with their bounds, medians, databases of their own."""

import asyncio
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from adapters.bootstrap import migrate_database
from adapters.embedded.postgres import EmbeddedPostgres
from adapters.postgres.roles import as_process
from adapters.settings import Settings
from tests.support import servers

REPEATS = 3
KEYS = "1:" + "A" * 43 + "="
"""Master keys for a program whose database is not its own."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A measured figure and the bound it must keep; `at_most` turns the bound round."""

    name: str
    value: float
    bound: float
    at_most: bool = False
    told: str = ""

    @property
    def holds(self) -> bool:
        return self.value <= self.bound if self.at_most else self.value >= self.bound


Benchmark = Callable[[], Iterator[Figure]]


@dataclass(frozen=True, slots=True)
class Database:
    """A fresh, migrated database: who owns it, whom the product signs in as, both as strings
    of libpq; and what the names of figures on its server end with."""

    owner: str
    process: str
    suffix: str = ""


@contextmanager
def folder() -> Iterator[Path]:
    """A folder of the benchmark's own that any account may pass."""
    with tempfile.TemporaryDirectory(prefix="quarterdeck-bench-", dir="/tmp") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@contextmanager
def postgres() -> Iterator[str]:
    """A fresh embedded PostgreSQL, as durable as in production; its connection string."""
    with folder() as place, EmbeddedPostgres(place / "postgres") as server:
        yield server.dsn


@contextmanager
def embedded() -> Iterator[Database]:
    """On the server that `quarterdeck up` starts, where the product signs in as the owner."""
    with postgres() as dsn:
        yield _migrated(Database(dsn, dsn))


@contextmanager
def stock() -> Iterator[Database]:
    """On Debian's PostgreSQL 15 with default settings, where a process has no owner's rights."""
    with folder() as place, servers.stock_postgres(place / "postgres", 15) as server:
        owner = server.owned_database("quarterdeck")
        yield _migrated(Database(owner, as_process(owner), "_stock"))


@contextmanager
def busy_core() -> Iterator[None]:
    """Meanwhile a foreign program keeps one core busy."""
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as foreign:
        try:
            yield
        finally:
            foreign.kill()


def on_each_server(measure: Callable[[Database], Iterator[Figure]]) -> Iterator[Figure]:
    """The same figures on both, with the same bounds."""
    for server in (embedded, stock):
        with server() as database:
            yield from named_for(database, measure(database))


def named_for(database: Database, figures: Iterator[Figure]) -> Iterator[Figure]:
    """The figures under the names of the database's server."""
    for figure in figures:
        yield replace(figure, name=figure.name + database.suffix)


def _migrated(database: Database) -> Database:
    async def migrate() -> None:
        async for _ in migrate_database(Settings(database_url=database.owner)):
            pass

    asyncio.run(migrate())
    return database


def median_of(measure: Callable[[], float], repeats: int = REPEATS) -> float:
    return statistics.median(measure() for _ in range(repeats))

"""The PostgreSQL of the tests is the product's own embedded one, or the one that was chosen.

QUARTERDECK_TEST_POSTGRES chooses a stock server by its major version, or `pgbouncer`.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol

from adapters.embedded.postgres import EmbeddedPostgres
from tests.support.servers.pgbouncer import pooled_postgres
from tests.support.servers.stock_postgres import stock_postgres


class PostgresServer(Protocol):
    """A server that a test may stop, kill by its process id, and start again."""

    @property
    def dsn(self) -> str:
        """A superuser's connection string."""

    @property
    def pid(self) -> int:
        """The postmaster's process id."""

    def start(self) -> None:
        """Returns when connections are accepted."""

    def stop(self) -> None:
        """Returns when the process is gone, also when it was killed before."""


def postgres_under_test(folder: Path) -> AbstractContextManager[PostgresServer]:
    """The chosen server with its files in `folder`, running."""
    chosen = os.environ.get("QUARTERDECK_TEST_POSTGRES", "embedded")
    if chosen == "embedded":
        return postgres(folder)
    if chosen == "pgbouncer":
        return pooled_postgres(folder)
    return stock_postgres(folder, int(chosen))


@contextmanager
def postgres(
    folder: Path, *, port: int | None = None, settings: Mapping[str, str] | None = None
) -> Iterator[EmbeddedPostgres]:
    """The product's own PostgreSQL over `folder`, durable as in production, quick to create.

    `start()` and `stop()` may be called in between; a fault test kills `pid`, then calls `stop()`
    (which reaps it) and `start()`.
    """
    ours = {"max_connections": "200", "checkpoint_timeout": "30min", **(settings or {})}
    with EmbeddedPostgres(folder, settings=ours, port=port, durable_creation=False) as server:
        yield server

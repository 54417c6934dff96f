"""The PostgreSQL of the tests is the product's own embedded one."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from adapters.embedded.postgres import EmbeddedPostgres


@contextmanager
def postgres(folder: Path, *, port: int | None = None) -> Iterator[EmbeddedPostgres]:
    """A PostgreSQL over `folder`, durable as in production, quick to create.

    `start()` and `stop()` may be called in between; a fault test kills `pid`, then calls `stop()`
    (which reaps it) and `start()`.
    """
    settings = {"max_connections": "200", "checkpoint_timeout": "30min"}
    with EmbeddedPostgres(folder, settings=settings, port=port, durable_creation=False) as server:
        yield server

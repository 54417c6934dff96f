"""The PostgreSQL of the tests is the product's own embedded one."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from adapters.embedded.postgres import EmbeddedPostgres


@contextmanager
def postgres(
    folder: Path, *, port: int | None = None, settings: Mapping[str, str] | None = None
) -> Iterator[EmbeddedPostgres]:
    """A PostgreSQL over `folder`, durable as in production, quick to create.

    `start()` and `stop()` may be called in between; a fault test kills `pid`, then calls `stop()`
    (which reaps it) and `start()`.
    """
    ours = {"max_connections": "200", "checkpoint_timeout": "30min", **(settings or {})}
    with EmbeddedPostgres(folder, settings=ours, port=port, durable_creation=False) as server:
        yield server

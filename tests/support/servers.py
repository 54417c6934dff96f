"""Servers are the real ones that tests run against, each on loopback with a folder of its own."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from adapters.embedded.account import reachable_folder
from adapters.embedded.postgres import EmbeddedPostgres

__all__ = ["MissingServer", "postgres"]


class MissingServer(Exception):
    """A server is not installed; the text is one line that says what to install."""


@contextmanager
def postgres(folder: Path) -> Iterator[EmbeddedPostgres]:
    """A PostgreSQL over `folder`, durable as in production, quick to create."""
    settings = {"max_connections": "200", "checkpoint_timeout": "30min"}
    data = reachable_folder(folder)
    with EmbeddedPostgres(data, settings=settings, durable_creation=False) as server:
        yield server

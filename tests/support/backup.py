"""A backup of a database, restored in its place while its servers run on."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo


@contextmanager
def backup(dsn: str) -> Iterator[Callable[[], None]]:
    """A copy of the database as it is now, and what puts it in the database's place."""
    name = conninfo_to_dict(dsn)["dbname"]
    copy, admin = f"{name}_backup", make_conninfo(dsn, dbname="postgres")

    def restore() -> None:
        with psycopg.connect(admin, autocommit=True) as connection:
            connection.execute(f"drop database {name} with (force)")
            connection.execute(f"alter database {copy} rename to {name}")

    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(f"create database {copy} template {name}")
    yield restore

"""A log that many tests use one after the other: emptying it is quicker than making another."""

import asyncio
import secrets
from collections.abc import Iterator

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from adapters.postgres.migrations import migrate
from tests.support.servers import PostgresServer

EMPTY = """
    do $$
    declare
        tables text;
    begin
        select string_agg(c.oid::regclass::text, ', ') into tables from pg_class c
            where c.relnamespace in ('log'::regnamespace, 'samples'::regnamespace)
              and c.relkind in ('r', 'p') and not c.relispartition and c.relname <> 'head';
        execute 'truncate ' || tables;
        update log.head set position = 0, recorded_at = '-infinity';
    end $$;
"""


@pytest.fixture(scope="session")
def shared_log(postgres_server: PostgresServer) -> Iterator[str]:
    """A database with the newest schema, for this folder's tests."""
    name = f"shared_{secrets.token_hex(6)}"
    with psycopg.connect(postgres_server.dsn, autocommit=True) as connection:
        connection.execute(f"create database {name}")
    dsn = make_conninfo(postgres_server.dsn, dbname=name)
    asyncio.run(migrate(dsn))
    yield dsn
    with psycopg.connect(postgres_server.dsn, autocommit=True) as connection:
        connection.execute(f"drop database {name} with (force)")


@pytest.fixture
def log_database(shared_log: str) -> str:
    """The connection string of a database with an empty log."""
    with psycopg.connect(shared_log, autocommit=True) as connection:
        connection.execute(EMPTY)
    return shared_log

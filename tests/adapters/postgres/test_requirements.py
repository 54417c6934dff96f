"""A PostgreSQL that cannot hold the log is refused in one sentence, at each start."""

import secrets
from collections.abc import Iterator

import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from psycopg.sql import SQL, Identifier, Literal

from adapters.embedded.postgres import EmbeddedPostgres
from adapters.postgres.requirements import UnsuitableServer, check_server

ENCODINGS = ["SQL_ASCII", "LATIN1", "WIN1251", "EUC_JP", "KOI8R", "MULE_INTERNAL"]


@pytest.fixture(params=ENCODINGS)
def encoded(postgres_server: EmbeddedPostgres, request: pytest.FixtureRequest) -> Iterator[str]:
    """A database of another encoding."""
    name = f"test_{secrets.token_hex(6)}"
    with psycopg.connect(postgres_server.dsn, autocommit=True) as connection:
        connection.execute(
            SQL(
                "create database {} encoding {} template template0 lc_collate 'C' lc_ctype 'C'"
            ).format(Identifier(name), Literal(request.param))
        )
        yield make_conninfo(postgres_server.dsn, dbname=name)
        connection.execute(SQL("drop database {} with (force)").format(Identifier(name)))


async def test_another_encoding_is_refused_with_the_remedy(
    encoded: str, request: pytest.FixtureRequest
) -> None:
    with pytest.raises(UnsuitableServer) as refused:
        await check_server(encoded)
    assert "UTF8" in str(refused.value)
    assert any(f"has the encoding {name}" in str(refused.value) for name in ENCODINGS)


async def test_a_server_as_it_should_be_is_taken(database: str) -> None:
    await check_server(database)

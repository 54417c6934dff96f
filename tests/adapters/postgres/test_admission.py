"""Where the owner may make no role, an administrator makes that of processes, and it is let in."""

import secrets
from typing import LiteralString
from uuid import uuid4

import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from psycopg.errors import InsufficientPrivilege

from adapters.postgres.event_store import PostgresEventStore
from adapters.postgres.mapper import Mapper
from adapters.postgres.migrations import migrate
from adapters.postgres.read_models import install
from adapters.postgres.rebuild import Rebuilder
from adapters.postgres.roles import admit_processes, as_process, who_may_rewrite
from projections import PROJECTIONS
from tests.adapters.contracts.event_store import append, on
from tests.support.servers import PostgresServer

OWNER = "modest"
MAKE = "create role quarterdeck_process login"
JOIN = "grant quarterdeck_process to modest"
FORBIDDEN = (
    "update log.stored_events set state = ''",
    "create schema mine",
    "create table read_models.mine (n int)",
)


@pytest.fixture
def owned(own_postgres: PostgresServer) -> str:
    """A database whose owner may make no role."""
    name = f"test_{secrets.token_hex(4)}"
    say(own_postgres.dsn, f"create role {OWNER} login")
    say(own_postgres.dsn, f"create database {name} owner {OWNER}")
    return make_conninfo(own_postgres.dsn, dbname=name, user=OWNER)


def say(dsn: str, sql: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(sql.encode())


async def is_usable(owned: str) -> bool:
    """Processes append, read, build read models, and change nothing of the log."""
    dsn = as_process(owned)
    async with PostgresEventStore(dsn) as store:
        await store.append(append(on(uuid4())))
        await install(dsn, PROJECTIONS)
        for projection in PROJECTIONS[:2]:
            await Rebuilder(dsn, Mapper().recorded).rebuild(projection)
    for sql in FORBIDDEN:
        with pytest.raises(InsufficientPrivilege):
            say(dsn, sql)
    return await who_may_rewrite(dsn) is None


async def test_an_administrator_is_told_what_to_say_and_then_processes_are_let_in(
    owned: str, own_postgres: PostgresServer
) -> None:
    await migrate(owned)
    told = await admit_processes(owned)
    assert told is not None
    assert f"{MAKE}; {JOIN};" in told
    await install(owned, PROJECTIONS)
    say(own_postgres.dsn, MAKE)
    assert await admit_processes(owned) == told
    say(own_postgres.dsn, JOIN)
    assert await admit_processes(owned) is None
    assert await is_usable(owned)
    assert await admit_processes(owned) is None


@pytest.mark.parametrize("before", [[MAKE], [MAKE, JOIN]])
async def test_a_role_that_was_there_before_is_let_in_by_the_steps_or_after_them(
    owned: str, own_postgres: PostgresServer, before: list[LiteralString]
) -> None:
    for sql in before:
        say(own_postgres.dsn, sql)
    await migrate(owned)
    if JOIN not in before:
        assert await admit_processes(owned) is not None
        say(own_postgres.dsn, JOIN)
    assert await admit_processes(owned) is None
    assert await is_usable(owned)


async def test_an_owner_who_may_make_roles_needs_nobody(
    owned: str, own_postgres: PostgresServer
) -> None:
    say(own_postgres.dsn, f"alter role {OWNER} createrole")
    await migrate(owned)
    assert await admit_processes(owned) is None
    assert await is_usable(owned)

"""A session works the same whatever the server, the database or the role has as its defaults."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import psycopg
import pytest
from psycopg.sql import SQL, Identifier, Literal

from adapters.postgres.event_store import PostgresEventStore
from adapters.postgres.mapper import Mapper
from adapters.postgres.migrations import migrate
from adapters.postgres.read_models import install
from adapters.postgres.reader import open_reader
from adapters.postgres.rebuild import Rebuilder
from adapters.postgres.roles import PROCESS, as_process, set_defaults
from adapters.postgres.sessions import EVERY_SESSION, connect, open_pool
from adapters.postgres.verification import verify_log
from projections import PROJECTIONS
from tests.adapters.contracts.event_store import EventStoreContract, append, on

OTHERWISE: Mapping[str, str] = {
    "array_nulls": "off",
    "bytea_output": "escape",
    "check_function_bodies": "off",
    "client_encoding": "LATIN1",
    "datestyle": "German, DMY",
    "default_transaction_deferrable": "on",
    "default_transaction_isolation": "serializable",
    "extra_float_digits": "-15",
    "idle_in_transaction_session_timeout": "1ms",
    "idle_session_timeout": "1s",
    "intervalstyle": "sql_standard",
    "jit": "on",
    "jit_above_cost": "0",
    "lock_timeout": "1ms",
    "plan_cache_mode": "force_custom_plan",
    "quote_all_identifiers": "on",
    "row_security": "off",
    "search_path": "hostile, pg_catalog",
    "standard_conforming_strings": "off",
    "statement_timeout": "2s",
    "synchronous_commit": "off",
    "timezone": "Asia/Kathmandu",
    "transform_null_equals": "on",
    "xmloption": "document",
}
"""Defaults of a database that differ from the server's own, all of them allowed to its owner."""


@pytest.fixture
async def odd_database(database: str) -> str:
    """A database whose owner has set everything otherwise, and shadows a function of ours."""
    with psycopg.connect(database, autocommit=True) as owner:
        owner.execute("create schema hostile")
        owner.execute(
            "create function hostile.cardinality(anyarray) returns int language sql as 'select 0'"
        )
        for name, value in OTHERWISE.items():
            statement = SQL("alter database {} set {} = {}").format(
                Identifier(owner.info.dbname), Identifier(name), Literal(value)
            )
            if name == "search_path":
                statement = SQL("alter database {} set search_path = hostile, pg_catalog").format(
                    Identifier(owner.info.dbname)
                )
            owner.execute(statement)
    await migrate(database)
    return as_process(database)


class TestInAnOddDatabase(EventStoreContract):
    @pytest.fixture
    async def store(self, odd_database: str) -> AsyncIterator[PostgresEventStore]:
        async with PostgresEventStore(odd_database) as store:
            yield store


async def test_every_session_has_our_settings(odd_database: str) -> None:
    async with (
        await connect(odd_database, name="test") as connection,
        open_pool(odd_database, name="test", size=1) as pool,
        pool.connection() as pooled,
    ):
        for session in (connection, pooled):
            for name, value in EVERY_SESSION.items():
                cursor = await session.execute("select current_setting(%s, true)", [name])
                assert await cursor.fetchone() in [(value,), (None,)], name


async def test_read_models_are_built_and_read_as_ever(odd_database: str) -> None:
    await install(odd_database, PROJECTIONS)
    async with PostgresEventStore(odd_database) as store:
        before = datetime.now(UTC)
        await store.append(append(on(uuid4())))
    rebuilder = Rebuilder(odd_database, Mapper().recorded)
    for projection in PROJECTIONS:
        await rebuilder.rebuild(projection, "log")
    async with open_reader(odd_database) as reader:
        row = await reader.row("select now() as at, interval '1 day' as span, 0.1::float8 as part")
    assert row is not None
    assert datetime.fromisoformat(row["at"]) >= before
    assert (row["span"], row["part"]) == (timedelta(days=1), 0.1)


async def test_the_log_is_verified_as_ever(odd_database: str) -> None:
    async with PostgresEventStore(odd_database) as store:
        await store.append(append(on(uuid4())))
    assert (await verify_log(odd_database)).size == 1


@pytest.mark.direct
async def test_a_listener_that_is_idle_is_kept(odd_database: str) -> None:
    async with await connect(odd_database, name="test") as connection:
        await connection.execute("listen quarterdeck_log")
        async with PostgresEventStore(odd_database) as store:
            await asyncio.wait_for(_idle_beyond_the_limit(odd_database), 10)
            await store.append(append(on(uuid4())))
        async for notice in connection.notifies(timeout=10, stop_after=1):
            assert notice.payload == "1"
            return
    raise AssertionError("nothing was heard")


async def _idle_beyond_the_limit(dsn: str) -> None:
    """Wait until the server has ended a session that kept the database's own limit."""
    async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as connection:
        while not connection.closed:
            try:
                async for _ in connection.notifies(timeout=1):
                    pass
            except psycopg.OperationalError:
                return


@pytest.mark.direct
async def test_commits_that_wait_for_more_than_the_disk_still_do(database: str) -> None:
    with psycopg.connect(database, autocommit=True) as owner:
        owner.execute(
            SQL("alter database {} set synchronous_commit = remote_apply").format(
                Identifier(owner.info.dbname)
            )
        )
    async with await connect(database, name="test") as connection:
        cursor = await connection.execute("show synchronous_commit")
        assert await cursor.fetchone() == ("remote_apply",)


@pytest.mark.direct
async def test_migrate_gives_the_role_what_its_sessions_set(
    odd_database: str, database: str
) -> None:
    await set_defaults(database)
    await set_defaults(database)
    with psycopg.connect(odd_database, autocommit=True) as plain:
        assert plain.info.user == PROCESS
        assert plain.execute("show jit").fetchone() == ("off",)
        assert plain.execute("show datestyle").fetchone() == ("ISO, YMD",)

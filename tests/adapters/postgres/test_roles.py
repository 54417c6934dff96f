"""The role of running processes adds to the log and reads it, and can take nothing back."""

import secrets
from collections.abc import AsyncIterator, Iterator
from typing import Any, LiteralString
from uuid import uuid4

import psycopg
import pytest
from psycopg import errors
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from adapters.crypto.key_ring import KeyRing
from adapters.crypto.vault import EnvelopeVault
from adapters.postgres.data_keys import PostgresDataKeys
from adapters.postgres.documents import PostgresDocuments
from adapters.postgres.event_store import PostgresEventStore
from adapters.postgres.leases import PostgresLeases
from adapters.postgres.mapper import Mapper
from adapters.postgres.migrations import migrate
from adapters.postgres.read_models import install
from adapters.postgres.rebuild import Rebuilder
from adapters.postgres.roles import as_process, who_may_rewrite
from adapters.postgres.sessions import open_pool
from adapters.postgres.task_logs import PostgresTaskLogs
from application.ports import LogLine
from projections import PROJECTIONS
from tests.adapters.contracts.event_store import EventStoreContract, append, on


@pytest.fixture
async def process_dsn(database: str) -> str:
    """How a process signs in."""
    await migrate(database)
    return as_process(database)


@pytest.fixture
def connection(process_dsn: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(process_dsn, autocommit=True) as connection:
        yield connection


class TestAsAProcess(EventStoreContract):
    @pytest.fixture
    async def store(self, process_dsn: str) -> AsyncIterator[PostgresEventStore]:
        async with PostgresEventStore(process_dsn) as store:
            yield store


@pytest.mark.parametrize(
    "sql",
    [
        "update log.stored_events set state = ''",
        "delete from log.stored_events",
        "truncate log.stored_events",
        "insert into log.stored_events values (gen_random_uuid(), 1, 'x', '', 1)",
        "update log.head set position = 0",
        "insert into log.claims values ('k', gen_random_uuid(), 1)",
        "delete from log.claims",
        "update log.documents set body = ''",
        "delete from log.documents",
        "delete from log.commands",
        "drop table log.stored_events",
        "alter table log.stored_events disable trigger all",
        "create table log.mine (n int)",
        "update public.quarterdeck_schema set number = 0",
        "create schema mine",
        "create table read_models.mine (n int)",
        "select read_models.add_schema('log_v2')",
        "alter function log.append_one security invoker",
        "alter role quarterdeck_process superuser",
    ],
)
async def test_nothing_of_the_log_is_changed_or_removed(
    process_dsn: str, connection: psycopg.Connection[Any], sql: LiteralString
) -> None:
    async with PostgresEventStore(process_dsn) as store:
        await store.append(append(on(uuid4())))
        with pytest.raises(errors.InsufficientPrivilege):
            connection.execute(sql)
        assert await store.head() == 1


def test_a_process_cannot_become_the_owner(
    connection: psycopg.Connection[Any], database: str
) -> None:
    owner = conninfo_to_dict(database)["user"]
    for sql in (f"set role {owner}", f"set session authorization {owner}"):
        with pytest.raises(errors.InsufficientPrivilege):
            connection.execute(sql.encode())
    connection.execute("reset role")
    connection.execute("reset session authorization")
    with pytest.raises(errors.InsufficientPrivilege):
        connection.execute("update log.stored_events set state = ''")


async def test_who_signs_in_as_the_owner_is_told_from_a_process(
    database: str, process_dsn: str
) -> None:
    assert await who_may_rewrite(process_dsn) is None
    assert await who_may_rewrite(database) == conninfo_to_dict(database)["user"]


async def test_a_process_does_not_bring_the_schema_to_a_version(database: str) -> None:
    await migrate(database)
    with psycopg.connect(database, autocommit=True) as owner:
        owner.execute("delete from public.quarterdeck_schema where number = 6")
    with pytest.raises(errors.InsufficientPrivilege):
        await migrate(as_process(database))


async def test_who_is_no_process_may_not_even_append(database: str, process_dsn: str) -> None:
    role = f"stranger_{secrets.token_hex(4)}"
    with psycopg.connect(database, autocommit=True) as owner:
        owner.execute(f"create role {role} login")
    try:
        async with PostgresEventStore(make_conninfo(database, user=role)) as store:
            with pytest.raises(errors.InsufficientPrivilege):
                await store.append(append(on(uuid4())))
            with pytest.raises(errors.InsufficientPrivilege):
                await store.read()
    finally:
        with psycopg.connect(database, autocommit=True) as owner:
            owner.execute(f"drop role {role}")


async def test_a_process_finds_its_schema_as_it_must_be(process_dsn: str) -> None:
    assert await migrate(process_dsn) == []


async def test_a_process_keeps_what_stands_beside_the_log(process_dsn: str) -> None:
    async with open_pool(process_dsn, name="beside", size=2) as pool:
        keys = PostgresDataKeys(pool)
        ring = KeyRing.generate()
        subject_id = uuid4()
        vault = EnvelopeVault(ring, keys)
        await vault.seal_bytes(subject_id, b"label", b"plain")
        await PostgresDocuments(pool, vault).prepare("text", subject_id)
        assert await keys.rewrap(2, lambda key: (key[0], 2, key[2])) == 1
        assert await keys.erase(subject_id)
        await keys.keep_canary(1, b"canary")
        logs = PostgresTaskLogs(pool)
        await logs.write(uuid4(), [LogLine("boot", "hello")])
        await logs.drop_old()
        leases = PostgresLeases(pool)
        assert await leases.hold("task", "m1", 5)
        await leases.release("task", "m1")


async def test_a_process_builds_read_models_switches_and_drops_them(process_dsn: str) -> None:
    await install(process_dsn, PROJECTIONS)
    rebuilder = Rebuilder(process_dsn, Mapper().recorded)
    for projection in PROJECTIONS:
        await rebuilder.rebuild(projection)
        assert (await rebuilder.check(projection)).is_equal


async def test_what_the_owner_built_a_process_feeds_and_replaces(
    database: str, process_dsn: str, connection: psycopg.Connection[Any]
) -> None:
    await install(database, PROJECTIONS)
    schemas = connection.execute("select schema_name from read_models.builds").fetchall()
    for (schema,) in schemas:
        tables = connection.execute(
            "select relname from pg_class where relkind = 'r' and relnamespace = %s::regnamespace",
            [schema],
        ).fetchall()
        for (table,) in tables:
            connection.execute(f"delete from {schema}.{table}".encode())
    for projection in PROJECTIONS:
        await Rebuilder(process_dsn, Mapper().recorded).rebuild(projection)
    left = connection.execute(
        "select nspname from pg_namespace where nspname = any(%s)", [[name for (name,) in schemas]]
    )
    assert left.fetchall() == []


@pytest.mark.parametrize(
    ("schema", "privileges"),
    [
        ("log", "select"),
        ("samples", "select, insert, update, delete"),
        ("deliveries", "select, insert, update, delete"),
        ("read_models", "select, insert, update, delete"),
    ],
)
def test_no_table_was_forgotten(
    connection: psycopg.Connection[Any], schema: str, privileges: str
) -> None:
    """A step that adds a table says what processes may do with it."""
    without = connection.execute(
        "select c.relname from pg_class c where c.relnamespace = %s::regnamespace"
        " and c.relkind in ('r', 'p', 'v') and not c.relispartition"
        " and not (select bool_and(has_table_privilege(c.oid, p))"
        "          from unnest(string_to_array(%s, ', ')) p)",
        [schema, privileges],
    ).fetchall()
    assert without == []

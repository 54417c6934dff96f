"""Processes sign in as a role that adds to the log and can take nothing back."""

from importlib.resources import files
from typing import Any

from psycopg import AsyncConnection
from psycopg.conninfo import make_conninfo
from psycopg.errors import InsufficientPrivilege
from psycopg.sql import SQL, Identifier, Literal

from adapters.postgres.sessions import EVERY_SESSION, connect

PROCESS = "quarterdeck_process"
"""Made by schema step 7 and let in by step 9, or made by an administrator and let in later."""
IS_LET_IN = """
    select pg_get_userbyid(nspowner) = 'quarterdeck_process'
    from pg_namespace where nspname = 'read'
"""
MAKE = """
    do $$ begin
        if not exists (select from pg_roles where rolname = 'quarterdeck_process') then
            create role quarterdeck_process login;
        end if;
    end $$
"""
JOIN = """
    do $$ begin
        if not pg_has_role(current_user, 'quarterdeck_process', 'usage') then
            execute format('grant quarterdeck_process to %I', current_user);
        end if;
    end $$
"""
DEFAULTS = """
    select coalesce(s.setconfig, '{}') from pg_roles r
    join pg_database d on d.datname = current_database()
    left join pg_db_role_setting s on s.setrole = r.oid and s.setdatabase = d.oid
    where r.rolname = 'quarterdeck_process'
"""
MAY_REWRITE = """
    select current_user, bool_or(has_table_privilege('log.stored_events', asked))
    from unnest(array['update', 'delete', 'truncate']) as asked
"""


def as_process(dsn: str) -> str:
    """The connection string of a process, on a server that lets the role in without a password."""
    return make_conninfo(dsn, user=PROCESS)


async def admit_processes(dsn: str) -> str | None:
    """As the owner, let the role of processes in; or what an administrator must say for it."""
    async with await connect(dsn, name="role") as connection:
        cursor = await connection.execute(IS_LET_IN)
        if await cursor.fetchone() == (True,):
            return None
        try:
            async with connection.transaction():
                await _admit(connection)
        except InsufficientPrivilege:
            owner = connection.info.user
            return (
                f"{owner} may not make the role {PROCESS}. Let an administrator say:"
                f" create role {PROCESS} login; grant {PROCESS} to {owner};"
                " and run `quarterdeck migrate` again."
            )
    return None


async def _admit(connection: AsyncConnection[Any]) -> None:
    await connection.execute(MAKE)
    await connection.execute(JOIN)
    admission = files("adapters.postgres").joinpath("schema", "admission.sql").read_text()
    await connection.execute(admission.encode())


async def set_defaults(dsn: str) -> None:
    """As the owner, give sessions of the role what sessions of ours set by themselves.

    So they are right from their first statement on. An owner who may not is no harm.
    """
    async with await connect(dsn, name="role") as connection:
        cursor = await connection.execute(DEFAULTS)
        row = await cursor.fetchone()
        if row is None:
            return
        there = {setting.lower() for setting in row[0]}
        for name, value in EVERY_SESSION.items():
            if f"{name}={value}".lower() not in there and await _has(connection, name):
                try:
                    await connection.execute(
                        SQL("alter role {} in database {} set {} = {}").format(
                            Identifier(PROCESS),
                            Identifier(connection.info.dbname),
                            Identifier(name),
                            Literal(value),
                        )
                    )
                except InsufficientPrivilege:
                    return


async def _has(connection: AsyncConnection[Any], setting: str) -> bool:
    cursor = await connection.execute("select current_setting(%s, true) is not null", [setting])
    return await cursor.fetchone() == (True,)


async def who_may_rewrite(dsn: str) -> str | None:
    """The role that this connection string signs in as, if it could change what was written."""
    async with await connect(dsn, name="role") as connection:
        row = await (await connection.execute(MAY_REWRITE)).fetchone()
    assert row is not None
    return row[0] if row[1] else None

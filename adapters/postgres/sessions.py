"""Sessions with PostgreSQL: each sets what it relies on, whatever the server's defaults are.

A database, a role, a pooler or libpq's own environment may have set anything. What is set here is
set after the connection is made, because a pooler takes no `options`.
"""

import asyncio
from collections.abc import Mapping
from functools import partial
from typing import Any

import psycopg
from psycopg import AsyncConnection
from psycopg.conninfo import conninfo_to_dict
from psycopg.errors import ConnectionTimeout
from psycopg_pool import AsyncConnectionPool

from adapters.postgres import arrays

CONNECT_SECONDS = 5
CONFIGURE_SECONDS = 10.0
"""A pooler makes a session wait while all of its server connections are taken."""
IDLE_SECONDS = 30.0
"""A pool gives back so soon what it needed for a while: others wait for it at a pooler."""
RECONNECT_SECONDS = 1.0
"""A pool that finds no server gives up after so long, and tries anew at once for who asks next.

By itself it would go on with pauses that double: after an outage of a minute for a minute more.
"""
Settings = Mapping[str, str]

EVERY_SESSION: Settings = {
    # How values are written and read.
    "client_encoding": "UTF8",
    "timezone": "UTC",
    "datestyle": "ISO, YMD",
    "intervalstyle": "postgres",
    "bytea_output": "hex",
    "extra_float_digits": "1",
    "array_nulls": "on",
    "xmloption": "content",
    # What statements mean.
    "search_path": "pg_catalog",
    "standard_conforming_strings": "on",
    "transform_null_equals": "off",
    "quote_all_identifiers": "off",
    "row_security": "on",
    "check_function_bodies": "on",
    # A decision under the log's lock must see what was committed before it had the lock.
    "default_transaction_isolation": "read committed",
    "default_transaction_deferrable": "off",
    # What was acknowledged is on the disk.
    "synchronous_commit": "on",
    # How long things last: the limits are ours, and a listener is idle for days.
    "statement_timeout": "0",
    "lock_timeout": "0",
    "transaction_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
    "idle_session_timeout": "0",
    # Compiling a plan takes a hundred times as long as what the plan does here.
    "jit": "off",
    "plan_cache_mode": "auto",
}
"""`default_transaction_read_only` is the administrator's: who sets it wants no writes."""
LOOKS_UP_BY_KEY: Settings = {
    # Plans of prepared statements last: one made while a table is small would read all of it later.
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
}
WRITES_READ_MODELS: Settings = {
    # What a crash takes back is fed again from the log: the position is taken back with it.
    "synchronous_commit": "off",
}

SET = """
    select set_config(name, case
        when name = 'synchronous_commit' and value = 'on' and current_setting(name) <> 'off'
        then current_setting(name) else value end, false)
    from unnest(%s::text[], %s::text[]) as wanted(name, value)
    where current_setting(name, true) is not null
"""
"""Settings that this version of the server does not have are left out, and commits that wait for
more than the disk, such as for a standby, still do."""


Connection = AsyncConnection[Any]


async def connect(dsn: str, *, name: str, settings: Settings | None = None) -> Connection:
    """One connection in autocommit mode that takes packed arrays.

    `settings` are added to those of every session. Each host has 5 s to answer, unless the
    connection string says otherwise. Raises psycopg's errors.
    """
    connection = await AsyncConnection.connect(dsn, **_options(dsn, name))
    try:
        await _configure(connection, settings)
    except BaseException:
        await connection.close()
        raise
    return connection


def connect_blocking(dsn: str, *, name: str) -> psycopg.Connection[Any]:
    """The same for code that waits in a thread of its own."""
    connection = psycopg.connect(dsn, **_options(dsn, name))
    connection.execute(SET, _wanted(None))
    return connection


def open_pool(
    dsn: str, *, name: str, size: int, settings: Settings | None = None
) -> AsyncConnectionPool[Any]:
    """A pool of sessions, not opened yet; who asks waits at most 5 s for one."""
    return AsyncConnectionPool(
        dsn,
        kwargs=_options(dsn, name),
        configure=partial(_configure, settings=settings),
        min_size=1,
        max_size=size,
        timeout=CONNECT_SECONDS,
        max_idle=IDLE_SECONDS,
        reconnect_timeout=RECONNECT_SECONDS,
        name=name,
        open=False,
    )


async def _configure(connection: Connection, settings: Settings | None) -> None:
    try:
        async with asyncio.timeout(CONFIGURE_SECONDS):
            await connection.execute(SET, _wanted(settings))
    except TimeoutError:
        raise ConnectionTimeout(
            f"the server, or a pooler in front of it, gave no session within"
            f" {CONFIGURE_SECONDS:g} s"
        ) from None
    arrays.register(connection)


def _wanted(settings: Settings | None) -> list[list[str]]:
    all_ = {**EVERY_SESSION, **(settings or {})}
    return [list(all_), list(all_.values())]


def _options(dsn: str, name: str) -> dict[str, Any]:
    given = conninfo_to_dict(dsn).get("connect_timeout")
    return {
        "autocommit": True,
        "application_name": f"quarterdeck {name}",
        "connect_timeout": CONNECT_SECONDS if given is None else int(given),
    }

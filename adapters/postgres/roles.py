"""Processes sign in as a role that adds to the log and can take nothing back."""

import psycopg
from psycopg.conninfo import make_conninfo

PROCESS = "quarterdeck_process"
"""Made by schema step 7, and let in by step 9."""
MAY_REWRITE = """
    select current_user, bool_or(has_table_privilege('log.stored_events', asked))
    from unnest(array['update', 'delete', 'truncate']) as asked
"""


def as_process(dsn: str) -> str:
    """The connection string of a process, on a server that lets the role in without a password."""
    return make_conninfo(dsn, user=PROCESS)


async def who_may_rewrite(dsn: str) -> str | None:
    """The role that this connection string signs in as, if it could change what was written."""
    connection = await psycopg.AsyncConnection.connect(
        dsn, autocommit=True, application_name="quarterdeck role", connect_timeout=5
    )
    async with connection:
        row = await (await connection.execute(MAY_REWRITE)).fetchone()
    assert row is not None
    return row[0] if row[1] else None

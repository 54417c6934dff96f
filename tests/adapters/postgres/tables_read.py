"""How often a table of the log was read from end to end, as PostgreSQL counts it."""

import psycopg

SCANS = """
    select sum(seq_scan) from pg_stat_user_tables where schemaname = 'log' and relname <> 'head'
"""


async def whole_tables_read(dsn: str) -> int:
    """By all sessions that are over: what a session did is counted at its end."""
    async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as connection:
        while True:
            cursor = await connection.execute(
                "select count(*) from pg_stat_activity where application_name like 'quarterdeck %'"
                " and datname = current_database()"
            )
            if await cursor.fetchone() == (0,):
                break
        cursor = await connection.execute(SCANS)
        ((count,),) = await cursor.fetchall()
    return int(count)

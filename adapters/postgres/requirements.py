"""What a PostgreSQL must be for Quarterdeck: checked at each start, refused in one sentence."""

from psycopg import AsyncConnection

from adapters.postgres.sessions import Connection, connect

OLDEST = 150_000
"""PostgreSQL 15, as server_version_num counts."""
BACKEND = "select pg_backend_pid()"


class UnsuitableServer(Exception):
    """This PostgreSQL cannot hold the log; the sentence says why and what to do."""


async def check_server(dsn: str) -> None:
    """Raises UnsuitableServer, and psycopg's errors when it cannot be reached."""
    # Not a session of ours yet: its settings may be what this encoding cannot have.
    async with await AsyncConnection.connect(dsn, autocommit=True) as plain:
        # As libpq has it: the driver decodes nothing in an encoding that Python does not have.
        _check_version(plain.pgconn.server_version)
        _check_encoding(plain.pgconn.db, plain.pgconn.parameter_status(b"server_encoding") or b"?")
    async with await connect(dsn, name="check") as one:
        await _check_pooling(dsn, one)


def _check_version(version: int) -> None:
    if version < OLDEST:
        raise UnsuitableServer(
            f"This is PostgreSQL {version // 10_000}; Quarterdeck needs version 15 or newer."
        )


def _check_encoding(database: bytes, encoding: bytes) -> None:
    if encoding != b"UTF8":
        raise UnsuitableServer(
            f"The database {database.decode(errors='replace')} has the encoding"
            f" {encoding.decode()}, which cannot hold every text; Quarterdeck needs UTF8."
            " Create another one with: create database NAME encoding 'UTF8' template template0;"
        )


async def _check_pooling(dsn: str, one: Connection) -> None:
    """Two sessions that are open at once have two server processes, unless a pooler shares one."""
    async with await connect(dsn, name="check pooling") as two:
        if not await _share_a_backend(one, two):
            return
        raise UnsuitableServer(
            "A pooler in front of the database shares server connections between sessions"
            " (transaction or statement pooling). Quarterdeck needs sessions of its own, for"
            " LISTEN and for locks: set pool_mode = session for it, or connect to PostgreSQL"
            " directly."
        )


async def _share_a_backend(one: Connection, two: Connection) -> bool:
    """Whether the two were ever served by the same process, or one of them by several."""
    seen = [{await _backend(one)}, {await _backend(two)}]
    if seen[0] == seen[1]:
        return True
    for _ in range(3):
        async with two.transaction():
            seen[1].add(await _backend(two))
            seen[0].add(await _backend(one))
        seen[0].add(await _backend(one))
    return bool(seen[0] & seen[1]) or any(len(pids) > 1 for pids in seen)


async def _backend(connection: Connection) -> int:
    row = await (await connection.execute(BACKEND)).fetchone()
    return int(row[0]) if row else 0

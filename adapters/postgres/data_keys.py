"""Wrapped data keys: one for each subject, re-wrapped on rotation, erased on demand."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from uuid import UUID

from psycopg_pool import AsyncConnectionPool

from adapters.postgres.connection import reachable
from adapters.postgres.sessions import connect
from application.ports import Unavailable

logger = logging.getLogger(__name__)

CHANNEL = "quarterdeck_keys"
PING_SECONDS = 10.0
AGAIN_SECONDS = 0.5
ERASE = """
    with erased as (delete from log.data_keys where subject_id = %s returning subject_id)
    select pg_notify(%s, subject_id::text) from erased
"""
DataKey = tuple[UUID, int, bytes]


class PostgresDataKeys:
    """Where the vault keeps its wrapped keys."""

    def __init__(self, pool: AsyncConnectionPool) -> None:
        self._pool = pool

    async def of_subject(self, subject_id: UUID, made: DataKey) -> DataKey:
        with reachable():
            async with self._pool.connection() as connection:
                await connection.execute(
                    "insert into log.data_keys (id, subject_id, master_version, wrapped)"
                    " values (%s, %s, %s, %s) on conflict (subject_id) do nothing",
                    [made[0], subject_id, made[1], made[2]],
                )
                cursor = await connection.execute(
                    "select id, master_version, wrapped from log.data_keys where subject_id = %s",
                    [subject_id],
                )
                row = await cursor.fetchone()
        assert row is not None
        return row[0], row[1], bytes(row[2])

    async def by_id(self, key_id: UUID) -> DataKey | None:
        with reachable():
            async with self._pool.connection() as connection:
                cursor = await connection.execute(
                    "select id, master_version, wrapped from log.data_keys where id = %s", [key_id]
                )
                row = await cursor.fetchone()
        return (row[0], row[1], bytes(row[2])) if row else None

    async def canaries(self) -> dict[int, bytes]:
        """A known text under each master key in use, to tell at the start whether they fit."""
        with reachable():
            async with self._pool.connection() as connection:
                cursor = await connection.execute(
                    "select master_version, canary from log.key_canaries"
                )
                return {row[0]: bytes(row[1]) for row in await cursor.fetchall()}

    async def keep_canary(self, version: int, canary: bytes) -> None:
        with reachable():
            async with self._pool.connection() as connection:
                await connection.execute(
                    "insert into log.key_canaries values (%s, %s) on conflict do nothing",
                    [version, canary],
                )

    async def rewrap(self, newest: int, change: Callable[[DataKey], DataKey]) -> int:
        """Re-wrap each key that is not under the newest master key; how many were."""
        count = 0
        with reachable():
            async with self._pool.connection() as connection, connection.transaction():
                cursor = await connection.execute(
                    "select id, master_version, wrapped from log.data_keys"
                    " where master_version <> %s for update",
                    [newest],
                )
                for row in await cursor.fetchall():
                    key_id, version, wrapped = change((row[0], row[1], bytes(row[2])))
                    await connection.execute(
                        "update log.data_keys set master_version = %s, wrapped = %s where id = %s",
                        [version, wrapped, key_id],
                    )
                    count += 1
        return count

    async def counts(self) -> dict[int, int]:
        """How many data keys each master key wraps."""
        with reachable():
            async with self._pool.connection() as connection:
                cursor = await connection.execute(
                    "select master_version, count(*) from log.data_keys group by 1 order by 1"
                )
                return {row[0]: row[1] for row in await cursor.fetchall()}

    async def has(self, subject_id: UUID) -> bool:
        """Whether there is a key for the subject."""
        with reachable():
            async with self._pool.connection() as connection:
                cursor = await connection.execute(
                    "select 1 from log.data_keys where subject_id = %s", [subject_id]
                )
                return await cursor.fetchone() is not None

    async def erase(self, subject_id: UUID) -> bool:
        """Erase a subject's key, and tell all who hold it: what it sealed is gone."""
        with reachable():
            async with self._pool.connection() as connection:
                cursor = await connection.execute(ERASE, [subject_id, CHANNEL])
        return cursor.rowcount == 1


async def erasures(dsn: str) -> AsyncIterator[None]:
    """Something whenever a key may have been erased: at each word of it, and when one may have
    been missed; for ever."""
    while True:
        try:
            with reachable():
                async with await connect(dsn, name="erased keys") as connection:
                    await connection.execute(f"listen {CHANNEL}".encode())
                    yield
                    while True:
                        async for _ in connection.notifies(timeout=PING_SECONDS):
                            yield
                        # One that is gone without a word is noticed.
                        await connection.execute("select 1")
        except Unavailable as error:
            logger.warning("Erased keys are not heard of just now: %s", error.detail)
        await asyncio.sleep(AGAIN_SECONDS)

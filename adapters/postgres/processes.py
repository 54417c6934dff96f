"""Every process says every few seconds that it is there; who is silent for long is forgotten."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool

from adapters.postgres.connection import reachable
from application.ports import Unavailable

BEAT_SECONDS = 5.0
SILENT_SECONDS = 15.0
FORGOTTEN_SECONDS = 3600.0

BEAT = """
    insert into samples.processes as known (name, kind, detail) values (%s, %s, %s)
    on conflict (kind, name) do update set detail = excluded.detail, seen_at = clock_timestamp()
"""
SEEN = """
    select kind, name, detail, seen_at,
           seen_at > clock_timestamp() - %s * interval '1 s' as is_alive
    from samples.processes order by kind, name
"""


class Presence:
    """One process's sign of life; `detail` is asked each time for what it does just now."""

    def __init__(
        self, pool: AsyncConnectionPool, kind: str, name: str, detail: Callable[[], str]
    ) -> None:
        self._pool = pool
        self._kind = kind
        self._name = name
        self._detail = detail

    async def run(self) -> None:
        """Tell for ever, and take it back when the process ends in order."""
        try:
            while True:
                await self._quietly(self._beat)
                await asyncio.sleep(BEAT_SECONDS)
        finally:
            await self._quietly(self._leave)

    async def _quietly(self, act: Callable[[], Any]) -> None:
        # A database that is away is told of by everyone who needs it; this one need not.
        try:
            await act()
        except Unavailable:
            return

    async def _beat(self) -> None:
        with reachable():
            async with self._pool.connection() as connection:
                await connection.execute(BEAT, [self._name, self._kind, self._detail()])
                await connection.execute(
                    "delete from samples.processes"
                    " where seen_at < clock_timestamp() - %s * interval '1 s'",
                    [FORGOTTEN_SECONDS],
                )

    async def _leave(self) -> None:
        with reachable():
            async with self._pool.connection() as connection:
                await connection.execute(
                    "delete from samples.processes where kind = %s and name = %s",
                    [self._kind, self._name],
                )


async def seen_processes(pool: AsyncConnectionPool) -> Sequence[dict[str, Any]]:
    """`kind`, `name`, `detail`, `seen_at`, `is_alive` of each process that was seen lately."""
    with reachable():
        async with pool.connection() as connection:
            cursor = connection.cursor(row_factory=dict_row)
            await cursor.execute(SEEN, [SILENT_SECONDS])
            return await cursor.fetchall()

"""A reader who knows a position waits here until the read models show it."""

import asyncio
import logging
from collections.abc import Iterable, Mapping
from typing import Any

import psycopg

from adapters.postgres.connection import GONE, sentence
from adapters.postgres.sessions import connect
from projections.projection import Projection

CHANNEL = "quarterdeck_read"
POLL_SECONDS = 1.0
RETRY_SECONDS = 0.5
SEEN = """
    select b.projection, coalesce(min(p.upto), b.built_to)
    from read_models.builds b left join read_models.positions p using (build)
    where b.is_active and b.projection = any(%s) group by b.projection, b.built_to
"""
logger = logging.getLogger(__name__)


class Visibility:
    """Tells when all of these projections have seen everything up to a position.

    Those that this process reads: another version's may be there too, and nobody feeds them.

    One connection per process listens for all who wait; while nobody waits nothing is asked.
    """

    def __init__(self, dsn: str, projections: Iterable[Projection]) -> None:
        self._dsn = dsn
        self._names = [projection.name for projection in projections]
        self._seen: Mapping[str, int] = {}
        self._waiting = 0
        self._looked = asyncio.Event()
        self._somebody_waits = asyncio.Event()

    async def wait_for(self, position: int, timeout_seconds: float = 5.0) -> bool:
        """Whether the projections show the position in time."""
        if self._shows(position):
            return True
        self._waiting += 1
        self._somebody_waits.set()
        try:
            async with asyncio.timeout(timeout_seconds):
                while not self._shows(position):
                    await self._looked.wait()
        except TimeoutError:
            return False
        finally:
            self._waiting -= 1
        return True

    async def run(self) -> None:
        """Serve those who wait, for ever; without it everyone waits in vain."""
        while True:
            try:
                async with await self._connect() as connection:
                    while True:
                        await self._somebody_waits.wait()
                        await self._serve(connection)
            except GONE as error:
                logger.warning("Nobody can wait for the read models: %s", sentence(error))
                # A crash may throw read models back.
                self._seen = {}
                await asyncio.sleep(RETRY_SECONDS)

    async def _serve(self, connection: psycopg.AsyncConnection[Any]) -> None:
        """Listen while somebody waits; what nobody listens to need not be read."""
        await connection.execute(f"listen {CHANNEL}".encode())
        while self._waiting:
            await self.look(connection)
            # Those who were let go leave first, so that nothing is asked for nobody.
            await asyncio.sleep(0)
            if self._waiting:
                async for _ in connection.notifies(timeout=POLL_SECONDS, stop_after=1):
                    pass
        self._somebody_waits.clear()
        await connection.execute(b"unlisten *")

    async def look(self, connection: psycopg.AsyncConnection[Any]) -> None:
        """One iteration: see how far the projections are, and let go whom that satisfies."""
        cursor = await connection.execute(SEEN, [self._names])
        self._seen = {name: int(upto) for name, upto in await cursor.fetchall()}
        looked, self._looked = self._looked, asyncio.Event()
        looked.set()

    def _shows(self, position: int) -> bool:
        return all(self._seen.get(name, -1) >= position for name in self._names)

    async def _connect(self) -> psycopg.AsyncConnection[Any]:
        return await connect(self._dsn, name="visibility")

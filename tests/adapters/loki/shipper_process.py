"""A shipper as a process of its own, to be killed; told the database and where Loki is."""

import asyncio
import sys
from datetime import UTC

from adapters.loki.shipper import LokiShipper
from adapters.postgres.event_store import PostgresEventStore
from adapters.postgres.leadership import lead_and_work
from adapters.postgres.marks import PostgresMarks
from adapters.postgres.sessions import open_pool
from adapters.postgres.stream import LogStream


async def main(dsn: str, url: str) -> None:
    async with (
        PostgresEventStore(dsn) as store,
        open_pool(dsn, name="loki", size=1) as pool,
    ):
        marks = PostgresMarks(pool, "loki")
        stream = LogStream(dsn, store.mapper.recorded)
        shipper = LokiShipper(stream, store, marks, url, zone=UTC, linger_seconds=0.05)
        await lead_and_work(dsn, "loki", shipper.run)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))

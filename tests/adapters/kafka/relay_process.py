"""A relay as a process of its own, to be killed; told the database, Kafka and the topic."""

import asyncio
import sys

from adapters.kafka.cluster import Cluster
from adapters.kafka.messages import Stored
from adapters.kafka.relay import Relay
from adapters.postgres.leadership import lead_and_work
from adapters.postgres.marks import PostgresMarks
from adapters.postgres.sessions import open_pool
from adapters.postgres.stream import LogStream


async def main(dsn: str, servers: str, topic: str) -> None:
    async with open_pool(dsn, name="relay", size=1) as pool:
        place = PostgresMarks(pool, "relay", durable=False)
        relay = Relay(LogStream(dsn, Stored), place, Cluster(servers, topic))
        await lead_and_work(dsn, "relay", relay.run)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))

"""A process that appends by many hands to hot streams: `python -m tests.support.writing`."""

import asyncio
import random
import sys
from dataclasses import dataclass
from uuid import UUID, uuid5

from adapters.postgres.event_store import PostgresEventStore
from application.ports import Append, AppendConflict, StreamAppend
from domain.users import SignInLinkUsed

STREAMS = UUID(int=0x5EA)
WORKSPACES = 9


@dataclass(frozen=True, slots=True)
class Load:
    """How much each process writes: `events`, by so many hands, to so many streams, at most so
    many in an append."""

    events: int
    hands: int = 32
    streams: int = 16
    most: int = 4


async def write(dsn: str, load: Load, seed: int) -> int:
    """Append until enough is written; how many events were acknowledged."""
    written = 0
    versions: dict[UUID, int] = {}
    async with PostgresEventStore(dsn, readers=2) as store:

        async def hand(number: int) -> None:
            nonlocal written
            chance = random.Random(f"{seed} {number}")
            while written < load.events:
                name = chance.randrange(load.streams)
                stream_id = uuid5(STREAMS, str(name))
                workspace_id = uuid5(STREAMS, f"workspace {name % WORKSPACES}")
                count = chance.randint(1, load.most)
                expected = versions.get(stream_id, 0)
                events = [SignInLinkUsed(session_id=stream_id) for _ in range(count)]
                try:
                    await store.append(
                        Append(
                            [StreamAppend(stream_id, expected, events)],
                            {"pid": number, "workspace_id": workspace_id},
                        )
                    )
                except AppendConflict:
                    newer = await store.load(stream_id, expected)
                    newest = newer[-1].version if newer else expected
                    versions[stream_id] = max(newest, versions.get(stream_id, 0))
                else:
                    versions[stream_id] = max(expected + count, versions.get(stream_id, 0))
                    written += count

        await asyncio.gather(*(hand(n) for n in range(load.hands)))
    return written


if __name__ == "__main__":
    dsn, seed, *numbers = sys.argv[1:]
    print(asyncio.run(write(dsn, Load(*map(int, numbers)), int(seed))))

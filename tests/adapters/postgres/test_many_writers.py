"""Many hands in two processes write to the same streams while others read on: nothing is missed."""

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import astuple
from uuid import UUID

from adapters.kafka.messages import Stored
from adapters.postgres.event_store import PostgresEventStore
from adapters.postgres.stream import LogStream
from tests.support.progress import Progress
from tests.support.tails import Tail
from tests.support.writing import Load

PATIENCE_SECONDS = 90
SLOWEST = 1_000
"""Events in a second that the slowest of machines gives to a tail."""


async def test_no_position_is_missed_and_no_time_goes_back(log_database: str) -> None:
    await watch_writers(log_database, Load(events=1_500), [Tail(LogStream(log_database, Stored))])


async def watch_writers(
    dsn: str,
    load: Load,
    tails: Sequence[Tail],
    pages: Sequence[int] = (7, 500),
) -> int:
    """Two processes write so much each, tails and readers of pages follow; how much each saw."""
    async with PostgresEventStore(dsn) as store, following(tails, 2 * load.events):
        over = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            readers = [group.create_task(follow(store, over, page)) for page in pages]
            written = await asyncio.gather(*(write_beside(dsn, load, seed) for seed in (1, 2)))
            over.set()
        assert sum(written) >= 2 * load.events
        assert {reader.result() for reader in readers} == {sum(written)}
        assert await store.head() == sum(written)
        async with asyncio.timeout(PATIENCE_SECONDS + sum(written) / SLOWEST):
            while any(tail.met < sum(written) for tail in tails):
                await asyncio.sleep(0.05)
        assert {tail.met for tail in tails} == {sum(written)}
    return sum(written)


@asynccontextmanager
async def following(tails: Sequence[Tail], wanted: int) -> AsyncIterator[None]:
    """With tails that run beside; a fault of one of them is the fault of all."""
    async with asyncio.TaskGroup() as group:
        running = [group.create_task(tail.run(), name="tail") for tail in tails]
        running.append(group.create_task(tell(tails, wanted), name="progress"))
        yield
        for task in running:
            task.cancel()


async def tell(tails: Sequence[Tail], wanted: int) -> None:
    """Tell how far the last of the tails is."""
    progress = Progress(wanted, "events met by each tail")
    while True:
        progress.at(min(tail.met for tail in tails), [tail.met for tail in tails])
        await asyncio.sleep(0.5)


async def follow(store: PostgresEventStore, over: asyncio.Event, page: int) -> int:
    """Read on from the last position until nobody writes any more."""
    position, recorded_at = 0, None
    versions: dict[UUID, int] = {}
    while True:
        was_over = over.is_set()
        records = await store.read(after=position, limit=page)
        for recorded in records:
            assert recorded.position == position + 1
            assert recorded.version == versions.get(recorded.stream_id, 0) + 1
            assert recorded_at is None or recorded.recorded_at >= recorded_at
            position, recorded_at = recorded.position, recorded.recorded_at
            versions[recorded.stream_id] = recorded.version
        if not records:
            if was_over:
                return position
            await asyncio.sleep(0.001)


async def write_beside(dsn: str, load: Load, seed: int) -> int:
    """What another process wrote."""
    async with _process(dsn, load, seed) as process:
        out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    return int(out)


@asynccontextmanager
async def _process(dsn: str, load: Load, seed: int) -> AsyncIterator[asyncio.subprocess.Process]:
    words = [str(n) for n in (seed, *astuple(load))]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.support.writing", dsn, *words),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()

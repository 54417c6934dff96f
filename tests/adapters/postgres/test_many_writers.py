"""Many hands in two processes write to the same streams while others read on: nothing is missed."""

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import astuple
from uuid import UUID

from adapters.postgres.event_store import PostgresEventStore
from tests.support.writing import Load


async def test_no_position_is_missed_and_no_time_goes_back(log_database: str) -> None:
    await watch_writers(log_database, Load(events=1_500))


async def watch_writers(dsn: str, load: Load, pages: Sequence[int] = (7, 500)) -> int:
    """Two processes write so much each, readers follow by pages; how many events each saw."""
    async with PostgresEventStore(dsn) as store:
        over = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            readers = [group.create_task(follow(store, over, page)) for page in pages]
            written = await asyncio.gather(*(write_beside(dsn, load, seed) for seed in (1, 2)))
            over.set()
        assert sum(written) >= 2 * load.events
        assert {reader.result() for reader in readers} == {sum(written)}
        assert await store.head() == sum(written)
    return sum(written)


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

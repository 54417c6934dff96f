"""Events decoded a second against raw keyset pages of the same rows."""

import asyncio
import time
from collections.abc import Iterator
from statistics import median
from uuid import UUID, uuid4

import psycopg

from adapters.postgres.event_store import PostgresEventStore
from adapters.postgres.mapper import COLUMNS, Mapper
from adapters.running import run as run_process
from application.ports import Append, StreamAppend
from domain.model import Envelope, Event
from domain.workspaces import WorkspaceCreated, WorkspaceRenamed
from tests.benchmarks.bench import Figure, embedded

STREAMS = 2_000
EVENTS = 50
PAGE = 500
ROUNDS = 7
WHO: Envelope = {
    "workspace_id": uuid4(),
    "workspace": "production",
    "actor": {"type": "AuthToken", "id": uuid4(), "name": "terraform-ci"},
    "remote_address": "10.20.4.17",
    "request_id": "ea09d409dc3c95dcf658fc2c2838084b",
    "pid": 19,
    "correlation_id": uuid4(),
}
QUERY = (
    f"select {COLUMNS} from log.stored_events where notification_id > %b"
    " order by notification_id limit %b"
)


def run() -> Iterator[Figure]:
    with embedded() as database:
        asyncio.run(fill(database.process, STREAMS, EVENTS))
        rounds = [_round(database.process) for _ in range(ROUNDS)]
    ours, raw = (median(column) for column in zip(*rounds, strict=True))
    told = f"{ours:,.0f}/s; raw {raw:,.0f}/s"
    yield Figure("replay_vs_raw", median(mine / theirs for mine, theirs in rounds), 0.45, told=told)


def _round(dsn: str) -> tuple[float, float]:
    """One after the other, because the machine is not equally fast all the time."""
    return run_process(_pages(dsn, Mapper())), run_process(_pages(dsn, None))


async def fill(dsn: str, streams: int, events: int) -> None:
    """A log of that many streams with that many events each, in turn."""
    async with PostgresEventStore(dsn) as store:

        async def stream(stream_id: UUID) -> None:
            for start in range(0, events, 10):
                made = [_event(n) for n in range(start, min(start + 10, events))]
                await store.append(Append([StreamAppend(stream_id, start, made)], WHO))

        for _ in range(streams // 100):
            await asyncio.gather(*(stream(uuid4()) for _ in range(100)))


def _event(n: int) -> Event:
    if n == 0:
        return WorkspaceCreated(name="Production", slug="production")
    return WorkspaceRenamed(name=f"Production {n}", previous_name=f"Production {n - 1}")


async def _pages(dsn: str, mapper: Mapper | None) -> float:
    """Rows a second through the whole log, decoded when a mapper is given."""
    position = count = 0
    with psycopg.connect(dsn, autocommit=True) as connection:
        cursor = connection.cursor(binary=True)
        begun = time.perf_counter()
        while True:
            cursor.execute(QUERY, [position, PAGE], prepare=True)
            rows = cursor.fetchall()
            if not rows:
                return count / (time.perf_counter() - begun)
            position, count = rows[-1][0], count + len(rows)
            if mapper is not None:
                mapper.records(rows)

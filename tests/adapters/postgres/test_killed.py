"""PostgreSQL is killed under load: what was acknowledged is there once, and work goes on."""

import asyncio
import os
import random
import signal
from collections.abc import Callable
from uuid import UUID, uuid4

import psycopg
import pytest

from adapters.postgres.event_store import PostgresEventStore
from adapters.postgres.migrations import migrate
from application.ports import AppendConflict, Appended, CommandSeen, Unavailable
from tests.adapters.contracts.event_store import append, command, on
from tests.support.progress import Progress
from tests.support.servers import PostgresServer

HANDS = 16
End = Callable[[PostgresServer, random.Random], None]


@pytest.mark.slow
async def test_what_was_acknowledged_survives_a_kill(own_postgres: PostgresServer) -> None:
    await survive(own_postgres, kills=3, chance=random.Random(3))


@pytest.mark.slow
async def test_what_was_acknowledged_survives_a_shutdown(own_postgres: PostgresServer) -> None:
    """Which tells every session of it, and then resets those that were not read to their end."""
    await survive(own_postgres, kills=6, chance=random.Random(6), end=shut_down)


async def survive(
    server: PostgresServer, kills: int, chance: random.Random, end: End | None = None
) -> int:
    """Append while the server is killed so often; how many appends were acknowledged."""
    await migrate(server.dsn)
    async with PostgresEventStore(server.dsn) as store:
        hands = [Hand(store) for _ in range(HANDS)]
        over = asyncio.Event()
        progress = Progress(kills, "kills of PostgreSQL")
        async with asyncio.TaskGroup() as group:
            for hand in hands:
                group.create_task(hand.work(over))
            for done in range(kills):
                await more_from(hands)
                (end or kill)(server, chance)
                progress.at(done + 1)
            await more_from(hands)
            over.set()
        for hand in hands:
            await hand.check()
        acknowledged = sum(len(hand.acknowledged) for hand in hands)
        written = sum([await hand.written() for hand in hands])
        assert await store.head() == written
    return acknowledged


class Hand:
    """Appends to a stream of its own, again with the same command id when nobody answers."""

    def __init__(self, store: PostgresEventStore) -> None:
        self._store = store
        self._stream_id: UUID = uuid4()
        self.acknowledged: dict[int, Appended | None] = {}
        """Versions that the store said were written, and where."""

    async def work(self, over: asyncio.Event) -> None:
        version = 0
        while not over.is_set():
            version += 1
            self.acknowledged[version] = await self._until_written(version)

    async def _until_written(self, version: int) -> Appended | None:
        """None when the first answer was lost and the command was found to have taken effect."""
        record = command(f"{self._stream_id} {version}")
        while True:
            try:
                return await self._store.append(
                    append(on(self._stream_id, version - 1), command=record)
                )
            except CommandSeen:
                return None
            except (Unavailable, AppendConflict):
                # A conflict: it was decided before another server took over.
                await asyncio.sleep(0.01)

    async def check(self) -> None:
        """Every acknowledged event is there once, where it was said to be."""
        found = {r.version: r for r in await self._store.load(self._stream_id)}
        assert len(found) == len(self.acknowledged)
        for version, appended in self.acknowledged.items():
            place = Appended(found[version].position, found[version].recorded_at)
            assert appended in (None, place)

    async def written(self) -> int:
        return len(await self._store.load(self._stream_id))


async def more_from(hands: list[Hand]) -> None:
    """Wait until each hand has been acknowledged some more."""
    wanted = [len(hand.acknowledged) + 5 for hand in hands]
    async with asyncio.timeout(90):
        while any(len(h.acknowledged) < n for h, n in zip(hands, wanted, strict=True)):
            await asyncio.sleep(0.01)


def kill(server: PostgresServer, chance: random.Random) -> None:
    """The whole server and start it again, or one session, after which it recovers by itself."""
    if chance.random() < 0.5:
        os.kill(server.pid, signal.SIGKILL)
        server.stop()
        server.start()
    else:
        with psycopg.connect(server.dsn) as connection:
            row = connection.execute(
                "select pid from pg_stat_activity where application_name = 'quarterdeck writer'"
            ).fetchone()
        if row is not None:
            os.kill(row[0], signal.SIGKILL)


def shut_down(server: PostgresServer, chance: random.Random) -> None:
    """The whole server and start it again, or the writer's session alone."""
    if chance.random() < 0.5:
        server.stop()
        server.start()
    else:
        with psycopg.connect(server.dsn) as connection:
            connection.execute(
                "select pg_terminate_backend(pid, 5000) from pg_stat_activity"
                " where application_name = 'quarterdeck writer'"
            )

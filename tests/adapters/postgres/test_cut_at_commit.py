"""A connection that is cut at an append leaves exactly one effect, and its writer finds out."""

import asyncio
import random
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, LiteralString
from uuid import UUID, uuid4

import psycopg
import pytest

from adapters.postgres.append_calls import LOCK_KEY
from adapters.postgres.event_store import PostgresEventStore
from adapters.postgres.group_commit import WHOLE
from application.ports import Append, AppendConflict, Appended, CommandSeen, Unavailable
from tests.adapters.contracts.event_store import append, command, on
from tests.support.cutting_proxy import Cut, CuttingProxy, cutting_proxy
from tests.support.progress import Progress

CUTS = 200
HANDS = 3 * WHOLE
WHICH = ["the first", "the one behind it"]
WRITERS = "select pid from pg_stat_activity where application_name = 'quarterdeck writer'"
WAITING = "select pid from pg_locks where locktype = 'advisory' and not granted"
Connection = psycopg.AsyncConnection[Any]


@pytest.fixture
def socket_folder() -> Iterator[Path]:
    """A short path: a unix socket's has 107 characters at most."""
    with tempfile.TemporaryDirectory(prefix="qd-proxy-", dir="/tmp") as folder:
        yield Path(folder)


@pytest.fixture
async def cut_off(
    log_database: str, socket_folder: Path
) -> AsyncIterator[tuple[PostgresEventStore, CuttingProxy]]:
    """A store behind a proxy that cuts its connections."""
    async with (
        cutting_proxy(log_database, socket_folder) as (proxy, dsn),
        PostgresEventStore(dsn) as store,
    ):
        yield store, proxy


@pytest.mark.parametrize("cut", list(Cut))
async def test_an_append_that_is_cut_is_written_once_and_known_to_be(
    cut_off: tuple[PostgresEventStore, CuttingProxy], cut: Cut
) -> None:
    store, proxy = cut_off
    await store.append(append(on(uuid4())))
    stream_id = uuid4()
    proxy.cut(cut)
    appended = await store.append(append(on(stream_id, 0, 3)))
    (*_, last) = loaded = await store.load(stream_id)
    assert proxy.cuts == 1
    assert len(loaded) == 3
    assert appended == Appended(last.position, last.recorded_at)


@pytest.mark.parametrize("cut", list(Cut))
async def test_a_refused_append_that_is_cut_is_refused(
    cut_off: tuple[PostgresEventStore, CuttingProxy], cut: Cut
) -> None:
    store, proxy = cut_off
    stream_id = uuid4()
    await store.append(append(on(stream_id)))
    proxy.cut(cut)
    with pytest.raises(AppendConflict):
        await store.append(append(on(stream_id)))
    assert proxy.cuts == 1
    assert len(await store.load(stream_id)) == 1


@pytest.mark.parametrize("cut", list(Cut))
async def test_a_command_that_changes_nothing_and_is_cut_is_remembered_once(
    cut_off: tuple[PostgresEventStore, CuttingProxy], cut: Cut
) -> None:
    store, proxy = cut_off
    await store.append(append(command=command("first")))
    proxy.cut(cut)
    assert (await store.append(append(command=command("c1")))).position == 0
    assert proxy.cuts == 1
    assert await store.outcome("c1") is not None


async def test_an_append_on_its_way_when_the_client_leaves_is_ended_before_it_is_repeated(
    cut_off: tuple[PostgresEventStore, CuttingProxy], log_database: str
) -> None:
    """The server waits for the log's lock with an append that nobody waits for any more."""
    store, proxy = cut_off
    await store.append(append(on(uuid4())))
    stream_id = uuid4()
    async with await psycopg.AsyncConnection.connect(log_database, autocommit=True) as other:
        await other.execute("select pg_advisory_lock(%s)", [LOCK_KEY])
        writer = await pids(other, WRITERS)
        proxy.cut(Cut.UNHEARD)
        appending = asyncio.ensure_future(store.append(append(on(stream_id))))
        await waiting(other, besides=writer)
        await other.execute("select pg_advisory_unlock(%s)", [LOCK_KEY])
    assert isinstance(await appending, Appended)
    assert len(await store.load(stream_id)) == 1


async def waiting(connection: Connection, besides: set[int]) -> None:
    """Wait until another session than those waits for the log's lock."""
    async with asyncio.timeout(20):
        while not await pids(connection, WAITING) - besides:
            await asyncio.sleep(0.01)


async def pids(connection: Connection, query: LiteralString) -> set[int]:
    return {row[0] for row in await (await connection.execute(query)).fetchall()}


@pytest.mark.parametrize("cut", list(Cut))
@pytest.mark.parametrize("which", [*WHICH, "both"])
async def test_of_two_batches_on_their_way_when_one_is_cut_each_append_gets_its_answer(
    cut_off: tuple[PostgresEventStore, CuttingProxy], cut: Cut, which: str
) -> None:
    store, proxy = cut_off
    await store.append(append(on(uuid4())))
    streams = [uuid4() for _ in range(3 * WHOLE)]
    first, behind = (cut if which in (name, "both") else None for name in WHICH)
    proxy.cut(first, behind)
    results = await asyncio.gather(*(store.append(append(on(s))) for s in streams))
    assert proxy.is_done
    for stream_id, appended in zip(streams, results, strict=True):
        (recorded,) = await store.load(stream_id)
        assert recorded.position == appended.position
    assert await store.head() == 1 + 3 * WHOLE


async def test_a_connection_that_is_cut_again_and_again_is_given_up(
    cut_off: tuple[PostgresEventStore, CuttingProxy],
) -> None:
    store, proxy = cut_off
    await store.append(append(on(uuid4())))
    proxy.cut(*[Cut.BEFORE] * 3)
    stream_id = uuid4()
    with pytest.raises(Unavailable, match="nothing was written"):
        await store.append(append(on(stream_id)))
    assert not await store.load(stream_id)
    await store.append(append(on(stream_id)))


async def test_cut_anywhere_each_append_has_one_effect(
    cut_off: tuple[PostgresEventStore, CuttingProxy],
) -> None:
    store, proxy = cut_off
    await survive(store, proxy, CUTS, random.Random(7))


async def survive(
    store: PostgresEventStore, proxy: CuttingProxy, cuts: int, chance: random.Random
) -> None:
    """Append by many hands, so that batches are on their way behind each other; cut many of them,
    with and without command ids; then count."""
    streams: dict[UUID, int] = {}
    progress = Progress(cuts, "cuts")

    async def hand(number: int) -> None:
        stream_id, version = uuid4(), 0
        while proxy.cuts < cuts:
            if chance.random() < 4 / HANDS:
                proxy.cut(chance.choice(list(Cut)))
            count = chance.randint(1, 3)
            command_id = f"{number}-{version}" if chance.random() < 0.5 else None
            record = command(command_id) if command_id else None
            await until_written(store, append(on(stream_id, version, count), command=record))
            version += count
            streams[stream_id] = version
            progress.at(proxy.cuts)

    await asyncio.gather(*(hand(n) for n in range(HANDS)))
    assert proxy.cuts >= cuts
    for stream_id, version in streams.items():
        assert [r.version for r in await store.load(stream_id)] == list(range(1, version + 1))
    assert await store.head() == sum(streams.values())


async def until_written(store: PostgresEventStore, wanted: Append) -> None:
    """As a client does: ask again with the same command id while the server is not there."""
    while True:
        try:
            await store.append(wanted)
            return
        except CommandSeen:
            return
        except Unavailable as away:
            if wanted.command is None and "nothing was written" not in away.detail:
                raise

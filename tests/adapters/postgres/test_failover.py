"""A primary dies and its standby takes over: what is kept, and how what is lost is told."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import TypeVar
from uuid import UUID, uuid4

import psycopg
import pytest

from adapters.bootstrap import Hub, keys_file, open_database, open_hub, write_keys
from adapters.crypto.key_ring import KeyRing
from adapters.memory.renderer import PlainRenderer
from adapters.postgres.event_store import PostgresEventStore
from adapters.postgres.leadership import lead_and_work
from adapters.postgres.lost_events import HaltAtLostEvents, LostEvents
from adapters.postgres.mapper import Mapper
from adapters.postgres.marks import PostgresMarks
from adapters.postgres.migrations import migrate
from adapters.postgres.sessions import open_pool
from adapters.postgres.stream import LogStream
from adapters.processes.tail import follow_log
from adapters.settings import Settings
from adapters.ssh.keys import AsyncsshKeyPairs
from application.ports import AppendConflict, EventsLost, Mark, Unavailable
from application.work import of_its_own_accord
from application.workspaces import CreateWorkspace, RenameWorkspace
from domain.workspaces import WorkspaceRenamed
from tests.adapters.contracts.event_store import append, on
from tests.adapters.postgres.test_killed import HANDS, Hand, more_from
from tests.support import servers

T = TypeVar("T")

pytestmark = pytest.mark.slow
SECONDS = 30.0
"""Within so long commands go on."""


@pytest.fixture
def asynchronous(server_folder: Path) -> Iterator[servers.ReplicatedPostgres]:
    folder = server_folder / f"pair-{secrets.token_hex(4)}"
    with servers.replicated_postgres(folder, synchronous=False) as pair:
        yield pair


@pytest.fixture
def synchronous(server_folder: Path) -> Iterator[servers.ReplicatedPostgres]:
    folder = server_folder / f"pair-{secrets.token_hex(4)}"
    with servers.replicated_postgres(folder, synchronous=True) as pair:
        yield pair


@asynccontextmanager
async def opened(pair: servers.ReplicatedPostgres) -> AsyncIterator[str]:
    """The connection string that a process works with, where both hosts are set."""
    async with open_database(Settings(database_url=pair.dsn)) as dsn:
        yield dsn


async def survive_failovers(pair: servers.ReplicatedPostgres, count: int) -> int:
    """Append while the standby takes over, again and again; how many appends were acknowledged."""
    async with opened(pair) as dsn, PostgresEventStore(dsn) as store:
        hands = [Hand(store) for _ in range(HANDS)]
        over = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            for hand in hands:
                group.create_task(hand.work(over))
            await more_from(hands)
            for left in reversed(range(count)):
                await asyncio.to_thread(pair.fail_over)
                async with asyncio.timeout(SECONDS):
                    await more_from(hands)
                if left:
                    await asyncio.to_thread(pair.rejoin)
                    await more_from(hands)
            over.set()
        for hand in hands:
            await in_time(hand.check)
        return sum(len(hand.acknowledged) for hand in hands)


async def test_nothing_acknowledged_is_lost_when_replication_is_synchronous(
    synchronous: servers.ReplicatedPostgres,
) -> None:
    """Also when it goes back and forth between the two."""
    assert await survive_failovers(synchronous, 3) > HANDS


async def lose(pair: servers.ReplicatedPostgres, store: PostgresEventStore, count: int) -> None:
    """So many events are acknowledged, and gone after the failover."""
    await asyncio.to_thread(pair.catch_up)
    await asyncio.to_thread(pair.hold_back)
    await store.append(append(on(uuid4(), count=count)))
    await asyncio.to_thread(pair.fail_over)


async def in_time(work: Callable[[], Awaitable[T]]) -> T:
    """What the work gives, once the database is there again."""
    async with asyncio.timeout(SECONDS):
        while True:
            try:
                return await work()
            except (Unavailable, AppendConflict):
                await asyncio.sleep(0.01)


async def again(store: PostgresEventStore, count: int) -> None:
    await in_time(lambda: store.append(append(on(uuid4(), count=count))))


@pytest.mark.parametrize(
    ("more", "told"), [(0, "the log ends at 3"), (9, "another event stands there now")]
)
async def test_who_has_seen_what_is_lost_says_so_and_does_not_go_on(
    asynchronous: servers.ReplicatedPostgres, more: int, told: str
) -> None:
    """Also when the log is as long again: the same positions come with other events."""
    async with opened(asynchronous) as dsn, PostgresEventStore(dsn) as store:
        stream = LogStream(dsn, Mapper().recorded, poll_seconds=0.1)
        await store.append(append(on(uuid4(), count=3)))
        seen: list[int] = []
        follows = asyncio.Event()

        async def read() -> None:
            async with aclosing(stream.follow(from_the_beginning)) as pages:
                async for page in pages:
                    seen.extend(record.position for record in page.records)
                    follows.set()
                    if page.upto == 5:
                        await asyncio.to_thread(asynchronous.fail_over)
                        if more:
                            await again(store, more)

        reading = asyncio.create_task(read())
        await follows.wait()
        await asyncio.to_thread(asynchronous.catch_up)
        await asyncio.to_thread(asynchronous.hold_back)
        await store.append(append(on(uuid4(), count=2)))
        with pytest.raises(EventsLost, match=told) as lost:
            async with asyncio.timeout(SECONDS):
                await reading
    assert seen == [1, 2, 3, 4, 5]
    assert (lost.value.seen, lost.value.kept) == (5, 3)


async def from_the_beginning(_: object) -> dict[int, Mark]:
    return {0: Mark()}


@pytest.fixture
async def log(database: str) -> str:
    await migrate(database)
    return database


@pytest.mark.parametrize("mark", [Mark(5, 4), Mark(4, 3, b"another event")])
async def test_a_mark_that_the_log_does_not_hold_is_told(log: str, mark: Mark) -> None:
    """As where the log alone was restored, and the marks beside it were not."""
    async with (
        PostgresEventStore(log) as store,
        open_pool(log, name="marks", size=1) as pool,
    ):
        await store.append(append(on(uuid4(), count=3)))
        marks = PostgresMarks(pool, "audit")
        await marks.save(0, mark)
        with pytest.raises(EventsLost):
            await anext(LogStream(log, Mapper().recorded).follow(marks.of))


async def test_a_reader_stands_still_until_the_loss_is_accepted(log: str) -> None:
    async with (
        PostgresEventStore(log) as store,
        open_pool(log, name="marks", size=2) as pool,
    ):
        await store.append(append(on(uuid4(), count=3)))
        marks, losses = PostgresMarks(pool, "audit"), LostEvents(pool)
        await marks.save(0, Mark(8, 7))
        read: list[int] = []

        async def deliver() -> None:
            async for page in LogStream(log, Mapper().recorded, poll_seconds=0.1).follow(marks.of):
                read.extend(record.position for record in page.records)

        delivering = asyncio.create_task(HaltAtLostEvents(losses, "audit", deliver).run())
        async with asyncio.timeout(SECONDS):
            while not (found := await losses.open()):
                await asyncio.sleep(0.01)
        assert "audit stands still. It has seen up to position 7; the log ends at 3" in str(
            found[0]
        )
        await store.append(append(on(uuid4(), count=2)))
        assert not read
        await losses.accept()
        await store.append(append(on(uuid4())))
        async with asyncio.timeout(SECONDS):
            while read != [6]:
                await asyncio.sleep(0.01)
        delivering.cancel()
        await asyncio.wait([delivering])


async def test_who_leads_again_after_the_failover_still_knows_what_it_has_delivered(
    asynchronous: servers.ReplicatedPostgres,
) -> None:
    """The failover ends its term, and takes its mark back to where the log is."""
    async with (
        opened(asynchronous) as dsn,
        PostgresEventStore(dsn) as store,
        open_pool(dsn, name="marks", size=2) as pool,
    ):
        marks, losses = PostgresMarks(pool, "audit"), LostEvents(pool)
        stream = LogStream(dsn, Mapper().recorded, poll_seconds=0.1)
        read: list[int] = []

        async def deliver() -> None:
            async for page in stream.follow(marks.of):
                read.extend(record.position for record in page.records)
                await marks.save(page.partition, page.mark)

        halting = HaltAtLostEvents(losses, "audit", deliver, stream.forget)
        delivering = asyncio.create_task(lead_and_work(dsn, "audit", halting.run))
        await store.append(append(on(uuid4(), count=3)))
        await until(lambda: read == [1, 2, 3])
        await asyncio.to_thread(asynchronous.catch_up)
        await asyncio.to_thread(asynchronous.hold_back)
        await store.append(append(on(uuid4(), count=2)))
        await until(lambda: read == [1, 2, 3, 4, 5])
        await asyncio.to_thread(asynchronous.fail_over)
        async with asyncio.timeout(SECONDS):
            while not (found := await in_time(losses.open)):
                await asyncio.sleep(0.01)
        assert (found[0].seen, found[0].head) == (5, 3)
        await in_time(losses.accept)
        await again(store, 1)
        await until(lambda: read == [1, 2, 3, 4, 5, 4])
        delivering.cancel()
        await asyncio.wait([delivering])


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(SECONDS):
        while not holds():
            await asyncio.sleep(0.01)


@asynccontextmanager
async def hub_over(dsn: str, folder: Path) -> AsyncIterator[Hub]:
    settings = Settings(data=folder)
    if not keys_file(settings).exists():
        write_keys(settings, KeyRing.generate())
    async with open_hub(settings, dsn, PlainRenderer(), AsyncsshKeyPairs()) as hub:
        yield hub


async def test_a_state_of_the_same_version_but_of_other_events_is_not_decided_on(
    asynchronous: servers.ReplicatedPostgres, tmp_path: Path
) -> None:
    async with opened(asynchronous) as dsn, hub_over(dsn, tmp_path) as hub:
        own = of_its_own_accord()
        created = await hub.bus.execute(CreateWorkspace(name="before"), own)
        workspace_id: UUID = created.result
        await asyncio.to_thread(asynchronous.catch_up)
        await asyncio.to_thread(asynchronous.hold_back)
        await hub.bus.execute(RenameWorkspace(workspace_id=workspace_id, name="lost"), own)
        await asyncio.to_thread(asynchronous.fail_over)
        async with hub_over(dsn, tmp_path) as other:
            await other.bus.execute(RenameWorkspace(workspace_id=workspace_id, name="other"), own)
        new = RenameWorkspace(workspace_id=workspace_id, name="new")
        await in_time(lambda: hub.bus.execute(new, own))
        last = (await hub.store.load(workspace_id))[-1]
        assert last.event == WorkspaceRenamed(name="new", previous_name="other")


async def test_a_secret_is_not_sealed_with_a_key_that_was_lost(
    asynchronous: servers.ReplicatedPostgres, tmp_path: Path
) -> None:
    subject = uuid4()
    async with opened(asynchronous) as dsn, hub_over(dsn, tmp_path) as hub:
        await hub.store.append(append(on(uuid4())))
        await asyncio.to_thread(asynchronous.catch_up)
        await asyncio.to_thread(asynchronous.hold_back)
        await hub.vault.seal_bytes(subject, subject.bytes, b"lost")
        await asyncio.to_thread(asynchronous.fail_over)
        await again(hub.store, 1)
        sealed = await in_time(lambda: hub.vault.seal_bytes(subject, subject.bytes, b"secret"))
        hub.vault.forget()
        assert await hub.vault.open_bytes(subject.bytes, sealed) == b"secret"


async def test_a_process_that_only_reads_forgets_what_was_lost(
    asynchronous: servers.ReplicatedPostgres, tmp_path: Path
) -> None:
    async with opened(asynchronous) as dsn, hub_over(dsn, tmp_path) as hub:
        told: list[int] = []
        async with asyncio.TaskGroup() as group:
            tail = group.create_task(follow_log(hub, lambda r: told.append(r.position)))
            async with PostgresEventStore(dsn) as writer:
                await again(writer, 1)
                await until(lambda: bool(told))
                await lose(asynchronous, writer, 2)
            async with asyncio.timeout(SECONDS):
                while not hub.cache.forgotten:
                    await asyncio.sleep(0.01)
            tail.cancel()


async def test_what_a_broken_session_wrote_is_acknowledged_only_once_the_standby_has_it(
    synchronous: servers.ReplicatedPostgres,
) -> None:
    """The session's end breaks off its wait, and from then on others see what it committed."""
    async with opened(synchronous) as dsn, PostgresEventStore(dsn) as store:
        await store.append(append(on(uuid4())))
        await asyncio.to_thread(synchronous.standby.stop)
        waiting = asyncio.ensure_future(store.append(append(on(uuid4()))))
        await asyncio.to_thread(waits_for_the_standby, synchronous, "writer", then=END)
        await asyncio.to_thread(waits_for_the_standby, synchronous, "writer's past", then="1")
        assert not waiting.done()
        await asyncio.to_thread(synchronous.standby.start)
        assert (await waiting).position == 2


END = "pg_terminate_backend(pid)"


def waits_for_the_standby(pair: servers.ReplicatedPostgres, session: str, then: str) -> None:
    """Wait until a session's commit waits for the standby, and do something about it."""
    with psycopg.connect(pair.primary.tcp_dsn, autocommit=True) as connection:
        waiting = (
            f"select {then} from pg_stat_activity"
            " where application_name = %s and wait_event = 'SyncRep'"
        )
        while not connection.execute(waiting, [f"quarterdeck {session}"]).rowcount:
            pass

"""Whatever is changed in the log behind its back is noticed, at the first position it touches."""

import random
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg import errors

from adapters.crypto.checkpoints import BadCheckpoint, Checkpoint, public_key, read, sign
from adapters.crypto.key_ring import KeyRing
from adapters.crypto.vault import EnvelopeVault
from adapters.postgres.data_keys import PostgresDataKeys
from adapters.postgres.documents import PostgresDocuments
from adapters.postgres.event_store import PostgresEventStore
from adapters.postgres.sessions import open_pool
from adapters.postgres.verification import Broken, verify, verify_log
from application.ports import Append, StreamAppend
from domain.clusters import ClusterRendered
from domain.merkle import EMPTY_ROOT, Tree
from tests.adapters.contracts.event_store import append, on
from tests.support.progress import Progress
from tests.support.tampering import TAMPERINGS, do

TAMPERED = 200
SEED = bytes(range(32))
Connection = psycopg.AsyncConnection[Any]


@pytest.fixture
async def store(log_database: str) -> AsyncIterator[PostgresEventStore]:
    async with PostgresEventStore(log_database) as store:
        yield store


@pytest.fixture
async def written(store: PostgresEventStore, log_database: str) -> str:
    """A database with a log of 40 events on 10 streams, some of which refer to documents."""
    await fill(store, log_database)
    return log_database


async def fill(store: PostgresEventStore, dsn: str) -> None:
    async with open_pool(dsn, name="tests", size=1) as pool:
        vault = EnvelopeVault(KeyRing.generate(), PostgresDataKeys(pool))
        documents = PostgresDocuments(pool, vault)
        for n in range(10):
            stream_id = uuid4()
            kept = [await documents.prepare(f"text {n % 4}", stream_id if n % 2 else None)]
            rendered = ClusterRendered(rendering=1, sections={"a": kept[0].ref}, engine="plain")
            wanted = StreamAppend(stream_id, 0, [rendered, *on(stream_id, 0, 2).events])
            await store.append(Append([wanted], {"pid": n}, documents=kept))
            await store.append(append(on(stream_id, 3)))


async def test_an_empty_log_is_good(store: PostgresEventStore, log_database: str) -> None:
    verified = await verify_log(log_database)
    assert (verified.size, verified.root) == (0, EMPTY_ROOT)


async def test_a_log_that_nobody_touched_is_good(written: str) -> None:
    roots: list[bytes] = []
    verified = await verify_log(written, lambda tree: roots.append(tree.root))
    assert verified.size == len(roots) == 40
    assert verified.root == roots[-1]
    assert await verify_log(written) == verified


async def test_the_root_is_that_of_the_leaves(written: str) -> None:
    tree = Tree()
    with psycopg.connect(written) as connection:
        leaves = connection.execute(
            "select leaf_hash from log.stored_events order by notification_id"
        ).fetchall()
    tree.extend(leaf for (leaf,) in leaves)
    assert (await verify_log(written)).root == tree.root


async def test_a_log_that_grows_is_verified_while_it_grows(
    store: PostgresEventStore, written: str
) -> None:
    grown = False

    def grow(tree: Tree) -> None:
        nonlocal grown
        if tree.size == 5 and not grown:
            grown = True
            with psycopg.connect(written, autocommit=True) as connection:
                connection.execute("select log.append_one(gen_random_uuid(), 1, 'x', '', '{}', 1)")
                connection.execute(
                    "update log.stored_events set leaf_hash = '' where notification_id = 41"
                )

    with pytest.raises(Broken) as broken:
        await verify_log(written, grow)
    assert broken.value.position == 41
    assert grown


async def test_every_kind_of_tampering_is_found_at_its_position(written: str) -> None:
    counts = await tamper(written, TAMPERED, random.Random(11))
    assert len(counts) == len(set(TAMPERINGS))


async def tamper(dsn: str, times: int, chance: random.Random) -> Counter[str]:
    """Change the log so many times, each time it is found and put back; how often in what way."""
    counts: Counter[str] = Counter()
    progress = Progress(times, "changes of stored bytes")
    async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as connection:
        verified = await verify(connection)
        while counts.total() < times:
            tampering = chance.choice(TAMPERINGS)
            try:
                async with connection.transaction(force_rollback=True):
                    positions = await tampering(connection, chance)
                    with pytest.raises(Broken) as broken:
                        await verify(connection)
            except (errors.UniqueViolation, errors.DataError):
                # A flip of a bit may give what no table takes.
                continue
            assert broken.value.position in positions, (tampering.__name__, broken.value)
            counts[tampering.__name__] += 1
            progress.at(counts.total())
        assert await verify(connection) == verified
    return counts


async def test_history_rewritten_by_one_who_knows_how_has_another_root(written: str) -> None:
    """Only a checkpoint that was kept elsewhere can tell."""
    before = await verify_log(written)
    async with await psycopg.AsyncConnection.connect(written, autocommit=True) as connection:
        await do(connection, "delete from log.stored_events where notification_id = 40")
        await do(connection, "update log.head set position = 39")
        await do(
            connection,
            "select log.append_one(gen_random_uuid(), 1, 'x.y', '{}', '{}', 1)",
        )
    after = await verify_log(written)
    assert after.size == before.size
    assert after.root != before.root


async def test_a_log_that_grew_still_has_the_older_root_in_it(
    store: PostgresEventStore, written: str
) -> None:
    before = await verify_log(written)
    await store.append(append(on(uuid4(), 0, 3)))
    roots: dict[int, bytes] = {}

    def keep(tree: Tree) -> None:
        roots[tree.size] = tree.root

    after = await verify_log(written, keep)
    assert after.size == 43
    assert roots[before.size] == before.root


CHECKPOINT = Checkpoint("quarterdeck/log", 40, bytes(range(32)))


def test_a_signed_checkpoint_is_read_again() -> None:
    note = sign(CHECKPOINT, SEED)
    assert read(note, SEED) == CHECKPOINT
    assert note.splitlines()[:2] == ["quarterdeck/log", "40"]
    assert public_key(SEED).startswith("quarterdeck+")


@pytest.mark.parametrize("n", range(0, 120, 7))
def test_a_checkpoint_that_was_changed_is_refused(n: int) -> None:
    note = sign(CHECKPOINT, SEED)
    assert n < len(note)
    changed = note[:n] + ("A" if note[n] != "A" else "B") + note[n + 1 :]
    with pytest.raises(BadCheckpoint):
        read(changed, SEED)


@pytest.mark.parametrize("note", ["", "\n\n", "x\n\ny", "quarterdeck/log\n40\n\n— quarterdeck AA"])
def test_what_is_no_checkpoint_is_refused(note: str) -> None:
    with pytest.raises(BadCheckpoint):
        read(note, SEED)


def test_a_checkpoint_of_another_log_is_refused() -> None:
    with pytest.raises(BadCheckpoint):
        read(sign(CHECKPOINT, bytes(32)), SEED)

"""Marks go forward only, and survive the change from one source to another."""

from collections.abc import AsyncIterator

import pytest
from psycopg_pool import AsyncConnectionPool

from adapters.postgres.marks import PostgresMarks, ask_again, parked
from adapters.postgres.migrations import migrate
from adapters.postgres.sessions import open_pool
from application.ports import Mark


@pytest.fixture
async def pool(database: str) -> AsyncIterator[AsyncConnectionPool]:
    await migrate(database)
    async with open_pool(database, name="marks", size=2) as opened:
        yield opened


async def test_a_new_reader_begins_at_the_beginning(pool: AsyncConnectionPool) -> None:
    assert await PostgresMarks(pool, "audit").of([0, 2]) == {0: Mark(0, 0), 2: Mark(0, 0)}


@pytest.mark.parametrize("durable", [True, False])
async def test_a_saved_mark_is_found_again(pool: AsyncConnectionPool, durable: bool) -> None:
    await PostgresMarks(pool, "audit", durable=durable).save(1, Mark(12, 34))

    assert await PostgresMarks(pool, "audit").of([1]) == {1: Mark(12, 34)}
    assert await PostgresMarks(pool, "loki").of([1]) == {1: Mark(0, 0)}


async def test_a_mark_never_goes_back(pool: AsyncConnectionPool) -> None:
    marks = PostgresMarks(pool, "audit")
    await marks.save(0, Mark(12, 34))

    await marks.save(0, Mark(11, 33))

    assert await marks.of([0]) == {0: Mark(12, 34)}


async def test_offsets_may_begin_anew_where_the_position_does_not_go_back(
    pool: AsyncConnectionPool,
) -> None:
    marks = PostgresMarks(pool, "audit", "quarterdeck.events")
    await marks.save(0, Mark(12, 34))

    await marks.save(0, Mark(1, 34))

    assert await marks.of([0]) == {0: Mark(1, 34)}


async def test_another_source_begins_where_all_partitions_of_the_first_are_done(
    pool: AsyncConnectionPool,
) -> None:
    kafka, log = PostgresMarks(pool, "audit", "kafka"), PostgresMarks(pool, "audit", "log")
    await kafka.save(0, Mark(5, 90))
    await kafka.save(1, Mark(7, 80))

    assert await log.of([0]) == {0: Mark(0, 80)}

    await log.save(0, Mark(200, 200))
    assert await kafka.of([0, 1, 2]) == {0: Mark(5, 200), 1: Mark(7, 200), 2: Mark(0, 200)}


async def test_what_was_set_aside_can_be_seen(pool: AsyncConnectionPool) -> None:
    marks = PostgresMarks(pool, "loki")
    await marks.park(7, "too long")
    await marks.park(7, "still too long")

    (aside,) = await parked(pool)

    assert (aside.reader, aside.position, aside.reason) == ("loki", 7, "still too long")
    assert aside.tries == 2


async def test_what_was_set_aside_is_asked_for_until_it_is_tried(
    pool: AsyncConnectionPool,
) -> None:
    marks, other = PostgresMarks(pool, "loki"), PostgresMarks(pool, "audit")
    for position in (7, 9, 8):
        await marks.park(position, "too long")
    await other.park(7, "unknown")
    assert await marks.asked(10) == []

    assert await ask_again(pool, "loki") == 3

    assert await marks.asked(2) == [7, 8]
    assert await other.asked(2) == []
    await marks.settle([7])
    await marks.park(8, "still too long")
    assert await marks.asked(10) == [9]
    assert {(each.reader, each.position) for each in await parked(pool)} == {
        ("audit", 7),
        ("loki", 8),
        ("loki", 9),
    }

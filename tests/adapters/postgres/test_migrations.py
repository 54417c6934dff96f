"""The schema is brought to this version step by step, once, whoever begins."""

import asyncio

import psycopg
import pytest

from adapters.postgres.migrations import DatabaseIsNewer, migrate, steps


def test_steps_are_numbered_without_a_gap_from_one() -> None:
    assert [number for number, _, _ in steps()] == list(range(1, len(steps()) + 1))
    assert all(name.startswith(f"{number:04}_") for number, name, _ in steps())


async def test_every_step_is_applied_once_and_in_order(database: str) -> None:
    assert await migrate(database) == [name for _, name, _ in steps()]
    assert await migrate(database) == []


async def test_two_that_begin_at_once_do_not_disturb_each_other(database: str) -> None:
    results = await asyncio.gather(*(migrate(database) for _ in range(4)))
    assert sorted(map(len, results)) == [0, 0, 0, len(steps())]


async def test_a_database_of_a_newer_version_is_left_alone(database: str) -> None:
    await migrate(database)
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("insert into public.quarterdeck_schema values (9999, 'future')")
    with pytest.raises(DatabaseIsNewer, match="9999"):
        await migrate(database)


async def test_a_step_that_fails_leaves_nothing_and_is_tried_again(database: str) -> None:
    """Something is in the way of the first step's last table."""
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("create schema log")
    with pytest.raises(psycopg.errors.DuplicateSchema):
        await migrate(database)
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("drop schema log")
    assert len(await migrate(database)) == len(steps())

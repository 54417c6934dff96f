"""Wrapped keys: one for each subject, whoever asks first; re-wrapped, counted, erased."""

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from adapters.postgres.data_keys import DataKey, PostgresDataKeys
from adapters.postgres.sessions import open_pool


@pytest.fixture
async def keys(log_database: str) -> AsyncIterator[PostgresDataKeys]:
    async with open_pool(log_database, name="tests", size=4) as pool:
        yield PostgresDataKeys(pool)


def made(version: int = 1) -> DataKey:
    return (uuid4(), version, uuid4().bytes)


async def test_the_first_key_of_a_subject_is_its_key(keys: PostgresDataKeys) -> None:
    subject_id, first = uuid4(), made()
    assert await keys.of_subject(subject_id, first) == first
    assert await keys.of_subject(subject_id, made()) == first
    assert await keys.by_id(first[0]) == first


async def test_many_who_ask_at_once_get_the_same_key(keys: PostgresDataKeys) -> None:
    subject_id = uuid4()
    got = await asyncio.gather(*(keys.of_subject(subject_id, made()) for _ in range(20)))
    assert len(set(got)) == 1
    assert await keys.counts() == {1: 1}


async def test_a_key_that_is_not_there_is_none(keys: PostgresDataKeys) -> None:
    assert await keys.by_id(uuid4()) is None


async def test_rotation_wraps_anew_what_is_under_an_older_master(keys: PostgresDataKeys) -> None:
    old, new = made(1), made(2)
    await keys.of_subject(uuid4(), old)
    await keys.of_subject(uuid4(), new)
    assert await keys.rewrap(2, lambda key: (key[0], 2, b"wrapped anew")) == 1
    assert await keys.by_id(old[0]) == (old[0], 2, b"wrapped anew")
    assert await keys.by_id(new[0]) == new
    assert await keys.counts() == {2: 2}
    assert await keys.rewrap(2, lambda key: key) == 0


async def test_rotation_that_fails_changes_nothing(keys: PostgresDataKeys) -> None:
    kept = [made(1) for _ in range(3)]
    for key in kept:
        await keys.of_subject(uuid4(), key)
    tries = iter([True, False, True])

    def change(key: DataKey) -> DataKey:
        if not next(tries):
            raise ValueError("the master key is not there")
        return (key[0], 2, b"wrapped anew")

    with pytest.raises(ValueError, match="not there"):
        await keys.rewrap(2, change)
    assert [await keys.by_id(key[0]) for key in kept] == kept


async def test_an_erased_key_is_gone_and_its_subject_gets_another(keys: PostgresDataKeys) -> None:
    subject_id, first, second = uuid4(), made(), made()
    await keys.of_subject(subject_id, first)
    assert await keys.erase(subject_id)
    assert not await keys.erase(subject_id)
    assert await keys.by_id(first[0]) is None
    assert await keys.of_subject(subject_id, second) == second


async def test_the_first_canary_of_a_master_key_stays(keys: PostgresDataKeys) -> None:
    await keys.keep_canary(1, b"first")
    await keys.keep_canary(1, b"second")
    await keys.keep_canary(2, b"other")
    assert await keys.canaries() == {1: b"first", 2: b"other"}

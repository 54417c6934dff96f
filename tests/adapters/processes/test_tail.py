"""The tail of the log tells a process of all that was written, also while it was cut off."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from adapters.bootstrap import Hub, open_hub, write_keys
from adapters.crypto.key_ring import KeyRing
from adapters.embedded.postgres import EmbeddedPostgres
from adapters.memory.renderer import PlainRenderer
from adapters.postgres.migrations import migrate
from adapters.processes.tail import follow_log
from adapters.settings import Settings
from adapters.ssh.keys import AsyncsshKeyPairs
from tests.adapters.contracts.event_store import append, on

SECONDS = 60.0
FOLLOWING = """
    select pid from pg_stat_activity where datname = current_database()
    and application_name = 'quarterdeck stream'
"""


@asynccontextmanager
async def following(dsn: str, folder: Path) -> AsyncIterator[tuple[Hub, list[int]]]:
    """A process that follows the log, and the positions that it was told."""
    settings = Settings(data=folder)
    write_keys(settings, KeyRing.generate())
    await migrate(dsn)
    told: list[int] = []
    async with (
        open_hub(settings, dsn, PlainRenderer(), AsyncsshKeyPairs()) as hub,
        asyncio.TaskGroup() as group,
    ):
        tail = group.create_task(follow_log(hub, lambda recorded: told.append(recorded.position)))
        await until(lambda: len(followers(dsn)) == 1)
        yield hub, told
        tail.cancel()


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(SECONDS):
        while not holds():
            await asyncio.sleep(0.01)


def followers(dsn: str) -> list[int]:
    with psycopg.connect(dsn) as connection:
        return [pid for (pid,) in connection.execute(FOLLOWING).fetchall()]


async def test_what_is_written_while_it_is_cut_off_is_told_too(
    database: str, tmp_path: Path
) -> None:
    async with following(database, tmp_path) as (hub, told):
        first = (await hub.store.append(append(on(uuid4())))).position
        await until(lambda: told == [first])
        with psycopg.connect(database, autocommit=True) as connection:
            for pid in followers(database):
                connection.execute("select pg_terminate_backend(%s, 5000)", [pid])
        second = (await hub.store.append(append(on(uuid4())))).position
        await until(lambda: told == [first, second])


@pytest.mark.slow
async def test_it_follows_on_when_the_database_was_away(
    own_postgres: EmbeddedPostgres, tmp_path: Path
) -> None:
    async with following(own_postgres.dsn, tmp_path) as (hub, told):
        own_postgres.stop()
        own_postgres.start()
        position = (await hub.store.append(append(on(uuid4())))).position
        await until(lambda: told == [position])

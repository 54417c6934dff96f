"""A checkpoint that was kept off the machine shows that the log has lost what it had."""

from pathlib import Path
from uuid import uuid4

import pytest

from adapters.crypto.checkpoints import BadCheckpoint
from adapters.operations.verify import verify
from adapters.postgres.event_store import PostgresEventStore
from adapters.postgres.migrations import migrate
from adapters.settings import Settings
from tests.adapters.contracts.event_store import append, on
from tests.support.backup import backup
from tests.support.fleet import KEYS


async def write(dsn: str, count: int) -> None:
    async with PostgresEventStore(dsn) as store:
        await store.append(append(on(uuid4(), count=count)))


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (0, "The log has 6 events; at the checkpoint it had 10: events were lost."),
        (9, "The first 10 events are not those of the checkpoint"),
    ],
)
async def test_a_log_restored_from_an_older_backup_is_not_that_of_the_checkpoint(
    database: str, tmp_path: Path, more: int, told: str
) -> None:
    settings = Settings(data=tmp_path, database_url=database, keys=KEYS)
    note = tmp_path / "checkpoint"
    await migrate(database)
    await write(database, 6)
    await verify(settings, note, update=True)
    with backup(database) as restore:
        await write(database, 4)
        await verify(settings, note, update=True)
        restore()
    if more:
        await write(database, more)
    with pytest.raises(BadCheckpoint, match=told):
        await verify(settings, note, update=False)

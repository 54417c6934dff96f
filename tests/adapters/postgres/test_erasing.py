"""An erased key is gone everywhere: in the table, in every vault that held it, in what was read."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from uuid import UUID

import psycopg
import pytest
from psycopg_pool import AsyncConnectionPool

from adapters.crypto.key_ring import KeyRing
from adapters.crypto.vault import EnvelopeVault
from adapters.postgres.data_keys import PostgresDataKeys, erasures
from adapters.postgres.documents import PostgresDocuments
from adapters.postgres.event_store import PostgresEventStore
from adapters.postgres.sessions import open_pool
from application.ports import Erased
from tests.adapters.contracts.event_store import append, on

SUBJECT, OTHER = UUID(int=5), UUID(int=6)
LABEL = b"label"
PATIENCE_SECONDS = 20


class Process:
    """A vault and its documents in a process of their own, which hears of erased keys."""

    def __init__(self, dsn: str, pool: AsyncConnectionPool) -> None:
        self.keys = PostgresDataKeys(pool)
        self.vault = EnvelopeVault(KeyRing.generate(), self.keys)
        self.documents = PostgresDocuments(pool, self.vault)
        self._dsn = dsn

    async def listen(self) -> None:
        async with aclosing(erasures(self._dsn)) as told:  # type: ignore[type-var]
            async for _ in told:
                self.vault.forget()
                self.documents.forget()

    async def forgotten(self, times: int) -> None:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while self.vault.forgotten < times:
                await asyncio.sleep(0.01)


@pytest.fixture
async def process(log_database: str) -> AsyncIterator[Process]:
    async with open_pool(log_database, name="keys", size=3) as pool:
        process = Process(log_database, pool)
        listening = asyncio.create_task(process.listen())
        await process.forgotten(1)
        yield process
        listening.cancel()
        await asyncio.wait([listening])


async def test_a_vault_that_held_the_key_cannot_open_what_was_sealed(process: Process) -> None:
    sealed = await process.vault.seal_bytes(SUBJECT, LABEL, b"swordfish")
    others = await process.vault.seal_bytes(OTHER, LABEL, b"codfish")
    assert await process.vault.open_bytes(LABEL, sealed) == b"swordfish"

    assert await process.keys.has(SUBJECT)
    assert await process.keys.erase(SUBJECT)
    await process.forgotten(2)

    assert not await process.keys.has(SUBJECT)
    with pytest.raises(Erased):
        await process.vault.open_bytes(LABEL, sealed)
    assert await process.vault.open_bytes(LABEL, others) == b"codfish"


async def test_what_is_sealed_afterwards_opens_and_what_was_before_does_not(
    process: Process,
) -> None:
    before = await process.vault.seal_bytes(SUBJECT, LABEL, b"before")
    await process.keys.erase(SUBJECT)
    await process.forgotten(2)
    after = await process.vault.seal_bytes(SUBJECT, LABEL, b"after")
    assert await process.vault.open_bytes(LABEL, after) == b"after"
    with pytest.raises(Erased):
        await process.vault.open_bytes(LABEL, before)


async def test_a_document_that_was_read_is_not_kept(process: Process, log_database: str) -> None:
    document = await process.documents.prepare("a private text", SUBJECT)
    async with PostgresEventStore(log_database) as store:
        await store.append(append(on(SUBJECT), documents=[document]))
    assert await process.documents.read(document.ref) == "a private text"

    await process.keys.erase(SUBJECT)
    await process.forgotten(2)

    with pytest.raises(Erased):
        await process.documents.read(document.ref)


async def test_what_may_have_been_missed_is_forgotten_too(
    process: Process, log_database: str
) -> None:
    with psycopg.connect(log_database, autocommit=True) as connection:
        connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where application_name = 'quarterdeck erased keys' and datname = current_database()"
        )
    await process.forgotten(2)


async def test_erasing_what_is_not_there_tells_nobody(process: Process) -> None:
    assert not await process.keys.erase(SUBJECT)
    assert process.vault.forgotten == 1

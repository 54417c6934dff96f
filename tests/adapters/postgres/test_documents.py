"""Documents are written with their append, read by digest, and are what was written or nothing."""

from collections.abc import AsyncIterator
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg_pool import AsyncConnectionPool

from adapters.crypto.key_ring import KeyRing
from adapters.crypto.vault import EnvelopeVault
from adapters.postgres.data_keys import PostgresDataKeys
from adapters.postgres.documents import HELD_CHARACTERS, PostgresDocuments
from adapters.postgres.event_store import PostgresEventStore
from adapters.postgres.sessions import open_pool
from application.ports import Document
from tests.adapters.contracts.documents import DocumentsContract
from tests.adapters.contracts.event_store import append, on

TEXT = "apiVersion: v1\nkind: Secret\npassword: swordfish\n" * 20
SUBJECT = UUID(int=5)


class Shelf:
    """A log with its documents, each time read by somebody who has not seen them before."""

    def __init__(self, dsn: str, pool: AsyncConnectionPool, store: PostgresEventStore) -> None:
        self.dsn = dsn
        self.store = store
        self.keys = PostgresDataKeys(pool)
        self._pool = pool
        self._ring = KeyRing.generate()

    def reader(self) -> PostgresDocuments:
        return PostgresDocuments(self._pool, EnvelopeVault(self._ring, self.keys))

    async def keep(self, document: Document) -> None:
        await self.store.append(append(on(uuid4()), documents=[document]))

    def execute(self, sql: Any, parameters: list[Any] | None = None) -> Any:
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            cursor = connection.execute(sql, parameters)
            return cursor.fetchall() if cursor.description else None


@pytest.fixture
async def shelf(log_database: str) -> AsyncIterator[Shelf]:
    async with (
        open_pool(log_database, name="tests", size=2) as pool,
        PostgresEventStore(log_database) as store,
    ):
        yield Shelf(log_database, pool, store)


class TestPostgresDocuments(DocumentsContract):
    @pytest.fixture
    def shelf(self, shelf: Shelf) -> Shelf:
        return shelf


async def test_a_document_is_named_by_the_digest_of_what_is_stored(shelf: Shelf) -> None:
    for subject_id in (None, SUBJECT):
        document = await shelf.reader().prepare("x" * 262_144, subject_id)
        assert document.ref.digest == sha256(document.body).hexdigest()
        await shelf.keep(document)
        assert len(await shelf.reader().read(document.ref)) == 262_144


async def test_the_same_text_is_kept_once(shelf: Shelf) -> None:
    one, other = await shelf.reader().prepare(TEXT), await shelf.reader().prepare(TEXT)
    assert one == other
    await shelf.keep(one)
    await shelf.keep(other)
    assert shelf.execute("select count(*) from log.documents") == [(1,)]


async def test_a_sealed_document_is_another_each_time_and_shows_nothing(shelf: Shelf) -> None:
    documents = shelf.reader()
    one = await documents.prepare(TEXT, SUBJECT)
    other = await documents.prepare(TEXT, SUBJECT)
    assert one.ref.digest != other.ref.digest
    assert b"swordfish" not in one.body
    assert len(one.body) < len(TEXT)


async def test_a_sealed_document_opens_for_its_subject_alone(shelf: Shelf) -> None:
    document = await shelf.reader().prepare(TEXT, SUBJECT)
    await shelf.keep(document)
    stolen = document.ref.model_copy(update={"subject_id": uuid4()})
    with pytest.raises(LookupError):
        await shelf.reader().read(stolen)


async def test_a_document_of_an_erased_subject_is_gone(shelf: Shelf) -> None:
    document = await shelf.reader().prepare(TEXT, SUBJECT)
    await shelf.keep(document)
    assert await shelf.keys.erase(SUBJECT)
    with pytest.raises(LookupError, match="erased"):
        await shelf.reader().read(document.ref)


@pytest.mark.parametrize("subject_id", [None, SUBJECT])
async def test_a_document_that_was_changed_is_not_read(
    shelf: Shelf, subject_id: UUID | None
) -> None:
    document = await shelf.reader().prepare(TEXT, subject_id)
    await shelf.keep(document)
    other = await shelf.reader().prepare("something else", subject_id)
    shelf.execute("update log.documents set body = %s", [other.body])
    with pytest.raises(LookupError, match="not what was written"):
        await shelf.reader().read(document.ref)


async def test_what_is_held_in_memory_is_bounded(shelf: Shelf) -> None:
    documents = shelf.reader()
    unused, used = [await documents.prepare(text) for text in ("unused", "used")]
    await shelf.keep(used)
    for n in range(17):
        assert await documents.read(used.ref) == "used"
        await documents.prepare(f"{n}" + "x" * (HELD_CHARACTERS // 16))
    shelf.execute("delete from log.documents")
    assert await documents.read(used.ref) == "used"
    with pytest.raises(LookupError):
        await documents.read(unused.ref)

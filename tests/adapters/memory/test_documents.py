"""Documents in memory keep the promises of all documents."""

from uuid import uuid4

import pytest

from adapters.memory.clock import StandingClock
from adapters.memory.documents import InMemoryDocuments
from adapters.memory.event_store import InMemoryEventStore
from application.ports import Document
from tests.adapters.contracts.documents import DocumentsContract
from tests.adapters.contracts.event_store import append, on


class OneShelf:
    def __init__(self) -> None:
        self._store = InMemoryEventStore(StandingClock())

    def reader(self) -> InMemoryDocuments:
        return InMemoryDocuments(self._store)

    async def keep(self, document: Document) -> None:
        await self._store.append(append(on(uuid4()), documents=[document]))


class TestInMemoryDocuments(DocumentsContract):
    @pytest.fixture
    def shelf(self) -> OneShelf:
        return OneShelf()

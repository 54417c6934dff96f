"""The event store on PostgreSQL keeps the promises of every event store, and some of its own."""

from collections.abc import AsyncIterator

import pytest

from adapters.postgres.event_store import PostgresEventStore
from tests.adapters.contracts.event_store import EventStoreContract


@pytest.fixture
async def store(log_database: str) -> AsyncIterator[PostgresEventStore]:
    async with PostgresEventStore(log_database) as store:
        yield store


class TestPostgresEventStore(EventStoreContract):
    @pytest.fixture
    def store(self, store: PostgresEventStore) -> PostgresEventStore:
        return store

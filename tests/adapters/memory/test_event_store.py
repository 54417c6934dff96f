"""The event store in memory keeps the promises of every event store."""

import pytest

from adapters.memory.clock import StandingClock
from adapters.memory.event_store import InMemoryEventStore
from tests.adapters.contracts.event_store import EventStoreContract


class TestInMemoryEventStore(EventStoreContract):
    @pytest.fixture
    def store(self) -> InMemoryEventStore:
        return InMemoryEventStore(StandingClock())

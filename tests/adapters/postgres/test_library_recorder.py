"""The eventsourcing library's own test cases, on our recorder; and its own recorder on our log."""

import asyncio
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from eventsourcing.persistence import StoredEvent
from eventsourcing.postgres import PostgresApplicationRecorder, PostgresDatastore
from eventsourcing.tests.persistence import (
    AggregateRecorderTestCase,
    ApplicationRecorderTestCase,
)
from psycopg.conninfo import conninfo_to_dict

from adapters.postgres.library_recorder import LogRecorder
from adapters.postgres.migrations import migrate


class _OnOurLog:
    """Gives the library's test cases a fresh log each."""

    dsn: str
    recorders: list[LogRecorder]

    @pytest.fixture(autouse=True)
    def _log(self, database: str) -> Iterator[None]:
        asyncio.run(migrate(database))
        self.dsn = database
        self.recorders = []
        yield
        for recorder in self.recorders:
            recorder.close()

    def create_recorder(self) -> Any:
        self.recorders.append(LogRecorder(self.dsn))
        return self.recorders[-1]


class TestApplicationRecorder(_OnOurLog, ApplicationRecorderTestCase[LogRecorder]):
    def test_insert_subscribe(self) -> None:
        self.optional_test_insert_subscribe()


class TestAggregateRecorder(_OnOurLog, AggregateRecorderTestCase):
    def create_recorder(self) -> Any:
        return _WithoutPositions(super().create_recorder())


class _WithoutPositions:
    """An aggregate recorder gives no notification ids back; ours does."""

    def __init__(self, recorder: LogRecorder) -> None:
        self._recorder = recorder
        self.select_events = recorder.select_events

    def insert_events(self, stored_events: Any) -> None:
        self._recorder.insert_events(stored_events)


def test_the_librarys_own_recorder_reads_what_we_wrote(database: str) -> None:
    asyncio.run(migrate(database))
    written = [StoredEvent(uuid4(), n, "workspace.created", b"{}") for n in (1, 1)]
    ours = LogRecorder(database)
    ours.insert_events(written)
    ours.close()
    theirs = _their_recorder(database)
    assert theirs.max_notification_id() == 2
    read = theirs.select_notifications(start=1, limit=10)
    assert [(n.originator_id, n.topic, bytes(n.state), n.id) for n in read] == [
        (e.originator_id, e.topic, e.state, n) for n, e in enumerate(written, start=1)
    ]
    assert list(theirs.select_events(written[0].originator_id)) == [written[0]]
    theirs.datastore.close()


def _their_recorder(dsn: str) -> PostgresApplicationRecorder:
    parts = conninfo_to_dict(dsn)
    datastore = PostgresDatastore(
        dbname=str(parts["dbname"]),
        host=str(parts["host"]),
        port=str(parts["port"]),
        user=str(parts["user"]),
        password="",
        schema="log",
    )
    return PostgresApplicationRecorder(datastore, events_table_name="stored_events")

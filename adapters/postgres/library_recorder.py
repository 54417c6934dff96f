"""The log as the eventsourcing library sees it: its recorder interface over our writer.

The library is synchronous, so the writer runs on an event loop of its own in a thread.
"""

import asyncio
from collections.abc import Coroutine, Sequence
from threading import Thread
from typing import Any, TypeVar
from uuid import UUID

import psycopg
from eventsourcing.persistence import (
    ApplicationRecorder,
    IntegrityError,
    ListenNotifySubscription,
    Notification,
    OperationalError,
    StoredEvent,
    Subscription,
)

from adapters.postgres.append_calls import packed
from adapters.postgres.arrays import sized
from adapters.postgres.group_commit import ROW_BYTES, GroupCommit, Request
from adapters.postgres.mapper import Mapper
from adapters.postgres.sessions import connect_blocking
from application.ports import Append, AppendConflict, Appended, Unavailable

T = TypeVar("T")
NO_ENVELOPE = sized(b"{}")


class LogRecorder(ApplicationRecorder):
    """Writes by group commit and reads the same table; positions are the notification ids."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, name="log recorder", daemon=True)
        self._thread.start()
        self._writer = GroupCommit(dsn, Mapper())

    def close(self) -> None:
        self._wait(self._writer.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def insert_events(self, stored_events: Sequence[StoredEvent], **_: Any) -> Sequence[int] | None:
        if not stored_events:
            return None
        try:
            appended = self._wait(self._submit(_request(stored_events)))
        except (AppendConflict, psycopg.IntegrityError) as error:
            raise IntegrityError(str(error)) from error
        except (Unavailable, psycopg.Error) as error:
            raise OperationalError(str(error)) from error
        return list(range(appended.position - len(stored_events) + 1, appended.position + 1))

    async def _submit(self, request: Request) -> Appended:
        return await self._writer.submit(request)

    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[StoredEvent]:
        rows = self._rows(
            "select originator_id, originator_version, topic, state from log.stored_events"
            " where originator_id = %s and originator_version > %s and originator_version <= %s"
            f" order by originator_version {'desc' if desc else 'asc'} limit %s",
            [originator_id, -1 if gt is None else gt, 2**62 if lte is None else lte, limit],
        )
        return [StoredEvent(row[0], row[1], row[2], bytes(row[3])) for row in rows]

    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[Notification]:
        after = (start or 0) - (1 if inclusive_of_start else 0)
        rows = self._rows(
            "select originator_id, originator_version, topic, state, notification_id"
            " from log.stored_events where notification_id > %s and notification_id <= %s"
            " and (%s::text[] = '{}' or topic = any(%s::text[]))"
            " order by notification_id limit %s",
            [after, 2**62 if stop is None else stop, list(topics), list(topics), limit],
        )
        return [Notification(row[0], row[1], row[2], bytes(row[3]), row[4]) for row in rows]

    def max_notification_id(self) -> int | None:
        rows = self._rows("select position from log.head", [])
        return rows[0][0] or None

    def subscribe(
        self, gt: int | None = None, topics: Sequence[str] = ()
    ) -> Subscription[ApplicationRecorder]:
        return LogSubscription(self, self._dsn, gt, topics)

    def _rows(self, sql: str, parameters: Sequence[object]) -> list[tuple[Any, ...]]:
        with connect_blocking(self._dsn, name="library") as connection:
            return connection.execute(sql, parameters).fetchall()

    def _wait(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()


class LogSubscription(ListenNotifySubscription[ApplicationRecorder]):
    """The library's subscription, woken by the log's NOTIFY."""

    def __init__(
        self, recorder: LogRecorder, dsn: str, gt: int | None, topics: Sequence[str]
    ) -> None:
        super().__init__(recorder, gt, topics)
        self._dsn = dsn
        self._listener = Thread(target=self._listen, name="log listener", daemon=True)
        self._listener.start()

    def __exit__(self, *args: object, **kwargs: Any) -> None:
        super().__exit__(*args, **kwargs)
        self._listener.join()

    def _listen(self) -> None:
        with connect_blocking(self._dsn, name="library") as connection:
            connection.execute("listen quarterdeck_log")
            self._has_been_notified.set()
            while not self._has_been_stopped:
                for _ in connection.notifies(timeout=0.2, stop_after=1):
                    self._has_been_notified.set()


def _request(stored_events: Sequence[StoredEvent]) -> Request:
    events = []
    starts = []
    streams: set[bytes] = set()
    for stored in stored_events:
        stream, version = UUID(str(stored.originator_id)).bytes, stored.originator_version
        events.append(packed(stream, version, stored.topic, stored.state, NO_ENVELOPE))
        starts.append(stream not in streams)
        streams.add(stream)
    size = sum(len(stored.state) + ROW_BYTES for stored in stored_events)
    return Request(Append([], {}), events, starts, [], list(streams), size)

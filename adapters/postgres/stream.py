"""The log itself as a stream: pages by position, woken by NOTIFY and by a poll besides."""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncGenerator, Callable, Collection, Sequence
from contextlib import AsyncExitStack
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection

from adapters.postgres.connection import GONE, sentence
from adapters.postgres.continuity import must_continue, row_leaf
from adapters.postgres.mapper import COLUMNS
from adapters.postgres.sessions import connect
from application.ports import EventsLost, Mark, Marks, Page
from domain.model import Event, Recorded

CHANNEL = "quarterdeck_log"
PARTITION = 0
"""The log has one partition; an offset in it is a position."""
PAGE_RECORDS = 2_000
PAGE_BYTES = 8 << 20
FIRST_PAGE_RECORDS = 64
REMEMBERED_PAGES = 256
"""So many marks behind it a reader remembers, to tell up to where the log is as it was."""

Decode = Callable[[int, UUID, int, str, bytes, bytes, datetime], Recorded]
Connection = AsyncConnection[Any]
logger = logging.getLogger(__name__)


ALL = f"""
    select {COLUMNS} from log.stored_events where notification_id between %b and %b
    order by notification_id limit %b
""".encode()
SOME = f"""
    select {COLUMNS} from log.stored_events where notification_id between %b and %b
    and (topic = any(%b) or topic <> all(%b)) order by notification_id limit %b
""".encode()


class LogReader:
    """Reads pages of the log on one connection, with no more bytes in one than memory likes.

    With `topics` it gives events of these topics only, and of topics that nobody here knows.
    """

    def __init__(
        self,
        connection: Connection,
        decode: Decode,
        topics: Collection[str] | None = None,
        most_records: int = PAGE_RECORDS,
    ) -> None:
        self._connection = connection
        self._decode = decode
        self._topics = topics
        self._most = most_records
        self._limit = min(FIRST_PAGE_RECORDS, most_records)

    async def page(self, offset: int, upto: int = 2**62) -> Page | None:
        """The records from `offset` on, not beyond `upto`; None when there are none."""
        if self._topics is None:
            rows, _ = await self._select(ALL, [offset, upto])
            return _page(rows, self._decode, rows[-1][0]) if rows else None
        head = min(upto, await self.head())
        if offset > head:
            return None
        topics = [list(self._topics), list(Event.topics)]
        rows, is_full = await self._select(SOME, [offset, head, *topics])
        return _page(rows, self._decode, rows[-1][0] if is_full else head)

    async def _select(self, query: bytes, parameters: list[Any]) -> tuple[Sequence[Any], bool]:
        cursor = self._connection.cursor(binary=True)
        await cursor.execute(query, [*parameters, self._limit], prepare=True)
        rows = await cursor.fetchall()
        is_full = len(rows) == self._limit
        self._fit(rows)
        return rows, is_full

    async def head(self) -> int:
        """The position of the last event; 0 for an empty log."""
        cursor = await self._connection.execute("select position from log.head")
        (position,) = await cursor.fetchone() or (0,)
        return int(position)

    def _fit(self, rows: Sequence[Any]) -> None:
        size = sum(len(row[4]) + len(row[5]) for row in rows)
        if size > PAGE_BYTES:
            self._limit = max(1, self._limit // 2)
        elif size < PAGE_BYTES // 2 and len(rows) == self._limit:
            self._limit = min(self._most, self._limit * 2)


class LogStream:
    """ports.Stream over the log.

    Of those who follow with the same `group` one leads and the others wait to take its place;
    without a group everyone follows. Raises EventsLost when the log does not hold any more what
    was read here, or what a mark says.
    """

    def __init__(
        self,
        dsn: str,
        decode: Decode,
        *,
        group: str | None = None,
        poll_seconds: float = 1.0,
        retry_seconds: float = 0.5,
    ) -> None:
        self._dsn = dsn
        self._decode = decode
        self._group = group
        self._poll_seconds = poll_seconds
        self._retry_seconds = retry_seconds
        self._seen: deque[Mark] = deque(maxlen=REMEMBERED_PAGES)
        """Also of those who followed before: a failover ends the term of who leads, too."""

    def forget(self) -> None:
        """Remember nothing of what was read: that it was lost is known."""
        self._seen.clear()

    async def follow(self, marks: Marks) -> AsyncGenerator[Page, None]:
        """Pages without end (see ports.Stream)."""
        while True:
            try:
                async with AsyncExitStack() as stack:
                    connection = await connect(self._dsn, name="stream")
                    await stack.enter_async_context(connection)
                    await self._lead(connection)
                    await connection.execute(f"listen {CHANNEL}".encode())
                    mark = (await marks([PARTITION]))[PARTITION]
                    await self._must_continue(connection, mark)
                    async for page in self._pages(connection, mark):
                        yield page
            except GONE as error:
                logger.warning("The log cannot be followed just now: %s", sentence(error))
                await asyncio.sleep(self._retry_seconds)

    async def _pages(self, connection: Connection, mark: Mark) -> AsyncGenerator[Page, None]:
        reader = LogReader(connection, self._decode)
        offset = max(mark.offset, mark.position + 1)
        while True:
            page = await reader.page(offset)
            while page is not None:
                offset = page.next_offset
                self._seen.append(page.mark)
                # The next page is read and decoded while this one is written.
                ahead = asyncio.create_task(reader.page(offset), name="read ahead")
                try:
                    yield page
                    page = await ahead
                finally:
                    await _cancelled(ahead)
            if not await self._is_woken(connection):
                # A backup may be restored under connections that live on.
                await self._must_continue(connection, mark)

    async def _must_continue(self, connection: Connection, mark: Mark) -> None:
        try:
            await must_continue(connection, [*self._seen, mark])
        except EventsLost:
            self.forget()
            raise

    async def _is_woken(self, connection: Connection) -> bool:
        """Whether something was appended before the next poll.

        What was notified while a page was read is kept by the connection and wakes at once.
        """
        is_woken = False
        async for _ in connection.notifies(timeout=self._poll_seconds, stop_after=1):
            is_woken = True
        return is_woken

    async def _lead(self, connection: Connection) -> None:
        """Hold the group's lock for as long as the connection lives."""
        while self._group is not None:
            cursor = await connection.execute("select pg_try_advisory_lock(%s)", [self._lock])
            (leads,) = await cursor.fetchone() or (False,)
            if leads:
                return
            await asyncio.sleep(self._poll_seconds)

    @property
    def _lock(self) -> int:
        digest = sha256(f"quarterdeck stream {self._group}".encode()).digest()
        return int.from_bytes(digest[:8], signed=True)


def _page(rows: Sequence[Any], decode: Decode, upto: int) -> Page:
    leaf = row_leaf(*rows[-1]) if rows and rows[-1][0] == upto else None
    return Page(PARTITION, [decode(*row) for row in rows], upto + 1, upto, leaf)


async def _cancelled(task: asyncio.Task[Any]) -> None:
    if not task.done():
        task.cancel()
        await asyncio.wait([task])
    elif not task.cancelled():
        # Its error, if any, was raised where it was awaited, or nobody waits for it any more.
        task.exception()

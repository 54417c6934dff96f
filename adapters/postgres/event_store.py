"""The event store: appends by group commit, loads that wait for each other, snapshots beside."""

import asyncio
from collections.abc import Awaitable, Collection, Sequence
from types import TracebackType
from typing import Any, LiteralString, Self
from uuid import UUID

import psycopg
from psycopg.errors import QueryCanceled
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from adapters.postgres import connection as postgres
from adapters.postgres.arrays import Int8s, Uuids
from adapters.postgres.group_commit import GroupCommit
from adapters.postgres.mapper import COLUMNS, Mapper
from adapters.postgres.sessions import LOOKS_UP_BY_KEY, open_pool
from application.ports import Append, Appended, CommandOutcome
from domain.model import Event, Recorded

LOAD = f"""
    select {COLUMNS} from log.stored_events e
    join unnest(%b::uuid[], %b::bigint[]) as asked(stream, after)
      on e.originator_id = asked.stream and e.originator_version > asked.after
    order by e.originator_id, e.originator_version
"""
READ_SOME = f"""
    select {COLUMNS} from (
        select {COLUMNS}, sum(length(state)) over (order by notification_id) - length(state) as size
        from log.stored_events
        where notification_id > %b and notification_id <= %b
        and (%b::text[] is null or topic = any(%b::text[]) or topic <> all(%b::text[]))
        order by notification_id limit %b
    ) as first_ones where size < %b order by notification_id
"""
READ = f"""
    select {COLUMNS} from log.stored_events
    where notification_id > %b and notification_id <= %b order by notification_id limit %b
"""


class PostgresEventStore:
    """ports.EventStore on the library's table layout; also reads the log by position."""

    def __init__(self, dsn: str, mapper: Mapper | None = None, *, readers: int = 4) -> None:
        self.mapper = mapper or Mapper()
        self.writer = GroupCommit(dsn, self.mapper)
        self.pool: AsyncConnectionPool = open_pool(
            dsn, name="store", size=readers, settings=LOOKS_UP_BY_KEY
        )
        self._asked: dict[UUID, tuple[int, list[asyncio.Future[Sequence[Recorded]]]]] = {}
        self._loading: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        await self.pool.open()
        return self

    async def __aexit__(
        self,
        _: type[BaseException] | None,
        __: BaseException | None,
        ___: TracebackType | None,
    ) -> None:
        await self.writer.close()
        await self.pool.close()

    def append(self, append: Append) -> Awaitable[Appended]:
        return self.writer.append(append)

    async def load(self, stream_id: UUID, after: int = 0) -> Sequence[Recorded]:
        """Loads that come while one runs are made as one select."""
        answer: asyncio.Future[Sequence[Recorded]] = asyncio.get_running_loop().create_future()
        lowest, waiting = self._asked.get(stream_id, (after, []))
        self._asked[stream_id] = (min(lowest, after), [*waiting, answer])
        if self._loading is None or self._loading.done():
            self._loading = asyncio.create_task(self._load_asked(), name="coalesced loads")
        found = await answer
        return found if not after else [r for r in found if r.version > after]

    async def _load_asked(self) -> None:
        while self._asked:
            asked, self._asked = self._asked, {}
            try:
                found = await self._select(asked)
            except BaseException as error:
                for _, waiting in asked.values():
                    for answer in waiting:
                        if not answer.done():
                            answer.set_exception(error)
                if not isinstance(error, Exception):
                    raise
                continue
            for stream_id, (_, waiting) in asked.items():
                for answer in waiting:
                    if not answer.done():
                        answer.set_result(found.get(stream_id, []))

    async def _select(
        self, asked: dict[UUID, tuple[int, list[asyncio.Future[Sequence[Recorded]]]]]
    ) -> dict[UUID, list[Recorded]]:
        streams = list(asked)
        afters = [asked[stream][0] for stream in streams]
        rows = await self._rows(
            LOAD, [Uuids.pack([stream.bytes for stream in streams]), Int8s.pack(afters)]
        )
        found: dict[UUID, list[Recorded]] = {}
        for recorded in self.mapper.records(rows):
            found.setdefault(recorded.stream_id, []).append(recorded)
        return found

    async def read(self, after: int = 0, limit: int = 500, upto: int = 2**62) -> Sequence[Recorded]:
        """Up to `limit` records at positions above `after`, in order."""
        return self.mapper.records(await self._rows(READ, [after, upto, limit]))

    async def read_some(
        self,
        after: int,
        upto: int,
        *,
        topics: Collection[str] | None = None,
        limit: int,
        max_bytes: int,
    ) -> Sequence[Recorded]:
        """The first records above `after` and not above `upto`, in order; so many, or fewer once
        they are that large. With `topics`, only these and those that nobody here knows."""
        wanted = None if topics is None else list(topics)
        known = list(Event.topics)
        rows = await self._rows(READ_SOME, [after, upto, wanted, wanted, known, limit, max_bytes])
        return self.mapper.records(rows)

    async def head(self) -> int:
        """The position of the last event; 0 for an empty log."""
        ((position,),) = await self._rows("select position from log.head")
        return int(position)

    async def holder(self, key: str) -> UUID | None:
        rows = await self._rows("select holder from log.claims where key = %s", [key])
        return rows[0][0] if rows else None

    async def outcome(self, command_id: str) -> CommandOutcome | None:
        rows = await self._rows(
            "select fingerprint, result, position from log.commands where command_id = %s",
            [command_id],
        )
        return CommandOutcome(*rows[0]) if rows else None

    async def snapshot(self, stream_id: UUID, topic: str) -> tuple[int, bytes] | None:
        rows = await self._rows(
            "select originator_version, state from log.snapshots"
            " where originator_id = %s and topic = %s"
            " order by originator_version desc limit 1",
            [stream_id, topic],
        )
        return rows[0] if rows else None

    async def save_snapshot(self, stream_id: UUID, version: int, topic: str, state: bytes) -> None:
        with postgres.reachable():
            async with self.pool.connection() as connection:
                await connection.execute(
                    "insert into log.snapshots values (%s, %s, %s, %s)"
                    " on conflict (originator_id, originator_version)"
                    " do update set topic = excluded.topic, state = excluded.state",
                    [stream_id, version, topic, state],
                )

    async def _rows(self, sql: LiteralString, parameters: Sequence[object] = ()) -> list[Any]:
        """The rows of a select, asked again once: after a restart connections may be dead."""
        with postgres.reachable():
            try:
                return await self._rows_once(sql, parameters)
            except (QueryCanceled, PoolTimeout):
                raise
            except psycopg.OperationalError:
                await self.pool.check()
                return await self._rows_once(sql, parameters)

    async def _rows_once(self, sql: LiteralString, parameters: Sequence[object]) -> list[Any]:
        async with self.pool.connection() as connection:
            cursor = connection.cursor(binary=True)
            await cursor.execute(sql, parameters, prepare=True)
            return await cursor.fetchall()

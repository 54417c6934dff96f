"""Readers of the read models: now, once a position is shown, or as they were at an instant."""

from collections.abc import AsyncIterator, Hashable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime
from typing import Any

from adapters.bootstrap import Hub
from adapters.http.edge import NotYet
from adapters.postgres.reader import PostgresReader, open_reader
from adapters.postgres.time_travel import TimeMachine
from adapters.postgres.visibility import Visibility
from projections import PROJECTIONS
from projections.reader import Reader, Shown


class ReadModels:
    """edge.Reads over one database."""

    def __init__(self, now: PostgresReader, past: TimeMachine, visibility: Visibility) -> None:
        self.now = now
        self.visibility = visibility
        self._past = past

    async def reader(
        self, *, at: datetime | None = None, after: int | None = None, tenant: Hashable = None
    ) -> Reader:
        if at is not None:
            return _PastReader(self._past, at, tenant)
        if after and not await self.visibility.wait_for(after):
            raise NotYet(after)
        return self.now


class _PastReader:
    """Holds the instant's tables only while a query runs, so that they can be forgotten."""

    def __init__(self, past: TimeMachine, moment: datetime, tenant: Hashable) -> None:
        self._past = past
        self._moment = moment
        self._tenant = tenant

    async def rows(self, sql: str, parameters: Mapping[str, Any] | None = None) -> list[Shown]:
        async with self._past.at(self._moment, self._tenant) as reader:
            return await reader.rows(sql, parameters or {})

    async def row(self, sql: str, parameters: Mapping[str, Any] | None = None) -> Shown | None:
        return next(iter(await self.rows(sql, parameters)), None)


@asynccontextmanager
async def open_reads(hub: Hub) -> AsyncIterator[ReadModels]:
    """Run `visibility.run()` beside it, or nobody can wait for a position."""
    async with AsyncExitStack() as stack:
        now = await stack.enter_async_context(open_reader(hub.dsn))
        past = TimeMachine(hub.dsn, hub.pool, hub.store.mapper.recorded, PROJECTIONS)
        stack.push_async_callback(past.close)
        yield ReadModels(now, past, Visibility(hub.dsn, PROJECTIONS))

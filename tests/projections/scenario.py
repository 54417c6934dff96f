"""A scenario is a log that a test writes, and what the read models then show of it."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar
from uuid import UUID

from psycopg.rows import dict_row

from adapters.postgres.event_store import PostgresEventStore
from adapters.postgres.feeding import load_feeds, write
from adapters.postgres.mapper import Mapper
from adapters.postgres.migrations import migrate
from adapters.postgres.read_models import active_builds, connect_to_write, install
from adapters.postgres.reader import PostgresReader, open_reader
from adapters.postgres.stream import LogReader
from application.ports import Append, StreamAppend
from domain.model import Actor, Envelope, Event
from projections import PROJECTIONS
from projections.projection import Projection

MIRA = Actor(type="User", name="Mira Okafor")
BY_MIRA: Envelope = {"actor": MIRA.known, "workspace": "acme"}
T = TypeVar("T")


class Scenario:
    """A log of its own, the read models over it, and their reader."""

    def __init__(
        self,
        dsn: str,
        store: PostgresEventStore,
        reader: PostgresReader,
        projections: Sequence[Projection],
    ) -> None:
        self.dsn = dsn
        self.store = store
        self.reader = reader
        self.projections = projections
        self._versions: dict[UUID, int] = {}

    async def given(self, stream_id: UUID, *events: Event, envelope: Envelope | None = None) -> int:
        """These events happened, in a commit of their own; the position of the last."""
        version = self._versions.get(stream_id, 0)
        appended = await self.store.append(
            Append(
                [StreamAppend(stream_id, version, events)],
                BY_MIRA if envelope is None else envelope,
            )
        )
        self._versions[stream_id] = version + len(events)
        return appended.position

    async def shows(self, query: Callable[..., Awaitable[T]], *arguments: Any, **named: Any) -> T:
        """What a query gives once the read models have seen everything."""
        await self.feed()
        return await query(self.reader, *arguments, **named)

    async def feed(self, page_records: int = 2_000) -> None:
        """Bring all read models to the head of the log, page by page."""
        async with await connect_to_write(self.dsn, "scenario") as connection:
            builds = await active_builds(connection, self.projections)
            (feeds,) = (await load_feeds(connection, list(builds.values()), "log", [0])).values()
            reader = LogReader(connection, Mapper().recorded, most_records=page_records)
            while page := await reader.page(min(f.mark.position for f in feeds) + 1):
                await write(connection, feeds, page)

    async def contents(self) -> dict[str, list[Any]]:
        """All rows of all tables of the read models, in the order of their keys."""
        async with await connect_to_write(self.dsn, "scenario") as connection:
            cursor = connection.cursor(row_factory=dict_row)
            found = {}
            for table in (table for known in self.projections for table in known.tables):
                order = ", ".join(table.key)
                await cursor.execute(f"select * from read.{table.name} order by {order}".encode())
                found[table.name] = await cursor.fetchall()
            return found


@asynccontextmanager
async def scenario(
    dsn: str, projections: Sequence[Projection] = PROJECTIONS
) -> AsyncIterator[Scenario]:
    """An empty log in the database, with read models that show nothing yet."""
    await migrate(dsn)
    await install(dsn, projections)
    async with PostgresEventStore(dsn) as store, open_reader(dsn) as reader:
        yield Scenario(dsn, store, reader, projections)

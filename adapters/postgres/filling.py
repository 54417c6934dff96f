"""Filling makes empty tables of one projection what some events make of them, and marks nothing."""

from collections.abc import Sequence
from uuid import UUID

from adapters.postgres.feeding import Connection, rows_after, show
from adapters.postgres.pending_rows import Loaded, PendingRows
from adapters.postgres.read_models import Build
from domain.model import Recorded
from projections.projection import Key, Row, Table

MOST_ROWS = 100_000


class Filler:
    """Makes the rows in memory and writes them at the end, or when there are very many.

    A stream whose event cannot be shown ends there, as it does where the event is parked.
    """

    def __init__(self, connection: Connection, build: Build, *, most_rows: int = MOST_ROWS) -> None:
        self._connection = connection
        self._build = build
        self._most_rows = most_rows
        self._ended: set[UUID] = set()
        self._rows = PendingRows(_Empty())
        self._then: CarefulFiller | None = None

    async def fill(self, records: Sequence[Recorded]) -> None:
        """Take some more events."""
        if self._then is not None:
            return await self._then.fill(records)
        for recorded in records:
            self._take(recorded)
        if len(self._rows) > self._most_rows:
            await self.finish()
            self._then = CarefulFiller(self._connection, self._build, self._ended)

    async def finish(self) -> None:
        """Write what is in memory."""
        if self._then is None:
            await _write(self._connection, self._build, self._rows)

    def _take(self, recorded: Recorded) -> None:
        if recorded.stream_id in self._ended:
            return
        try:
            show(self._build, recorded, self._rows)
        except Exception:
            # A rule may raise anything at all.
            self._ended.add(recorded.stream_id)


class CarefulFiller(Filler):
    """Writes page by page; where that fails, event by event."""

    def __init__(
        self, connection: Connection, build: Build, ended: set[UUID] | None = None
    ) -> None:
        super().__init__(connection, build)
        self._ended = ended or set()

    async def fill(self, records: Sequence[Recorded]) -> None:
        ready = [recorded for recorded in records if recorded.stream_id not in self._ended]
        try:
            await self._show(ready)
        except Exception:
            # A rule may raise anything at all.
            for recorded in ready:
                await self._show_alone(recorded)

    async def finish(self) -> None:
        """All is written already."""

    async def _show_alone(self, recorded: Recorded) -> None:
        if recorded.stream_id in self._ended:
            return
        try:
            await self._show([recorded])
        except Exception:
            if self._connection.closed:
                raise
            self._ended.add(recorded.stream_id)

    async def _show(self, records: Sequence[Recorded]) -> None:
        rows = await rows_after(self._connection, self._build, records)
        await _write(self._connection, self._build, rows)


class _Empty(Loaded):
    """The database has no rows yet, and nobody need ask it."""

    def row(self, table: Table, key: Key) -> Row | None:  # noqa: ARG002
        return None


async def _write(connection: Connection, build: Build, rows: PendingRows) -> None:
    async with connection.transaction():
        for text, arrays in rows.statements(build.schema):
            await connection.execute(text, arrays)

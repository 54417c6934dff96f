"""A read model is built anew beside the one that is read, then takes its place or is compared."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from hashlib import sha256

from psycopg import errors
from psycopg_pool import AsyncConnectionPool

from adapters.postgres.comparison import Comparison, compare, copy_live
from adapters.postgres.feeding import Connection, load_feeds, write
from adapters.postgres.patience import NOT_THE_EVENTS_FAULT, Patience, write_patiently
from adapters.postgres.read_models import (
    INSTALLING,
    Build,
    activate,
    connect_to_write,
    create,
    discard,
    sweep,
)
from adapters.postgres.sessions import WRITES_READ_MODELS, open_pool
from adapters.postgres.stream import Decode, LogReader
from application.ports import Page
from projections.projection import Projection

SOURCE = "rebuild"
"""Where the marks of a build count while it is filled straight from the log."""
LOCK_PAUSE_SECONDS = 0.1


class Rebuilder:
    """Builds projections from the log; of one projection, one build at a time is made."""

    def __init__(
        self,
        dsn: str,
        decode: Decode,
        patience: Patience | None = None,
        tries_to_settle: int = 100,
    ) -> None:
        self._dsn = dsn
        self._decode = decode
        self._patience = patience or Patience()
        self._tries_to_settle = tries_to_settle

    async def rebuild(self, projection: Projection, source: str | None = None) -> Build:
        """Build beside, catch up, and switch in one transaction: reads never stop.

        The build's marks are those of the build before it: all of them, or of one source.
        """
        async with _Beside(self._dsn, self._decode, projection, self._patience) as beside:
            await beside.catch_up()
            return await beside.switch(source)

    async def check(self, projection: Projection) -> Comparison:
        """Build beside up to where the active build is, compare all rows, and drop it again.

        Raises NotSettled, or LookupError when there is no active build of this version.
        """
        async with _Beside(self._dsn, self._decode, projection, self._patience) as beside:
            position = await copy_live(beside.lock, projection, self._tries_to_settle)
            await beside.catch_up(position)
            return await compare(beside.lock, beside.build, position)


class _Beside:
    """A build in the making."""

    def __init__(
        self, dsn: str, decode: Decode, projection: Projection, patience: Patience
    ) -> None:
        self._dsn = dsn
        self._decode = decode
        self._projection = projection
        self._patience = patience
        self._stack = AsyncExitStack()
        self._is_switched = False

    async def __aenter__(self) -> "_Beside":
        dsn = self._dsn
        async with self._stack as stack:
            self.lock = await stack.enter_async_context(await connect_to_write(dsn, "rebuild"))
            self._pool: AsyncConnectionPool[Connection] = await stack.enter_async_context(
                open_pool(dsn, name="rebuild", size=2, settings=WRITES_READ_MODELS)
            )
            await self.lock.execute("select pg_advisory_lock(%s)", [_lock(self._projection)])
            reader = await stack.enter_async_context(await connect_to_write(dsn, "rebuild reader"))
            self._reader = LogReader(reader, self._decode, self._projection.topics)
            await self._begin()
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        async with self._stack:
            if not self._is_switched:
                await discard(self.lock, self.build)

    async def _begin(self) -> None:
        await self._discard_unfinished()
        async with self.lock.transaction():
            await self.lock.execute("select pg_advisory_xact_lock(%s)", [INSTALLING])
            self.build = await create(self.lock, self._projection)
        feeds = await load_feeds(self.lock, [self.build], SOURCE, [0])
        (self._feed,) = feeds[0]

    async def _discard_unfinished(self) -> None:
        """Drop what an earlier rebuild left: we hold the lock, so nobody makes it now."""
        await self.lock.execute(
            "delete from read_models.builds where projection = %s and not is_active",
            [self._projection.name],
        )
        await sweep(self.lock)

    async def catch_up(self, upto: int = 2**62) -> int:
        """Feed the build from the log, to its head or to `upto`; where it stands then."""
        while page := await self._reader.page(self._feed.mark.offset or 1, upto):
            await self._write(page)
        return self._feed.upto

    async def _write(self, page: Page) -> None:
        try:
            async with self._pool.connection() as connection:
                await write(connection, [self._feed], page)
        except NOT_THE_EVENTS_FAULT:
            raise
        except Exception:
            # A rule may raise anything at all.
            await write_patiently(self._pool, self._feed, page, self._patience)

    async def switch(self, source: str | None) -> Build:
        """Stop the feeding of the active build, catch up with it, and take its place.

        A reader that takes long is not waited for, since those after it would wait too.
        """
        while True:
            try:
                build = await self._switch_once(source)
            except errors.LockNotAvailable:
                await asyncio.sleep(LOCK_PAUSE_SECONDS)
            else:
                self._is_switched = True
                await sweep(self.lock)
                return build

    async def _switch_once(self, source: str | None) -> Build:
        async with self.lock.transaction():
            await self.lock.execute("set local lock_timeout = '200ms'")
            await self.lock.execute("select pg_advisory_xact_lock(%s)", [INSTALLING])
            marks = await self._stopped_marks(source)
            head = await self.catch_up(await self._reader.head())
            await self.lock.execute(
                "delete from read_models.positions where build = %s", [self.build.id]
            )
            for source_, partition, offset in marks:
                await self.lock.execute(
                    "insert into read_models.positions"
                    " (build, source, partition, next_offset, position, upto)"
                    " values (%s, %s, %s, %s, %s, %s)",
                    [self.build.id, source_, partition, offset, head, head],
                )
            build = Build(self.build.id, self._projection, self.build.schema, head)
            await activate(self.lock, build)
        return build

    async def _stopped_marks(self, source: str | None) -> Sequence[tuple[str, int, int]]:
        """The marks of the active build; whoever would move them waits until we are through."""
        cursor = await self.lock.execute(
            "select p.source, p.partition, p.next_offset from read_models.positions p"
            " join read_models.builds b using (build)"
            " where b.projection = %s and b.is_active and (%s::text is null or p.source = %s)"
            " for update of p",
            [self._projection.name, source, source],
        )
        return [(row[0], row[1], row[2]) for row in await cursor.fetchall()]


def _lock(projection: Projection) -> int:
    digest = sha256(f"quarterdeck rebuild {projection.name}".encode()).digest()
    return int.from_bytes(digest[:8], signed=True)

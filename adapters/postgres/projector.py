"""The projector follows the stream and keeps every read model up with it."""

import asyncio
import logging
from collections import deque
from collections.abc import Collection, Mapping, Sequence
from contextlib import aclosing, suppress
from typing import Any

import psycopg
from psycopg_pool import AsyncConnectionPool

from adapters.postgres.connection import sentence
from adapters.postgres.continuity import must_continue
from adapters.postgres.feeding import (
    PASSES,
    Connection,
    Feed,
    Overtaken,
    load_feeds,
    rising,
    write,
)
from adapters.postgres.patience import NOT_THE_EVENTS_FAULT, Patience, describe, write_patiently
from adapters.postgres.read_models import active_builds
from adapters.postgres.rebuild import Rebuilder
from adapters.postgres.sessions import WRITES_READ_MODELS, open_pool
from application.ports import EventsLost, Mark, Page, Stream
from projections.projection import Projection

CONNECTIONS = 4
LOG = "log"
"""The source of marks that count in the log itself."""
MOST_WAITING_PAGES = 64
PAUSE_SECONDS = 0.2
BROKEN_PAUSE_SECONDS = 30.0
logger = logging.getLogger(__name__)


class Projector:
    """Feeds the active builds of `projections` from a stream.

    A page is read and decoded once and written for all in one transaction. What fails there is
    written for each alone; a projection that fails alone goes on by itself, in a lane, while the
    others stay with the stream. `source` names where the offsets of its marks count. `cut` is what
    the stream raises when it has lost what was not read yet: then all is built from the log.
    """

    def __init__(
        self,
        dsn: str,
        projections: Sequence[Projection],
        stream: Stream,
        rebuilder: Rebuilder,
        *,
        source: str = LOG,
        cut: type[Exception] = Overtaken,
        patience: Patience | None = None,
    ) -> None:
        self._projections = projections
        self._stream = stream
        self._rebuilder = rebuilder
        self._source = source
        self._cut = cut
        self._patience = patience or Patience()
        self._dsn = dsn
        self._feeds: Mapping[int, list[Feed]] = {}
        self._lanes: dict[int, list[Lane]] = {}
        self._tasks: asyncio.TaskGroup | None = None
        self._is_building = False

    async def run(self) -> None:
        """Follow for ever; what was overtaken or cut off begins again from the stored marks.

        Read models lose what the log loses, so it goes on where both are; but not from a copy of
        the log that has what was lost: then it raises EventsLost.
        """
        async with self._open_pool() as self._pool:
            while True:
                lost: EventsLost | None = None
                try:
                    await self.follow()
                except* Overtaken:
                    logger.info("Read models were changed by someone else; reading on from there.")
                except* PASSES as errors:
                    reason = sentence(errors.exceptions[0])
                    logger.warning("Read models wait for the database: %s", reason)
                    await self._pool.check()
                except* self._cut:
                    logger.warning("The stream has lost what was not read; building from the log.")
                    await self._build_all()
                except* EventsLost as errors:
                    lost = _first(errors)
                _end_if_cancelled()
                if lost is not None and self._source != LOG:
                    raise lost
                await asyncio.sleep(PAUSE_SECONDS)

    def _open_pool(self) -> AsyncConnectionPool[Connection]:
        return open_pool(self._dsn, name="projector", size=CONNECTIONS, settings=WRITES_READ_MODELS)

    async def follow(self) -> None:
        """Follow the stream once, until something comes in between (an exception group)."""
        self._feeds, self._lanes, self._is_building = {}, {}, False
        async with (
            asyncio.TaskGroup() as self._tasks,
            aclosing(self._stream.follow(self.marks)) as pages,
        ):
            async for page in pages:
                await self.advance(page)

    async def marks(self, partitions: Collection[int]) -> Mapping[int, Mark]:
        """Where the stream must begin in each partition, so that no build misses anything."""
        async with self._pool.connection() as connection:
            builds = await active_builds(connection, self._projections)
            elsewhere = await self._fed_elsewhere(connection)
            fed = [build for build in builds.values() if build.id not in elsewhere]
            self._feeds = {
                **self._feeds,
                **await load_feeds(connection, fed, self._source, list(partitions)),
            }
        missing = [p for p in self._projections if p not in {build.projection for build in fed}]
        if missing and not self._is_building:
            self._is_building = True
            self._spawn(self._build(missing), "build beside")
        return {partition: _earliest(self._feeds[partition]) for partition in partitions}

    async def advance(self, page: Page) -> None:
        """One iteration: bring every build past a page, or leave it to its lane.

        Raises EventsLost for a page of a copy of the log that is ahead of the log.
        """
        if self._source != LOG:
            await self._must_continue(page)
        page = rising(page)
        lanes = self._lanes.get(page.partition, [])
        for lane in lanes:
            lane.add(page)
        alone = {id(lane.feed) for lane in lanes}
        together = [f for f in self._feeds.get(page.partition, []) if id(f) not in alone]
        if together:
            await self._write(together, page)

    async def _must_continue(self, page: Page) -> None:
        async with self._pool.connection() as connection:
            await must_continue(connection, [page.mark])

    async def _write(self, feeds: Sequence[Feed], page: Page) -> None:
        try:
            async with self._pool.connection() as connection:
                await write(connection, feeds, page)
        except (Overtaken, *PASSES):
            raise
        except Exception as error:
            # A rule may raise anything at all.
            if len(feeds) == 1:
                logger.warning("%s goes on alone: %s", feeds[0].name, describe(error))
                self._open_lane(feeds[0], page)
                return
            for feed in feeds:
                await self._write([feed], page)

    def _open_lane(self, feed: Feed, page: Page) -> None:
        lane = Lane(feed, page)
        self._lanes.setdefault(page.partition, []).append(lane)
        self._spawn(self._drive(lane), f"lane of {feed.name}")

    async def _drive(self, lane: "Lane") -> None:
        """Write a lane's pages with patience until there are none; then it joins the others."""
        while lane.pages:
            try:
                await write_patiently(self._pool, lane.feed, lane.pages[0], self._patience)
            except NOT_THE_EVENTS_FAULT as error:
                if not isinstance(error, psycopg.ProgrammingError):
                    raise
                await self._wait_for_repair(lane, error)
            lane.pages.popleft()
        self._lanes[lane.feed.partition].remove(lane)

    async def _wait_for_repair(self, lane: "Lane", error: psycopg.ProgrammingError) -> None:
        """Its tables are not what they should be: no event's fault, so none is parked."""
        logger.error("%s cannot be written: %s", lane.feed.name, describe(error))
        lane.is_broken = True
        await asyncio.sleep(BROKEN_PAUSE_SECONDS)
        raise Overtaken

    async def _build_all(self) -> None:
        with suppress(*PASSES):
            for projection in self._projections:
                await self._rebuilder.rebuild(projection, self._source)

    async def _build(self, projections: Sequence[Projection]) -> None:
        """Build what this version of the program shows otherwise than the last, then follow it."""
        try:
            for projection in projections:
                await self._rebuilder.rebuild(projection, self._source)
        except PASSES:
            raise
        except Exception:
            # The others go on; a read model that cannot be built is tried again.
            logger.exception("A read model cannot be built")
            await asyncio.sleep(BROKEN_PAUSE_SECONDS)
        raise Overtaken

    async def _fed_elsewhere(self, connection: Connection) -> set[int]:
        """Builds whose marks count in another source: they cannot be read on in this one."""
        cursor = await connection.execute(
            "select build from read_models.positions group by build"
            " having not bool_or(source = %s)",
            [self._source],
        )
        return {build for (build,) in await cursor.fetchall()}

    def _spawn(self, work: Any, name: str) -> None:
        assert self._tasks is not None
        self._tasks.create_task(work, name=name)


def _end_if_cancelled() -> None:
    """A cancellation that meets another fault is lost by a TaskGroup before Python 3.13."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


def _first(errors: BaseExceptionGroup[EventsLost]) -> EventsLost:
    first = errors.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first


class Lane:
    """The pages that a projection has to write by itself."""

    def __init__(self, feed: Feed, page: Page) -> None:
        self.feed = feed
        self.pages = deque([page])
        self.is_broken = False

    def add(self, page: Page) -> None:
        """One page more. Raises Overtaken when there are too many to be kept in memory."""
        if self.is_broken:
            return
        if len(self.pages) >= MOST_WAITING_PAGES:
            raise Overtaken
        self.pages.append(page)


def _earliest(feeds: Sequence[Feed]) -> Mark:
    return Mark(
        min((feed.mark.offset for feed in feeds), default=0),
        min((feed.mark.position for feed in feeds), default=0),
    )

"""Feeding writes a page into builds together with how far it brings them, in one transaction."""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

import psycopg
from psycopg import AsyncConnection

from adapters.postgres.connection import GONE, REFUSES_TO_WRITE
from adapters.postgres.mapper import UndecodableEvent
from adapters.postgres.pending_rows import Loaded, NotLoaded, PendingRows
from adapters.postgres.read_models import Build
from application.ports import Mark, Page
from domain.model import Recorded

Connection = AsyncConnection[Any]
MOVED_BY_SOMEONE_ELSE = "QD001"
PASSES = (*GONE, *REFUSES_TO_WRITE)
"""The database is away, full, read only or overburdened: no event's fault, and it passes."""


class Overtaken(Exception):
    """Someone else has moved or changed a build: what is known here of it is no longer true."""


class CannotRead(Exception):
    """A projection may have a rule for the event, but this program cannot read it."""


@dataclass(slots=True)
class Feed:
    """A build as it stands in one partition of a source; `epoch` see the schema."""

    build: Build
    source: str
    partition: int
    mark: Mark
    upto: int
    epoch: int
    blocked: dict[UUID, int] = field(default_factory=dict)
    """Streams with a parked event, and its position: what follows in them waits behind it."""

    @property
    def name(self) -> str:
        return self.build.projection.name

    def fresh(self, page: Page) -> Sequence[Recorded]:
        """The records of a page that are not in the build yet; positions rise in a page."""
        if not page.records or page.records[0].position > self.mark.position:
            return page.records
        return page.records[bisect_right(page.records, self.mark.position, key=_position) :]

    def ready(self, page: Page) -> Sequence[Recorded]:
        """The fresh records of a page that wait for nothing."""
        fresh = self.fresh(page)
        return [r for r in fresh if not self.waits(r)] if self.blocked else fresh

    def waits(self, recorded: Recorded) -> bool:
        """Whether an event must wait behind a parked one of its stream."""
        return bool(self.blocked) and recorded.stream_id in self.blocked and self.takes(recorded)

    def takes(self, recorded: Recorded) -> bool:
        """Whether the projection has, or may have, a rule for the event."""
        return self.build.projection.takes(topic_of(recorded))

    def move(self, page: Page) -> None:
        """Remember that the page is in the build."""
        last = page.records[-1].position if page.records else 0
        self.mark = Mark(page.next_offset, max(self.mark.position, last))
        self.upto = max(self.upto, page.upto)


async def write(connection: Connection, feeds: Sequence[Feed], page: Page) -> None:
    """Bring all feeds past the page, or none.

    Raises Overtaken, a driver's error, or whatever a rule raises.
    """
    changed = [(feed, await rows_after(connection, feed.build, feed.ready(page))) for feed in feeds]
    try:
        async with connection.pipeline(), connection.transaction():
            await advance(connection, feeds, page)
            for feed, rows in changed:
                for text, arrays in rows.statements(feed.build.schema):
                    await connection.execute(text, arrays)
                for recorded in filter(feed.waits, feed.fresh(page)):
                    await park(connection, feed, recorded, _waits_behind(feed, recorded), 0)
    except psycopg.Error as error:
        raise _overtaken(error) from error
    for feed in feeds:
        feed.move(page)


async def write_parked(
    connection: Connection, feed: Feed, page: Page, reason: str, tries: int
) -> None:
    """Bring the feed past a page of one event by parking it. Raises Overtaken."""
    (recorded,) = page.records
    try:
        async with connection.pipeline(), connection.transaction():
            await advance(connection, [feed], page)
            await park(connection, feed, recorded, reason, tries)
    except psycopg.Error as error:
        raise _overtaken(error) from error
    feed.blocked.setdefault(recorded.stream_id, recorded.position)
    feed.move(page)


async def rows_after(
    connection: Connection, build: Build, records: Sequence[Recorded]
) -> PendingRows:
    """What the records make of the rows of a build. Raises what a rule raises."""
    loaded = Loaded()
    while True:
        rows = PendingRows(loaded)
        for recorded in records:
            show(build, recorded, rows)
        if loaded.is_complete:
            return rows
        await loaded.load_missing(connection, build.schema)


def show(build: Build, recorded: Recorded, rows: PendingRows) -> None:
    """Let the projection's rule change the rows. Raises what the rule raises."""
    event = recorded.event
    if isinstance(event, UndecodableEvent):
        if build.projection.takes(event.stored_topic):
            raise CannotRead(event.reason)
        return
    changes = build.projection.changes(recorded, rows)
    if not changes:
        return
    try:
        rows.add(changes)
    except NotLoaded:
        # It is wanted now; the rows are made again once it is there.
        return


async def advance(connection: Connection, feeds: Sequence[Feed], page: Page) -> None:
    """Move the marks, which fails the transaction where one is not as it is known here."""
    last = page.records[-1].position if page.records else 0
    await connection.execute(
        "select read_models.advance(%b::bigint[], %b::bigint[], %b::bigint[], %b::bigint[],"
        " %b::bigint[], %s, %s::int, %s::bigint, %s::bigint)",
        [
            [feed.build.id for feed in feeds],
            [feed.mark.offset for feed in feeds],
            [feed.mark.position for feed in feeds],
            [feed.epoch for feed in feeds],
            [max(feed.mark.position, last) for feed in feeds],
            feeds[0].source,
            page.partition,
            page.next_offset,
            page.upto,
        ],
    )


async def park(
    connection: Connection, feed: Feed, recorded: Recorded, reason: str, tries: int
) -> None:
    """Put an event aside, visible, to be shown later."""
    await connection.execute(
        "insert into read_models.parked_events"
        " (build, position, stream_id, version, topic, reason, tries)"
        " values (%s, %s, %s, %s, %s, %s, %s)",
        [
            feed.build.id,
            recorded.position,
            recorded.stream_id,
            recorded.version,
            topic_of(recorded),
            reason,
            tries,
        ],
    )


async def load_feeds(
    connection: Connection, builds: Sequence[Build], source: str, partitions: Sequence[int]
) -> Mapping[int, list[Feed]]:
    """The feeds of the builds by partition; a partition that was never fed starts at its start.

    Raises Overtaken when another has taken the place of one of the builds meanwhile.
    """
    try:
        await _begin_partitions(connection, builds, source, partitions)
    except psycopg.errors.ForeignKeyViolation as error:
        raise Overtaken from error
    blocked = await _blocked(connection, builds)
    feeds = {
        partition: [feed async for feed in _feeds(connection, builds, source, partition, blocked)]
        for partition in partitions
    }
    if any(len(of_partition) < len(builds) for of_partition in feeds.values()):
        raise Overtaken
    return feeds


async def _begin_partitions(
    connection: Connection, builds: Sequence[Build], source: str, partitions: Sequence[int]
) -> None:
    await connection.execute(
        "insert into read_models.positions (build, source, partition, next_offset, position, upto)"
        " select b.build, %s, p.partition, 0, b.built_to, b.built_to from read_models.builds b,"
        " unnest(%s::int[]) as p(partition) where b.build = any(%s) on conflict do nothing",
        [source, list(partitions), [build.id for build in builds]],
    )


async def _feeds(
    connection: Connection,
    builds: Sequence[Build],
    source: str,
    partition: int,
    blocked: Mapping[int, dict[UUID, int]],
) -> Any:
    by_id = {build.id: build for build in builds}
    cursor = await connection.execute(
        "select build, next_offset, position, upto, epoch from read_models.positions"
        " where source = %s and partition = %s and build = any(%s)",
        [source, partition, list(by_id)],
    )
    for number, offset, position, upto, epoch in await cursor.fetchall():
        mark = Mark(offset, position)
        yield Feed(by_id[number], source, partition, mark, upto, epoch, blocked[number])


async def _blocked(
    connection: Connection, builds: Sequence[Build]
) -> Mapping[int, dict[UUID, int]]:
    """By build, shared by its partitions: the streams with a parked event and where it stands."""
    blocked: dict[int, dict[UUID, int]] = {build.id: {} for build in builds}
    cursor = await connection.execute(
        "select build, stream_id, min(position) from read_models.parked_events"
        " where build = any(%s) group by build, stream_id",
        [list(blocked)],
    )
    for number, stream_id, position in await cursor.fetchall():
        blocked[number][stream_id] = position
    return blocked


def rising(page: Page) -> Page:
    """The page without records that came before: a relay that was killed publishes them again."""
    records: list[Recorded] = []
    last = 0
    for recorded in page.records:
        if recorded.position > last:
            records.append(recorded)
            last = recorded.position
    return page if len(records) == len(page.records) else replace(page, records=records)


def one_by_one(feed: Feed, page: Page) -> Iterator[Page]:
    """The fresh records of a page as pages of one; only the last leaves the page's offset."""
    records = feed.fresh(page)
    for n, recorded in enumerate(records):
        if n == len(records) - 1:
            yield Page(page.partition, [recorded], page.next_offset, page.upto)
        else:
            offset = feed.mark.offset
            yield Page(page.partition, [recorded], offset, recorded.position)


def topic_of(recorded: Recorded) -> str:
    """The topic under which the event is stored, also of one that cannot be read."""
    event = recorded.event
    return event.stored_topic if isinstance(event, UndecodableEvent) else event.topic


def _overtaken(error: psycopg.Error) -> Exception:
    return Overtaken() if error.sqlstate == MOVED_BY_SOMEONE_ELSE else error


def _waits_behind(feed: Feed, recorded: Recorded) -> str:
    return f"waits behind position {feed.blocked[recorded.stream_id]} of the same stream"


def _position(recorded: Recorded) -> int:
    return recorded.position

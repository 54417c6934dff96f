"""The relay publishes the log to Kafka: every event, in order, at least once."""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Collection, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Protocol

from adapters.kafka.cluster import (
    FAILURES,
    Cluster,
    Filled,
    Stuck,
    TopicReplaced,
    delete_topic,
    ensure_topic,
    filled,
    in_time,
    is_ours,
    pause_seconds,
)
from adapters.kafka.messages import Stored, message, watermark
from adapters.kafka.publisher import LOOK_SECONDS, Parcel, Publisher, open_publisher
from application.delivery import Waiting
from application.ports import Mark, Page, Stream

logger = logging.getLogger(__name__)

STUCK_SECONDS = 15.0
BEGIN_SECONDS = 45.0
TURN_RECORDS = 100
QUIET_SECONDS = 0.02
"""After so much silence a partition is told how far the log is."""


class Place(Protocol):
    """Where it is kept how far the relay is."""

    async def of(self, partitions: Collection[int]) -> Mapping[int, Mark]: ...

    async def save(self, partition: int, mark: Mark) -> None: ...

    async def must_continue(self, seen: Collection[Mark]) -> None:
        """Raise EventsLost unless the log holds what was seen elsewhere."""
        ...

    async def shared_over(self, topic: str) -> int | None:
        """Over how many partitions of a topic the workspaces are shared out; None: not known."""
        ...

    async def share_over(self, topic: str, partitions: int) -> None: ...


class Relay:
    """Run it where it leads; two at once make duplicates, never a disorder.

    Readers drop what is at or below the position they have. So it is enough that each producer
    begins where everything before was acknowledged, and sends from there without a gap.
    """

    def __init__(
        self,
        stored: Stream,
        place: Place,
        cluster: Cluster,
        *,
        stuck_seconds: float = STUCK_SECONDS,
    ) -> None:
        """`stored` is the log itself, with `Stored` as its decoder."""
        self._stored = stored
        self._place = place
        self._cluster = cluster
        self._stuck_seconds = stuck_seconds
        self._tries = 0
        self._must_remake = False

    async def run(self) -> None:
        """Publish for ever, with a new producer after each fault.

        Raises Unavailable, and EventsLost when the topic is ahead of the log: what was published
        cannot be taken back, and what comes now has the same positions.
        """
        while True:
            try:
                await self._publish()
            except TopicReplaced as error:
                # What was just sent came too early for it, so it cannot be continued.
                logger.warning("the topic is made anew: %s", error)
                self._must_remake = True
            except (*FAILURES, Stuck) as error:
                logger.warning("the relay begins anew: %s: %s", type(error).__name__, error)
            except asyncio.CancelledError:
                if is_ours():
                    raise
                logger.warning("the relay begins anew: a client has cancelled itself")
            await asyncio.sleep(pause_seconds(self._tries))
            self._tries += 1

    async def _publish(self) -> None:
        """Publish until a fault."""
        if self._must_remake:
            await in_time(BEGIN_SECONDS, delete_topic(self._cluster))
            self._must_remake = False
        await in_time(BEGIN_SECONDS, ensure_topic(self._cluster))
        begin = await in_time(BEGIN_SECONDS, self._begin())
        shared_over = begin.shared_over
        async with open_publisher(self._cluster, self._stuck_seconds, shared_over) as publisher:
            await self._publish_from(begin, publisher)

    async def _begin(self) -> "Begin":
        """What was saved, unless some partition of the topic does not reach so far.

        A workspace stays in its partition when the topic gets more of them: its events are in
        order in one partition only.
        """
        mark = (await self._place.of([0]))[0]
        saved = mark.position
        found = await filled(self._cluster)
        await self._place.must_continue([mark, *found.ends.values()])
        shared_over = await self._place.shared_over(self._cluster.topic)
        if shared_over is None or shared_over > found.count or found.is_new:
            is_other = shared_over is not None and shared_over > found.count
            await self._place.share_over(self._cluster.topic, found.count)
            upto = 0 if is_other else min(saved, found.upto(found.count, saved))
            return Begin(_mark_at(upto, mark, found), found.count)
        if shared_over < found.count:
            logger.warning(
                "%s has %d partitions, but was begun with %d, and these hold all events, for each"
                " workspace has its place. To use the others, stop what reads and relays, delete"
                " the topic, and start again: it is filled from the log.",
                self._cluster.topic,
                found.count,
                shared_over,
            )
        upto = found.upto(shared_over, saved)
        if upto < saved:
            logger.info("the topic reaches to %d, but %d was published", upto, saved)
        fresh = [n for n, at in found.reaches.items() if n >= shared_over and not at]
        return Begin(_mark_at(min(upto, saved), mark, found), shared_over, fresh)

    async def _publish_from(self, begin: "Begin", publisher: Publisher) -> None:
        partitions = Partitions(publisher, begin.mark)
        # Readers take only a partition that begins with the log's beginning.
        if begin.mark.position == 0:
            await partitions.tell(publisher.partitions)
        elif begin.fresh:
            await partitions.tell(begin.fresh, Mark())

        async def marks(_: Collection[int]) -> Mapping[int, Mark]:
            return {0: partitions.mark}

        pages = _prepared(self._stored.follow(marks), publisher)
        async with aclosing(Waiting(pages, ahead=True)) as waiting:
            while True:
                page = await waiting.within(partitions.patience())
                if page is None:
                    await partitions.tell(partitions.behind)
                else:
                    await partitions.publish(page)
                    await self._place.save(0, page.mark)
                    self._tries = 0


@dataclass(slots=True, frozen=True)
class Begin:
    """From where on the relay publishes, over how many partitions, and which of the others never
    were told anything."""

    mark: Mark
    shared_over: int
    fresh: Collection[int] = ()


def _mark_at(position: int, saved: Mark, found: Filled) -> Mark:
    """A place in the log, with its leaf hash where one of those that are known stands there."""
    known = [mark for mark in (saved, *found.ends.values()) if mark.position == position]
    leaf = next((mark.leaf for mark in known if mark.leaf is not None), None)
    return Mark(position + 1, position, leaf)


class Partitions:
    """What each partition has been sent, and how far its readers know the log."""

    def __init__(self, publisher: Publisher, mark: Mark) -> None:
        self.mark = mark
        self._publisher = publisher
        self._told = dict.fromkeys(publisher.partitions, 0)
        self._told_at = dict.fromkeys(publisher.partitions, 0.0)

    @property
    def behind(self) -> Collection[int]:
        """Those that do not know how far the log is."""
        return [number for number, told in self._told.items() if told < self.mark.position]

    def patience(self) -> float:
        """In how many seconds there will be something to tell, or to look after."""
        behind = self.behind
        return max(self._quiet_in(number) for number in behind) if behind else LOOK_SECONDS

    async def publish(self, page: "PreparedPage") -> None:
        """Send the messages, and a watermark where none goes and it was quiet."""
        self.mark = page.mark
        self._told.update(page.parcel.last)
        quiet = [number for number in self.behind if not self._quiet_in(number)]
        await self._send(page.parcel, [n for n in quiet if n not in page.parcel.last])

    async def tell(self, partitions: Collection[int], of: Mark | None = None) -> None:
        """Send a watermark to each of these: of how far the log is, or of a place before."""
        await self._send(self._publisher.parcel(), partitions, of)

    async def _send(self, parcel: Parcel, told: Collection[int], of: Mark | None = None) -> None:
        mark = of or self.mark
        for number in told:
            parcel.put_into(number, watermark(mark.position, mark.leaf), mark.position)
        await self._publisher.publish(parcel)
        self._told.update(parcel.last)
        self._told_at.update(dict.fromkeys(parcel.last, time.monotonic()))

    def _quiet_in(self, partition: int) -> float:
        return max(0.0, self._told_at[partition] + QUIET_SECONDS - time.monotonic())


@dataclass(slots=True, frozen=True)
class PreparedPage:
    """The messages of a page, and how far it brings the topic."""

    mark: Mark
    parcel: Parcel


async def _prepared(
    pages: AsyncGenerator[Page, None], publisher: Publisher
) -> AsyncGenerator[PreparedPage, None]:
    """Pages made into messages."""
    async with aclosing(pages):
        async for page in pages:
            parcel = publisher.parcel()
            for n, record in enumerate(page.records):
                assert isinstance(record, Stored)
                parcel.put(message(record), record.position)
                if n % TURN_RECORDS == 0:
                    # What is being sent has its turn.
                    await asyncio.sleep(0)
            yield PreparedPage(page.mark, parcel)

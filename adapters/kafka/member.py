"""A member reads its share of the topic's partitions, each from its mark on, while it lives."""

import asyncio
import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from aiokafka import ConsumerRebalanceListener, TopicPartition

from adapters.kafka.cluster import Stuck
from adapters.kafka.messages import Decode, leaf, position, recorded
from application.ports import Mark, Marks, Page
from domain.model import Recorded

logger = logging.getLogger(__name__)

POLL_SECONDS = 1.0
PROOF_RECORDS = 64


class HistoryIsCut(Exception):
    """The topic has lost, by age or size, what a reader has not read; the log still has it."""


@dataclass(slots=True)
class Place:
    """Where a member is in a partition that it reads from its mark on."""

    mark: Mark
    offset: int
    upto: int

    @classmethod
    def before(cls, mark: Mark) -> "Place":
        """A little before the mark: what stands there shows whether it is about this topic."""
        return cls(mark, max(0, mark.offset - PROOF_RECORDS), mark.position)

    def misses(self, first: Any) -> bool:
        """Whether something that was not read may have been before the first message."""
        needed = max(self.offset, self.mark.offset)
        return first.offset > needed and position(first) > self.upto

    def is_headless(self, first: Any) -> bool:
        """Whether the partition begins with something else than the log's beginning."""
        return first.offset == self.offset == 0 and position(first) > self.upto

    def is_strange(self, messages: Sequence[Any]) -> bool:
        """Whether a message before the mark is of later than the mark: the topic is another one."""
        return any(
            message.offset < self.mark.offset
            and message.value is not None
            and position(message) > self.mark.position
            for message in messages
        )


class Member(ConsumerRebalanceListener):  # type: ignore[misc]
    """One consumer in the group, for as long as it lives."""

    def __init__(
        self, consumer: Any, marks: Marks, decode: Decode, page: int, stuck_seconds: float
    ) -> None:
        self._consumer = consumer
        self._marks = marks
        self._decode = decode
        self._page = page
        self._stuck_seconds = stuck_seconds
        self._assigned: frozenset[TopicPartition] | None = None
        self._places: dict[TopicPartition, Place] = {}
        self._changed = asyncio.Event()
        self._heard_at = _now()
        self._is_behind = False

    def on_partitions_revoked(self, _: Collection[TopicPartition]) -> None:
        self._assigned, self._places = None, {}
        self._heard_at = _now()

    def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        self._assigned, self._places = frozenset(assigned), {}
        self._heard_at = _now()
        self._changed.set()

    def owns(self, page: Page) -> bool:
        """Whether the page's partition is still this member's."""
        return any(partition.partition == page.partition for partition in self._places)

    async def pages(self) -> Sequence[Page]:
        """What has come within a second, one page a partition at most. Raises Stuck."""
        assigned = self._assigned
        if not assigned:
            await self._wait_for_partitions()
            return ()
        if not self._places and not await self._take_up(assigned):
            return ()
        received = await self._received()
        if assigned is not self._assigned:
            return ()
        pages = [self._read(partition, messages) for partition, messages in received.items()]
        if pages:
            self._heard_at, self._is_behind = _now(), False
        elif self._silence > self._stuck_seconds:
            await self._look_for_more()
        return [page for page in pages if page is not None]

    @property
    def _silence(self) -> float:
        return _now() - self._heard_at

    async def _wait_for_partitions(self) -> None:
        """A member may have none; but that it is told of none is a fault (aiokafka 1154)."""
        self._changed.clear()
        try:
            async with asyncio.timeout(POLL_SECONDS):
                await self._changed.wait()
        except TimeoutError:
            if self._assigned is None and self._silence > self._stuck_seconds:
                raise Stuck("the group gave no answer") from None

    async def _take_up(self, assigned: frozenset[TopicPartition]) -> bool:
        """Go to the marks of the partitions; False when they have changed hands meanwhile."""
        marks = await self._marks([partition.partition for partition in assigned])
        if assigned is not self._assigned:
            return False
        for partition in assigned:
            self._go(partition, Place.before(marks[partition.partition]))
        self._heard_at = _now()
        return True

    async def _received(self) -> dict[TopicPartition, Sequence[Any]]:
        try:
            # getmany itself waits for ever while the group is being shared out anew.
            async with asyncio.timeout(POLL_SECONDS + 1):
                received: dict[TopicPartition, Sequence[Any]] = await self._consumer.getmany(
                    *self._places, timeout_ms=int(POLL_SECONDS * 1000), max_records=self._page
                )
                return received
        except TimeoutError:
            return {}

    def _go(self, partition: TopicPartition, place: Place) -> None:
        self._places[partition] = place
        self._consumer.seek(partition, place.offset)

    def _read(self, partition: TopicPartition, messages: Sequence[Any]) -> Page | None:
        place = self._places[partition]
        if place.misses(messages[0]):
            raise HistoryIsCut(
                f"Partition {partition.partition} of {partition.topic} begins only at offset"
                f" {messages[0].offset}, position {position(messages[0])}."
            )
        if place.is_headless(messages[0]):
            raise Stuck(f"{partition.topic} does not begin where the log does")
        if place.is_strange(messages):
            logger.warning("%s is another topic than before and is read anew", partition.topic)
            self._go(partition, Place.before(Mark(0, place.mark.position)))
            return None
        records = self._new(place, messages)
        place.offset = messages[-1].offset + 1
        last = messages[-1]
        proof = leaf(last) if position(last) == place.upto else None
        return Page(partition.partition, records, place.offset, place.upto, proof)

    def _new(self, place: Place, messages: Sequence[Any]) -> Sequence[Recorded]:
        records = []
        for message in messages:
            at = position(message)
            if at > place.upto:
                place.upto = at
                record = recorded(message, self._decode)
                if record is not None:
                    records.append(record)
        return records

    async def _look_for_more(self) -> None:
        """Silence is a fault when there is something to read, twice in a row."""
        self._heard_at = _now()
        async with asyncio.timeout(self._stuck_seconds):
            ends = await self._consumer.end_offsets(list(self._places))
        was_behind, self._is_behind = (
            self._is_behind,
            any(ends[partition] > place.offset for partition, place in self._places.items()),
        )
        if was_behind and self._is_behind:
            raise Stuck("there is more to read, but it does not come")


def _now() -> float:
    return asyncio.get_running_loop().time()

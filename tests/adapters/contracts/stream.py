"""What every stream promises, whatever carries it: the suite of ports.Stream."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from contextlib import aclosing
from uuid import UUID, uuid4

import pytest

from application.ports import Mark, Page, Stream
from domain.model import Recorded

SECONDS = 30.0
Write = Callable[[UUID, int], Awaitable[None]]


class Follower:
    """Follows a stream and keeps what it saw; its marks are its own, as a projector's are."""

    def __init__(self, stream: Stream, marks: Mapping[int, Mark] | None = None) -> None:
        self._stream = stream
        self.marks = dict(marks or {})
        self.pages: list[Page] = []
        self._seen = asyncio.Condition()

    @property
    def records(self) -> list[Recorded]:
        return [recorded for page in self.pages for recorded in page.records]

    async def asked(self, partitions: Collection[int]) -> Mapping[int, Mark]:
        return {partition: self.marks.get(partition, Mark()) for partition in partitions}

    async def run(self) -> None:
        async with aclosing(self._stream.follow(self.asked)) as pages:  # type: ignore[type-var]
            async for page in pages:
                last = page.records[-1].position if page.records else 0
                before = self.marks.get(page.partition, Mark())
                self.marks[page.partition] = Mark(page.next_offset, max(before.position, last))
                async with self._seen:
                    self.pages.append(page)
                    self._seen.notify_all()

    async def until(self, count: int) -> None:
        """Wait until that many different events were seen."""
        async with asyncio.timeout(SECONDS), self._seen:
            await self._seen.wait_for(lambda: len({r.position for r in self.records}) >= count)


class StreamContract:
    """Subclass with fixtures `stream` (of an empty log) and `write`, which appends that many
    events to a stream of the log, in commits of their own."""

    @pytest.fixture
    async def follower(self, stream: Stream) -> AsyncIterator[Follower]:
        follower = Follower(stream)
        task = asyncio.create_task(follower.run(), name="follower")
        yield follower
        task.cancel()
        await asyncio.wait([task])

    async def test_what_was_there_before_is_given(self, stream: Stream, write: Write) -> None:
        await write(uuid4(), 5)
        follower = Follower(stream)
        task = asyncio.create_task(follower.run())
        await follower.until(5)
        task.cancel()
        await asyncio.wait([task])
        assert [r.version for r in follower.records] == [1, 2, 3, 4, 5]

    async def test_what_comes_later_is_given_without_asking_again(
        self, follower: Follower, write: Write
    ) -> None:
        for n in range(1, 4):
            await write(uuid4(), 1)
            await follower.until(n)

    async def test_positions_rise_within_a_partition(
        self, follower: Follower, write: Write
    ) -> None:
        await asyncio.gather(*(write(uuid4(), 20) for _ in range(4)))
        await follower.until(80)
        for partition in {page.partition for page in follower.pages}:
            pages = [page for page in follower.pages if page.partition == partition]
            positions = [r.position for page in pages for r in page.records]
            assert positions == sorted(set(positions))

    async def test_nothing_is_skipped_while_many_write(
        self, follower: Follower, write: Write
    ) -> None:
        streams = [uuid4() for _ in range(8)]
        await asyncio.gather(*(write(stream, 60) for stream in streams))
        await follower.until(480)
        for stream in streams:
            versions = [r.version for r in follower.records if r.stream_id == stream]
            assert versions == list(range(1, 61))

    async def test_a_follower_goes_on_from_its_marks(self, stream: Stream, write: Write) -> None:
        first = Follower(stream)
        task = asyncio.create_task(first.run())
        await write(uuid4(), 5)
        await first.until(5)
        task.cancel()
        await asyncio.wait([task])
        await write(uuid4(), 5)
        second = Follower(stream, first.marks)
        task = asyncio.create_task(second.run())
        await second.until(5)
        task.cancel()
        await asyncio.wait([task])
        assert {r.position for r in second.records} == set(range(6, 11))

    async def test_upto_covers_every_record_of_its_page(
        self, follower: Follower, write: Write
    ) -> None:
        await write(uuid4(), 30)
        await follower.until(30)
        assert all(r.position <= page.upto for page in follower.pages for r in page.records)

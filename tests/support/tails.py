"""A tail follows a stream to its end and keeps counts only, so that it may be a long one."""

from collections.abc import Collection, Mapping
from contextlib import aclosing
from uuid import UUID

from application.ports import Mark, Page, Stream


class Tail:
    """How many events it has met, each once; a fault as soon as one is skipped or comes late.

    What a stream repeats, at or below the position of its partition, is dropped, as readers do.
    """

    def __init__(self, stream: Stream) -> None:
        self.met = 0
        self._stream = stream
        self._marks: dict[int, Mark] = {}
        self._versions: dict[UUID, int] = {}

    async def run(self) -> None:
        """Follow until cancelled."""
        async with aclosing(self._stream.follow(self._asked)) as pages:  # type: ignore[type-var]
            async for page in pages:
                self._take(page)

    async def _asked(self, partitions: Collection[int]) -> Mapping[int, Mark]:
        return {partition: self._marks.get(partition, Mark()) for partition in partitions}

    def _take(self, page: Page) -> None:
        position = self._marks.get(page.partition, Mark()).position
        for recorded in page.records:
            if recorded.position <= position:
                continue
            position = recorded.position
            before = self._versions.get(recorded.stream_id, 0)
            assert recorded.version == before + 1, (page.partition, recorded.position)
            self._versions[recorded.stream_id] = recorded.version
            self.met += 1
        self._marks[page.partition] = Mark(page.next_offset, max(position, page.upto))

"""The shipper follows the log and gives Loki each audit line, whatever happens on the way."""

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import aclosing, suppress
from datetime import tzinfo
from typing import Protocol

import httpx2

from adapters.loki.client import LokiClient, NotNow, Refused
from adapters.loki.entries import Entry, entry, pushes
from application.ports import Mark, Page, Stream
from domain.audit import CannotBeTold

logger = logging.getLogger(__name__)

PUSH_BYTES = 1 << 20
LINGER_SECONDS = 1.0
FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 30.0


class Marks(Protocol):
    """Where it is kept how far was shipped, and what was left out."""

    async def of(self, partitions: Collection[int]) -> Mapping[int, Mark]: ...

    async def save(self, partition: int, mark: Mark) -> None: ...

    async def park(self, position: int, reason: str) -> None: ...


class LokiShipper:
    """Ships each line at least once; run it where it leads.

    A batch is marked when Loki has taken it. What a killed shipper repeats is one batch at most,
    with the same instants, which Loki drops.
    """

    def __init__(
        self,
        stream: Stream,
        marks: Marks,
        url: str,
        *,
        zone: tzinfo,
        tenant: str | None = None,
        linger_seconds: float = LINGER_SECONDS,
        first_pause_seconds: float = FIRST_PAUSE_SECONDS,
    ) -> None:
        self._stream = stream
        self._marks = marks
        self._url = url
        self._tenant = tenant
        self._zone = zone
        self._linger_seconds = linger_seconds
        self._first_pause_seconds = first_pause_seconds

    async def run(self) -> None:
        """Ship for ever. Raises Unavailable."""
        pages = Waiting(self._stream.follow(self._marks.of))
        async with httpx2.AsyncClient() as http, aclosing(pages):
            client = LokiClient(http, self._url, self._tenant)
            while True:
                await self._ship(await self._batch(pages), client)

    async def _batch(self, pages: "Waiting") -> "Batch":
        """What comes within a second of the first page, or fills a push."""
        batch = Batch(self._zone)
        batch.add(await pages.next())
        try:
            async with asyncio.timeout(self._linger_seconds):
                while batch.size < PUSH_BYTES:
                    batch.add(await pages.next())
        except TimeoutError:
            pass
        return batch

    async def _ship(self, batch: "Batch", client: LokiClient) -> None:
        for entries in pushes(batch.entries, PUSH_BYTES):
            await self._push(entries, client)
        for position, reason in batch.faults:
            logger.warning("no audit line for position %d: %s", position, reason)
            await self._marks.park(position, reason)
        for partition, mark in batch.marks.items():
            await self._marks.save(partition, mark)

    async def _push(self, entries: Sequence[Entry], client: LokiClient) -> None:
        """Push with patience; what is refused is halved until the bad line stands alone."""
        try:
            await self._push_patiently(entries, client)
        except Refused as refused:
            if len(entries) == 1:
                logger.warning("Loki refused position %d: %s", entries[0].position, refused)
                await self._marks.park(entries[0].position, str(refused))
                return
            middle = len(entries) // 2
            await self._push(entries[:middle], client)
            await self._push(entries[middle:], client)

    async def _push_patiently(self, entries: Sequence[Entry], client: LokiClient) -> None:
        pause = self._first_pause_seconds
        while True:
            try:
                return await client.push(entries)
            except NotNow as error:
                seconds = max(pause * random.uniform(0.5, 1), error.after_seconds)
                logger.warning("Loki takes nothing, again in %.1f s: %s", seconds, error)
            await asyncio.sleep(min(seconds, LONGEST_PAUSE_SECONDS))
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)


class Batch:
    """Entries to ship, and the marks to keep when they are."""

    def __init__(self, zone: tzinfo) -> None:
        self._zone = zone
        self.entries: list[Entry] = []
        self.size = 0
        self.marks: dict[int, Mark] = {}
        self.faults: list[tuple[int, str]] = []

    def add(self, page: Page) -> None:
        for recorded in page.records:
            try:
                made = entry(recorded, self._zone)
            except CannotBeTold as error:
                self.faults.append((recorded.position, str(error)))
                continue
            if made is not None:
                self.entries.append(made)
                self.size += made.size
        self.marks[page.partition] = Mark(page.next_offset, page.upto)


class Waiting:
    """Pages whose wait may be broken off without a loss."""

    def __init__(self, pages: AsyncIterator[Page]) -> None:
        self._pages = pages
        self._next: asyncio.Task[Page] | None = None

    async def next(self) -> Page:
        if self._next is None:
            self._next = asyncio.create_task(self._following(), name="the shipper's next page")
        page = await asyncio.shield(self._next)
        self._next = None
        return page

    async def aclose(self) -> None:
        if self._next is not None:
            self._next.cancel()
            with suppress(asyncio.CancelledError, StopAsyncIteration):
                await self._next
        await self._pages.aclose()  # type: ignore[attr-defined]

    async def _following(self) -> Page:
        return await anext(self._pages)

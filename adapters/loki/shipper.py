"""The shipper follows the log and gives Loki each audit line, whatever happens on the way."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import tzinfo
from functools import partial

import httpx2

from adapters.loki.client import LokiClient, NotNow, Refused
from adapters.loki.entries import Entry, entry, pushes
from application.delivery import (
    ASK_SECONDS,
    TRIED_AT_ONCE,
    Deliveries,
    Log,
    Waiting,
    end_if_cancelled,
    records_at,
)
from application.ports import Mark, Page, Stream
from domain.audit import CannotBeTold
from domain.model import Recorded

logger = logging.getLogger(__name__)

PUSH_BYTES = 1 << 20
LINGER_SECONDS = 1.0
FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 30.0

Push = Callable[[Sequence[Entry]], Awaitable[None]]


class LokiShipper:
    """Ships each line at least once; run it where it leads.

    A batch is marked when Loki has taken it. What a killed shipper repeats is one batch at most,
    with the same instants, which Loki drops. A line that Loki refuses is set aside, and stops no
    other.
    """

    def __init__(
        self,
        stream: Stream,
        log: Log,
        marks: Deliveries,
        url: str,
        *,
        zone: tzinfo,
        tenant: str | None = None,
        linger_seconds: float = LINGER_SECONDS,
        first_pause_seconds: float = FIRST_PAUSE_SECONDS,
        ask_seconds: float = ASK_SECONDS,
    ) -> None:
        self._stream = stream
        self._log = log
        self._marks = marks
        self._url = url
        self._tenant = tenant
        self._zone = zone
        self._linger_seconds = linger_seconds
        self._first_pause_seconds = first_pause_seconds
        self._ask_seconds = ask_seconds

    async def run(self) -> None:
        """Ship for ever. Raises Unavailable."""
        pages = Waiting(self._stream.follow(self._marks.of))
        async with httpx2.AsyncClient() as http, aclosing(pages):
            client = LokiClient(http, self._url, self._tenant)
            while True:
                await self.ship(await self._batch(pages), client)
                await self.ship_again(client)
                end_if_cancelled()

    async def _batch(self, pages: Waiting[Page]) -> "Batch":
        """What comes within a second of the first page, or fills a push; it may be nothing."""
        batch = Batch(self._zone)
        page = await pages.within(self._ask_seconds)
        ends_at = _now() + self._linger_seconds
        while page is not None:
            batch.add(page)
            if batch.size >= PUSH_BYTES:
                break
            page = await pages.within(max(0.0, ends_at - _now()))
        return batch

    async def ship(self, batch: "Batch", client: LokiClient) -> None:
        """One iteration: push a batch, set aside what is refused, and then mark it."""
        await self._set_aside(batch.faults)
        for entries in pushes(batch.entries, PUSH_BYTES):
            refused = await self._push(entries, client.push)
            # What comes late in its stream came before, or it would not come late.
            await self._set_aside([each for each in refused if not each.is_known])
        for partition, mark in batch.marks.items():
            await self._marks.save(partition, mark)

    async def ship_again(self, client: LokiClient) -> None:
        """Push what was set aside and is asked for again; what Loki refuses again stays."""
        while positions := await self._marks.asked(TRIED_AT_ONCE):
            batch = Batch(self._zone)
            batch.take(await records_at(self._log, positions))
            left = list(batch.faults)
            for entries in pushes(batch.entries, PUSH_BYTES):
                left += await self._push(entries, partial(client.push, is_late=True))
            await self._set_aside(left)
            await self._marks.settle(set(positions) - {each.position for each in left})

    async def _set_aside(self, faults: Sequence["Fault"]) -> None:
        for fault in faults:
            logger.warning("position %d is not in Loki: %s", fault.position, fault.reason)
            await self._marks.park(fault.position, fault.reason)

    async def _push(self, entries: Sequence[Entry], push: Push) -> list["Fault"]:
        """Push with patience; the entries that Loki refuses.

        Those that are too old go at once, by Loki's own word for how old that is. Else what is
        refused is halved until the bad line stands alone.
        """
        try:
            await self._push_patiently(entries, push)
        except Refused as refused:
            bad = [e for e in entries if e.nanoseconds < refused.oldest_nanoseconds]
            if len(entries) > 1 and not bad:
                middle = len(entries) // 2
                first = await self._push(entries[:middle], push)
                return first + await self._push(entries[middle:], push)
            bad = bad or list(entries)
            faults = [Fault(e.position, str(refused), refused.is_known) for e in bad]
            rest = [e for e in entries if e not in bad]
            return faults + (await self._push(rest, push) if rest else [])
        return []

    async def _push_patiently(self, entries: Sequence[Entry], push: Push) -> None:
        pause = self._first_pause_seconds
        while True:
            try:
                return await push(entries)
            except NotNow as error:
                seconds = max(pause * random.uniform(0.5, 1), error.after_seconds)
                logger.warning("Loki takes nothing, again in %.1f s: %s", seconds, error)
            await asyncio.sleep(min(seconds, LONGEST_PAUSE_SECONDS))
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)


@dataclass(slots=True, frozen=True)
class Fault:
    """An event whose line is not in Loki, and why; `is_known`: Loki may have had it before."""

    position: int
    reason: str
    is_known: bool = False


class Batch:
    """Entries to ship, and the marks to keep when they are."""

    def __init__(self, zone: tzinfo) -> None:
        self._zone = zone
        self.entries: list[Entry] = []
        self.size = 0
        self.marks: dict[int, Mark] = {}
        self.faults: list[Fault] = []

    def add(self, page: Page) -> None:
        self.take(page.records)
        self.marks[page.partition] = page.mark

    def take(self, records: Sequence[Recorded]) -> None:
        for recorded in records:
            try:
                made = entry(recorded, self._zone)
            except CannotBeTold as error:
                self.faults.append(Fault(recorded.position, str(error)))
                continue
            if made is not None:
                self.entries.append(made)
                self.size += made.size


def _now() -> float:
    return asyncio.get_running_loop().time()

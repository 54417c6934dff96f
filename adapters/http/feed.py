"""The feed: one tail of the log in this process, handed to everyone who listens."""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, field

from adapters.http.edge import FeedEnded, FellBehind, Log, LogLostEvents
from application.fair_turns import FairTurns
from application.ports import EventsLost, Mark, Stream
from domain.model import Recorded

MOST_WAITING = 1_000
"""Events that may wait for one listener before it is dropped."""
PAGE = 100
PAGE_BYTES = 1 << 20
WINDOW = 10_000
"""Positions that are looked through at once for events of chosen topics."""
logger = logging.getLogger(__name__)

Wanted = Callable[[Recorded], bool]


@dataclass(slots=True, eq=False)
class Listener:
    """One who listens: what waits for them, and the reason why no more will come."""

    wanted: Wanted
    most_waiting: int
    waiting: deque[Recorded] = field(default_factory=deque)
    woken: asyncio.Event = field(default_factory=asyncio.Event)
    ended: Exception | None = None

    def offer(self, recorded: Recorded) -> None:
        if self.ended is not None or not self.wanted(recorded):
            return
        if len(self.waiting) >= self.most_waiting:
            self.end(FellBehind())
        else:
            self.waiting.append(recorded)
            self.woken.set()

    def end(self, reason: Exception) -> None:
        self.ended = self.ended or reason
        self.woken.set()

    async def next(self) -> Recorded:
        """The next event, once there is one. Raises the reason why there will be none."""
        while not self.waiting:
            if self.ended is not None:
                raise self.ended
            self.woken.clear()
            await self.woken.wait()
        return self.waiting.popleft()


class LogFeed:
    """edge.Feed over the tail of the log; `seen` is told of every event, before the listeners.

    Where the log has lost events, `lost` is told, and every listener is let go.
    """

    def __init__(
        self,
        stream: Stream,
        log: Log,
        seen: Callable[[Recorded], None],
        most_waiting: int = MOST_WAITING,
        lost: Callable[[], None] = lambda: None,
    ) -> None:
        self._stream = stream
        self._log = log
        self._seen = seen
        self._most_waiting = most_waiting
        self._lost = lost
        self._listeners: set[Listener] = set()
        self._position = 0
        self._is_open = True
        self._turns = FairTurns(1, waiting_of_one=1_000)

    async def run(self) -> None:
        """Follow the log until cancelled; then let every listener go."""
        try:
            while True:
                try:
                    await self._follow()
                except EventsLost as lost:
                    logger.warning("Everyone who listens is let go. %s", lost)
                    self._lost()
                    self._end(LogLostEvents())
        finally:
            self._is_open = False
            self._end(FeedEnded())

    async def _follow(self) -> None:
        self._position = await self._log.head()
        async for page in self._stream.follow(self._from_here):
            for recorded in page.records:
                self._hand_out(recorded)
            self._position = max(self._position, page.upto)

    def _end(self, reason: FellBehind) -> None:
        for listener in self._listeners:
            listener.end(reason)

    async def subscribe(
        self,
        *,
        after: int | None = None,
        wanted: Wanted | None = None,
        topics: Collection[str] | None = None,
        tenant: Hashable = None,
    ) -> AsyncIterator[Recorded]:
        """Records above `after`, first from the log and then as they come (see edge.Feed)."""
        choose = wanted or _all
        position = self._position if after is None else after
        while position < self._position:
            upto = min(position + WINDOW, self._position)
            page = await self._page(position, upto, topics, tenant)
            for recorded in page:
                if choose(recorded):
                    yield recorded
            position = page[-1].position if page else upto
        listener = Listener(
            lambda recorded: recorded.position > position and choose(recorded), self._most_waiting
        )
        if not self._is_open:
            raise FeedEnded
        self._listeners.add(listener)
        try:
            while True:
                yield await listener.next()
        finally:
            self._listeners.discard(listener)

    async def _page(
        self, after: int, upto: int, topics: Collection[str] | None, tenant: Hashable
    ) -> Sequence[Recorded]:
        if topics is not None and not topics:
            return ()
        async with self._turns.turn(tenant):
            reading = self._log.read_some(
                after, upto, topics=topics, limit=PAGE, max_bytes=PAGE_BYTES
            )
            # A listener that goes away must not break the connection that reads for it.
            return await asyncio.shield(reading)

    @property
    def listening(self) -> int:
        return len(self._listeners)

    def _hand_out(self, recorded: Recorded) -> None:
        self._seen(recorded)
        for listener in self._listeners:
            listener.offer(recorded)

    async def _from_here(self, partitions: Collection[int]) -> Mapping[int, Mark]:
        mark = Mark(offset=self._position + 1, position=self._position)
        return dict.fromkeys(partitions, mark)


def _all(_: Recorded) -> bool:
    return True

"""Turns at what few can have at once, given to one tenant after the other, in a circle.

Whoever asks for much waits behind their own requests, and everybody else behind one of them.
"""

import asyncio
from collections import Counter, OrderedDict, deque
from collections.abc import AsyncIterator, Callable, Hashable, Iterable
from contextlib import asynccontextmanager
from itertools import count
from time import monotonic
from typing import TypeVar

from application.ports import Overloaded

T = TypeVar("T")

MAX_KNOWN_TENANTS = 1_000
STEP_SECONDS = 0.002


class FairTurns:
    """At most `places` at once, and at most `places_of_one` of them for one tenant.

    With `slow_seconds`, the tenants whose last turn took longer share all places but one: that
    one stays for those who are quick. At most `waiting_of_one` requests of a tenant wait.
    """

    def __init__(
        self,
        places: int,
        *,
        places_of_one: int | None = None,
        waiting_of_one: int = 64,
        slow_seconds: float | None = None,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._places = places
        self._places_of_one = places_of_one or places
        self._waiting_of_one = waiting_of_one
        self._slow_seconds = slow_seconds
        self._clock = clock
        self._held: Counter[Hashable] = Counter()
        self._waiting: dict[Hashable, deque[asyncio.Future[None]]] = {}
        self._slow: OrderedDict[Hashable, None] = OrderedDict()
        self._served = count(1)
        self._last_served: OrderedDict[Hashable, int] = OrderedDict()

    @property
    def waiting(self) -> int:
        """How many requests wait."""
        return sum(map(len, self._waiting.values()))

    @asynccontextmanager
    async def turn(self, tenant: Hashable) -> AsyncIterator[None]:
        """Wait for a turn and hold it. Raises Overloaded when too many of the tenant's wait."""
        await self._acquire(tenant)
        begun = self._clock()
        try:
            yield
        finally:
            self._note(tenant, self._clock() - begun)
            self._release(tenant)

    async def _acquire(self, tenant: Hashable) -> None:
        if tenant not in self._waiting and self._may_begin(tenant):
            self._hold(tenant)
            return
        queue = self._waiting.setdefault(tenant, deque())
        if len(queue) >= self._waiting_of_one:
            raise Overloaded(f"{len(queue)} requests of this workspace wait for the same already.")
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        queue.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.cancelled():
                self._leave(tenant, turn)
            else:
                self._release(tenant)
            raise

    def _leave(self, tenant: Hashable, turn: asyncio.Future[None]) -> None:
        queue = self._waiting.get(tenant)
        if queue is not None and turn in queue:
            queue.remove(turn)
            if not queue:
                del self._waiting[tenant]

    def _release(self, tenant: Hashable) -> None:
        self._held[tenant] -= 1
        if not self._held[tenant]:
            del self._held[tenant]
        while ready := list(filter(self._may_begin, self._waiting)):
            self._begin(min(ready, key=lambda one: self._last_served.get(one, 0)))

    def _begin(self, tenant: Hashable) -> None:
        """The tenant's oldest request has its turn."""
        queue = self._waiting[tenant]
        turn = queue.popleft()
        if not queue:
            del self._waiting[tenant]
        if not turn.cancelled():
            self._hold(tenant)
            turn.set_result(None)

    def _hold(self, tenant: Hashable) -> None:
        self._held[tenant] += 1
        _remember(self._last_served, tenant, next(self._served))

    def _may_begin(self, tenant: Hashable) -> bool:
        if self._held.total() >= self._places or self._held[tenant] >= self._places_of_one:
            return False
        if tenant not in self._slow or self._places == 1:
            return True
        slow = sum(count for held, count in self._held.items() if held in self._slow)
        return slow < self._places - 1

    def _note(self, tenant: Hashable, seconds: float) -> None:
        if self._slow_seconds is None or seconds < self._slow_seconds:
            self._slow.pop(tenant, None)
            return
        _remember(self._slow, tenant, None)


def _remember(known: OrderedDict[Hashable, T], tenant: Hashable, value: T) -> None:
    known[tenant] = value
    known.move_to_end(tenant)
    if len(known) > MAX_KNOWN_TENANTS:
        known.popitem(last=False)


class LongWork:
    """Work that would keep the event loop busy, done step by step.

    One step at a time in this process, tenants in turn, and between two steps the loop does what
    else there is to do.
    """

    def __init__(self) -> None:
        self._turns = FairTurns(1, waiting_of_one=1_000)

    async def done(self, tenant: Hashable, steps: Iterable[T]) -> list[T]:
        """Everything that the steps give. A step should take a millisecond or two."""
        found: list[T] = []
        rest = iter(steps)
        is_over = False
        while not is_over:
            async with self._turns.turn(tenant):
                is_over = _go_on(rest, found)
            await asyncio.sleep(0)
        return found


def _go_on(rest: Iterable[T], found: list[T]) -> bool:
    """Take steps for a moment; whether there are no more."""
    end = monotonic() + STEP_SECONDS
    for item in rest:
        found.append(item)
        if monotonic() > end:
            return False
    return True

"""A few results kept for as long as they are true enough."""

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from typing import Any, TypeVar

T = TypeVar("T")


class Kept:
    """The newest results by key; what is in the key decides how long one is used."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._results: OrderedDict[Hashable, Any] = OrderedDict()

    async def get(self, key: Hashable, make: Callable[[], Awaitable[T]]) -> T:
        if key in self._results:
            self._results.move_to_end(key)
            found: T = self._results[key]
            return found
        made = await make()
        self._results[key] = made
        if len(self._results) > self._capacity:
            self._results.popitem(last=False)
        return made

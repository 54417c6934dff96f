"""How deep blocks and parentheses may be nested: less than what uses up Python's own depth."""

from collections.abc import Iterator
from contextlib import contextmanager

from adapters.gotpl.faults import SourceFault

_MOST = 100


class Nesting:
    """A fault ends the reading, so that nobody counts on from there."""

    def __init__(self) -> None:
        self._depth = 0

    @contextmanager
    def deeper(self, at: int) -> Iterator[None]:
        """Raises SourceFault where this is one too many."""
        self._depth += 1
        if self._depth > _MOST:
            raise SourceFault("exceeds the nesting limit", at)
        yield
        self._depth -= 1

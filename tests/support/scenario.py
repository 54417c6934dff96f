"""A scenario tells a rule of an aggregate: given these events, when this is decided, then those."""

import sys
from collections.abc import Callable, Iterable
from typing import Any

from domain.model import Aggregate, Event, Refusal

Decide = Callable[..., Iterable[Event]]


def given(*events: Event) -> "History":
    """What has happened so far, in one stream."""
    return History(events)


class History:
    """A stream's past, on which something is decided or looked at."""

    def __init__(self, events: tuple[Event, ...]) -> None:
        self._events = events

    def when(self, decide: Decide, *args: Any, **kwargs: Any) -> "Decided":
        """Take a decision, such as `Cluster.rename`, on the state that the past left."""
        kind = aggregate_of(decide)
        state = kind.fold(self._events)
        call = decide if state is None else lambda *a, **k: decide(state, *a, **k)
        try:
            return Decided(kind, state, list(call(*args, **kwargs)), None)
        except Refusal as refusal:
            return Decided(kind, state, [], refusal)

    def leaves(self, kind: type[Aggregate], **fields: Any) -> None:
        """The past leaves a state with these fields."""
        state = kind.fold(self._events)
        assert {name: getattr(state, name) for name in fields} == fields


class Decided:
    """What came of a decision."""

    def __init__(
        self,
        kind: type[Aggregate],
        state: Aggregate | None,
        events: list[Event],
        refusal: Refusal | None,
    ) -> None:
        self._kind = kind
        self._state = state
        self._events = events
        self._refusal = refusal

    def then(self, *expected: Event) -> None:
        """Exactly these events, and the state takes them."""
        assert self._refusal is None, f"refused: {self._refusal!r}"
        assert self._events == list(expected)
        self._kind.fold(self._events, self._state)

    def then_nothing(self) -> None:
        """It was so already."""
        self.then()

    def then_refused(self, kind: type[Refusal], says: str = "") -> None:
        """This very refusal, with a sentence that contains the words."""
        assert self._refusal is not None, f"not refused: {self._events}"
        assert type(self._refusal) is kind
        assert says in self._refusal.detail
        assert self._refusal.detail[0].isupper()
        assert self._refusal.detail.endswith(".")


def aggregate_of(decide: Decide) -> type[Aggregate]:
    """The aggregate whose decision this is."""
    owner = getattr(decide, "__self__", None)
    if not isinstance(owner, type):
        name = decide.__qualname__.partition(".")[0]
        owner = getattr(sys.modules[decide.__module__], name)
    assert issubclass(owner, Aggregate)
    return owner

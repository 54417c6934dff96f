"""A projection tells, one pure rule per event, which rows of its tables an event changes."""

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import UnionType
from typing import (
    Any,
    ClassVar,
    Literal,
    NamedTuple,
    Protocol,
    TypeVar,
    Union,
    get_args,
    get_origin,
)

from domain.model import Event, Recorded

Key = tuple[Any, ...]
Row = Mapping[str, Any]
Verb = Literal["put", "patch", "drop"]
Rule = Callable[..., Iterable["Change"]]
R = TypeVar("R", bound=Rule)


@dataclass(frozen=True, eq=False)
class Table:
    """A table as a projection declares it: column to SQL type, the key, and what is indexed.

    `columns` begins with the key's. An index is what follows `create index on <table>`.

    `as_of` is for a table that only gets rows: the SQL over its columns that leaves those it had
    when `%(position)s` and `%(moment)s` were the last. Time travel filters it, builds all others.
    """

    name: str
    columns: Mapping[str, str]
    key: Sequence[str]
    indexes: Sequence[str] = ()
    as_of: str | None = None

    def put(self, *key: Any, **columns: Any) -> "Change":
        """Insert the row, or set these columns of the one that is there."""
        return Change(self, "put", key, columns)

    def patch(self, *key: Any, **columns: Any) -> "Change":
        """Set these columns if the row is there."""
        return Change(self, "patch", key, columns)

    def drop(self, *key: Any) -> "Change":
        """Delete the row if it is there."""
        return Change(self, "drop", key, {})


class Change(NamedTuple):
    """What becomes of one row: data, so that many can be merged and written as one statement."""

    table: Table
    verb: Verb
    key: Key
    columns: Row


class Rows(Protocol):
    """The rows as they stand just before the event, for the few rules that must know them."""

    def of(self, table: Table, *key: Any) -> Row | None:
        """The row of this key in the projection's own table."""
        ...


class Projection:
    """A read model: `name`, the `version` of its rules and tables, its tables, its rules.

    A rule is a pure function registered by the type of its first argument, which may be a union;
    a rule for `Event` is given what no other rule takes. A third argument asks for `Rows`:

        @projection.when
        def renamed(event: ClusterRenamed, recorded: Recorded) -> Iterator[Change]:
            yield clusters.patch(recorded.stream_id, name=event.name)

    Whoever changes a rule or a table raises the version: the new one is built beside the old.
    """

    ARGUMENTS_WITH_ROWS: ClassVar[int] = 3

    def __init__(self, name: str, version: int, tables: Sequence[Table]) -> None:
        self.name = name
        self.version = version
        self.tables = tables
        self._rules: dict[type[Event], Callable[[Event, Recorded, Rows], Iterable[Change]]] = {}

    def when(self, rule: R) -> R:
        """Register a rule for the events its first argument may be."""
        parameters = list(inspect.signature(rule).parameters.values())
        takes_rows = len(parameters) == self.ARGUMENTS_WITH_ROWS
        for kind in _members(parameters[0].annotation):
            if kind in self._rules:
                raise TypeError(f"{self.name} has a rule for {kind.__name__} already")
            self._rules[kind] = rule if takes_rows else _without_rows(rule)
        return rule

    @property
    def topics(self) -> frozenset[str] | None:
        """The stored topics it has rules for; None when it takes every event."""
        if Event in self._rules:
            return None
        return frozenset(topic for topic, kind in Event.topics.items() if kind in self._rules)

    def takes(self, topic: str) -> bool:
        """Whether a rule is for events of that topic; for an unknown one nobody can tell: True."""
        kind = Event.topics.get(topic)
        return kind is None or kind in self._rules or Event in self._rules

    def changes(self, recorded: Recorded, rows: Rows) -> Iterable[Change]:
        """The changes that an event makes, in order; none when no rule is for it."""
        rule = self._rules.get(type(recorded.event)) or self._rules.get(Event)
        return rule(recorded.event, recorded, rows) if rule else ()

    def __repr__(self) -> str:
        return f"Projection({self.name}, version {self.version})"


def _members(annotation: Any) -> Iterator[type[Event]]:
    if get_origin(annotation) in (Union, UnionType):
        yield from get_args(annotation)
    else:
        yield annotation


def _without_rows(rule: Rule) -> Callable[[Event, Recorded, Rows], Iterable[Change]]:
    return lambda event, recorded, _: rule(event, recorded)

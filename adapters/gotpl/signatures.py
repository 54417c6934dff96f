"""What a function takes and gives, in Go's types: what it refuses is refused at the same place."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gotime.go import Time

from adapters.gotpl.kinds import Int64, Ints, Lists, NilStrings, StringMap, Strings
from adapters.gotpl.versions import Version

Callback = Callable[..., Any]

TAKES_NIL = frozenset({"any", "value", "map", "version"})
ACCEPTED: Mapping[str, Callable[[Any], bool]] = {
    "string": lambda value: isinstance(value, str),
    "bool": lambda value: isinstance(value, bool),
    "int": lambda value: type(value) is int,
    "uint32": lambda _: False,
    "float": lambda value: type(value) is float,
    "map": lambda value: isinstance(value, Mapping) and not isinstance(value, StringMap),
    "time": lambda value: isinstance(value, Time),
    "version": lambda value: isinstance(value, Version),
}
"""`any` is not among them: it takes everything."""

_GIVEN: Mapping[str, Callback] = {
    "int64": Int64,
    "strings": lambda value: NilStrings() if value is None else Strings(value),
    "ints": Ints,
    "lists": Lists,
    "stringmap": StringMap,
}


@dataclass(slots=True, frozen=True)
class Signature:
    """The types of what must be given, and of each of the rest where there may be more."""

    fixed: Sequence[str]
    rest: str | None
    call: Callback

    @classmethod
    def of(cls, written: str, function: Callback) -> "Signature":
        """`string any... > int64`"""
        taken, _, given = (part.strip() for part in written.partition(">"))
        types = taken.split()
        rest = types.pop().removesuffix("...") if types and types[-1].endswith("...") else None
        call = function if not given else _giving(_GIVEN[given], function)
        return cls(types, rest, call)

    def takes(self, count: int) -> bool:
        fixed = len(self.fixed)
        return count == fixed if self.rest is None else count >= fixed

    @property
    def wanted(self) -> str:
        """How many must be given, in words."""
        count = len(self.fixed)
        least = "" if self.rest is None else "at least "
        return f"{least}{count or 'no'} argument{'' if count == 1 else 's'}"

    def type_at(self, place: int) -> str:
        if place < len(self.fixed):
            return self.fixed[place]
        assert self.rest is not None
        return self.rest


def _giving(kind: Callback, function: Callback) -> Callback:
    def giving(*arguments: Any) -> Any:
        return kind(function(*arguments))

    return giving

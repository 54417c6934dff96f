"""What Go would call a value: some of its kinds have no kind of their own in Python."""

from collections.abc import Mapping, Sequence
from typing import Any

from gotime.go import Month, Time, Weekday
from gotpl.funcs.sprig._values import NilSlice

from adapters.gotpl.versions import Version


class _Nothing:
    """What Go calls the zero Value: a nil that has been taken out of its interface."""

    __slots__ = ()


NOTHING = _Nothing()
"""None, in contrast, is a nil that still is where it was found."""


class Int64(int):
    """A whole number of 64 bits that does not pass for an `int`."""


class Byte(int):
    """What is found at an index of a string."""


class Strings(list[str]):
    """A list of nothing but strings."""


class NilStrings(NilSlice, Strings):
    """One that was never made: empty, and null as JSON."""


class Ints(list[int]):
    """A list of nothing but whole numbers."""


class Lists(list[list[Any]]):
    """A list of nothing but lists."""


class StringMap(dict[str, str]):
    """A map that holds nothing but strings."""


_TYPES: Sequence[tuple[type, str, str]] = (
    (bool, "bool", "bool"),
    (Int64, "int64", "int64"),
    (Byte, "uint8", "uint8"),
    (Month, "time.Month", "int"),
    (Weekday, "time.Weekday", "int"),
    (int, "int", "int"),
    (float, "float64", "float64"),
    (complex, "complex128", "complex128"),
    (str, "string", "string"),
    (Strings, "[]string", "slice"),
    (Ints, "[]int", "slice"),
    (Lists, "[][]interface {}", "slice"),
    (list, "[]interface {}", "slice"),
    (tuple, "[]interface {}", "slice"),
    (StringMap, "map[string]string", "map"),
    (Mapping, "map[string]interface {}", "map"),
    (Time, "time.Time", "struct"),
    (Version, "*semver.Version", "ptr"),
)


def type_of(value: Any) -> str:
    for python, name, _ in _TYPES:
        if isinstance(value, python):
            return name
    return "<nil>"


def described(value: Any) -> str:
    """For who is told that it cannot be used."""
    return "nothing" if is_nothing(value) else f"a value of type {type_of(value)}"


def kind_of(value: Any) -> str:
    for python, _, kind in _TYPES:
        if isinstance(value, python):
            return kind
    return "invalid"


def is_nothing(value: Any) -> bool:
    return value is None or value is NOTHING


def is_nil(value: Any) -> bool:
    return is_nothing(value) or isinstance(value, NilSlice)


def is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def is_true(value: Any) -> bool:
    """What `if` makes of it."""
    if is_nothing(value):
        return False
    if isinstance(value, bool | int | float | complex | str | list | tuple | Mapping):
        return bool(value)
    return True


def deep_equal(left: Any, right: Any) -> bool:
    """Whether type and content are the same, all the way down."""
    if type_of(left) != type_of(right) or (is_nil(left) != is_nil(right)):
        return False
    if isinstance(left, list | tuple):
        return len(left) == len(right) and _all_equal(left, right)
    if isinstance(left, Mapping):
        keys = list(left)
        if len(keys) != len(right) or any(key not in right for key in keys):
            return False
        return _all_equal([left[key] for key in keys], [right[key] for key in keys])
    if isinstance(left, Version):
        return left.same_as(right)
    return bool(left == right) or is_nil(left)


def _all_equal(left: Sequence[Any], right: Sequence[Any]) -> bool:
    for one, other in zip(left, right, strict=True):  # noqa: SIM110  (no deeper in C than needed)
        if not deep_equal(one, other):
            return False
    return True

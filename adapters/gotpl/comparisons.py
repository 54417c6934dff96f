"""The comparisons that Go's templates have by themselves."""

from collections.abc import Mapping
from typing import Any

from adapters.gotpl.faults import Refusal
from adapters.gotpl.kinds import described, is_nil, is_nothing, kind_of

_BASIC = {
    **{"bool": "bool", "string": "string", "float64": "float", "complex128": "complex"},
    **{"int": "int", "int64": "int", "uint8": "int"},
}


def eq(first: Any, *others: Any) -> bool:
    """What comes after the first that is equal may be of any kind."""
    if not others:
        raise Refusal("there is nothing to compare with")
    return any(_is_equal(first, other) for other in others)


def _is_equal(first: Any, other: Any) -> bool:
    one, two = _basic(first), _basic(other)
    if one != two:
        if is_nothing(first) or is_nothing(other):
            return False
        raise Refusal(f"{described(first)} and {described(other)} cannot be compared")
    if one is not None:
        return bool(first == other)
    if kind_of(first) != kind_of(other) and not is_nothing(first) and not is_nothing(other):
        raise Refusal(f"{described(first)} and {described(other)} cannot be compared")
    if is_nil(first) or is_nil(other):
        return is_nil(first) == is_nil(other)
    if isinstance(first, list | tuple | Mapping):
        raise Refusal(f"{described(first)} cannot be compared with another")
    return first is other if kind_of(first) == "ptr" else bool(first == other)


def ne(first: Any, other: Any) -> bool:
    return not eq(first, other)


def lt(first: Any, other: Any) -> bool:
    one, two = _basic(first), _basic(other)
    if one != two or one not in ("int", "float", "string"):
        raise Refusal(f"{described(first)} and {described(other)} have no order")
    if one == "string":
        return bool(first.encode() < other.encode())
    return bool(first < other)


def le(first: Any, other: Any) -> bool:
    return lt(first, other) or eq(first, other)


def gt(first: Any, other: Any) -> bool:
    return not le(first, other)


def ge(first: Any, other: Any) -> bool:
    return not lt(first, other)


def _basic(value: Any) -> str | None:
    return _BASIC.get(kind_of(value))

"""The functions that Go's templates have by themselves; `and` and `or` are the run's own."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote_plus

from adapters.gotpl.kinds import (
    Byte,
    StringMap,
    is_nil,
    is_nothing,
    is_true,
    is_whole,
    kind_of,
    type_of,
)
from adapters.gotpl.printing import printed

_ESCAPED_HTML = str.maketrans(
    {"\0": "\ufffd", '"': "&#34;", "'": "&#39;", "&": "&amp;", "<": "&lt;", ">": "&gt;"}
)
_ESCAPED_SCRIPT = {
    **{"\\": "\\\\", "'": "\\'", '"': '\\"'},
    **{character: f"\\u{ord(character):04X}" for character in "<>&="},
}
_BASIC = {
    **{"bool": "bool", "string": "string", "float64": "float", "complex128": "complex"},
    **{"int": "int", "int64": "int", "uint8": "int"},
}


class Refusal(Exception):
    """The function does not take what it was given; the text says why."""


def html(*values: Any) -> str:
    return _shown(values).translate(_ESCAPED_HTML)


def js(*values: Any) -> str:
    pieces = []
    for character in _shown(values):
        if character in _ESCAPED_SCRIPT:
            pieces.append(_ESCAPED_SCRIPT[character])
        elif ord(character) < 0x20 or not (ord(character) < 0x80 or character.isprintable()):
            pieces.append(f"\\u{ord(character):04X}")
        else:
            pieces.append(character)
    return "".join(pieces)


def urlquery(*values: Any) -> str:
    return quote_plus(_shown(values), safe="")


def _shown(values: tuple[Any, ...]) -> str:
    if len(values) == 1 and isinstance(values[0], str):
        return values[0]
    return printed(*["<no value>" if is_nothing(value) else value for value in values])


def call(*_: Any) -> Any:
    raise Refusal("a value is never a function here")


def negated(value: Any) -> bool:
    return not is_true(value)


def length(value: Any) -> int:
    if isinstance(value, str):
        return len(value.encode())
    if isinstance(value, list | tuple | Mapping):
        return len(value)
    raise Refusal(f"{_of(value)} has no length")


def index(value: Any, *keys: Any) -> Any:
    if is_nothing(value):
        raise Refusal("nothing has no items")
    for key in keys:
        if isinstance(value, Mapping):
            value = _entry(value, key)
        elif isinstance(value, list | tuple | str):
            value = _item(value, key)
        else:
            raise Refusal(f"{_of(value)} has no items")
    return value


def _entry(value: Mapping[str, Any], key: Any) -> Any:
    if not isinstance(key, str):
        raise Refusal(f"the keys of a map are strings, not {_of(key)}")
    return value.get(key, "" if isinstance(value, StringMap) else None)


def _item(value: "list[Any] | tuple[Any, ...] | str", key: Any) -> Any:
    if not is_whole(key):
        raise Refusal(f"the place in a list is a whole number, not {_of(key)}")
    items = value.encode() if isinstance(value, str) else value
    if not 0 <= key < len(items):
        raise Refusal(f"there is no place {key} among {len(items)}")
    item = items[key]
    return Byte(item) if isinstance(value, str) else item


# Comparisons.


def eq(first: Any, *others: Any) -> bool:
    if not others:
        raise Refusal("there is nothing to compare with")
    return any([*_matches(first, others)])


def _matches(first: Any, others: tuple[Any, ...]) -> "list[bool]":
    """Up to the first that is equal: what comes after it may be of any kind."""
    found: list[bool] = []
    for other in others:
        found.append(_is_equal(first, other))
        if found[-1]:
            break
    return found


def _is_equal(first: Any, other: Any) -> bool:
    one, two = _basic(first), _basic(other)
    if one != two:
        if is_nothing(first) or is_nothing(other):
            return False
        raise Refusal(f"{_of(first)} and {_of(other)} cannot be compared")
    if one is not None:
        return bool(first == other)
    if kind_of(first) != kind_of(other) and not is_nothing(first) and not is_nothing(other):
        raise Refusal(f"{_of(first)} and {_of(other)} cannot be compared")
    if is_nil(first) or is_nil(other):
        return is_nil(first) == is_nil(other)
    if isinstance(first, list | tuple | Mapping):
        raise Refusal(f"{_of(first)} cannot be compared with another")
    return first is other if kind_of(first) == "ptr" else bool(first == other)


def ne(first: Any, other: Any) -> bool:
    return not eq(first, other)


def lt(first: Any, other: Any) -> bool:
    one, two = _basic(first), _basic(other)
    if one != two or one not in ("int", "float", "string"):
        raise Refusal(f"{_of(first)} and {_of(other)} have no order")
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


def _of(value: Any) -> str:
    return "nothing" if is_nothing(value) else f"a value of type {type_of(value)}"

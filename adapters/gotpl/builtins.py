"""The functions that Go's templates have by themselves; `and` and `or` are the run's own.

Those that compare are in `comparisons`, and those that print in `printing` and `formats`.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote_plus

from adapters.gotpl.faults import Refusal
from adapters.gotpl.kinds import Byte, StringMap, described, is_nothing, is_true, is_whole
from adapters.gotpl.printing import printed

_ESCAPED_HTML = str.maketrans(
    {"\0": "\ufffd", '"': "&#34;", "'": "&#39;", "&": "&amp;", "<": "&lt;", ">": "&gt;"}
)
_ESCAPED_SCRIPT = {
    **{"\\": "\\\\", "'": "\\'", '"': '\\"'},
    **{character: f"\\u{ord(character):04X}" for character in "<>&="},
}


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
    raise Refusal(f"{described(value)} has no length")


def index(value: Any, *keys: Any) -> Any:
    if is_nothing(value):
        raise Refusal("nothing has no items")
    for key in keys:
        if isinstance(value, Mapping):
            value = _entry(value, key)
        elif isinstance(value, list | tuple | str):
            value = _item(value, key)
        else:
            raise Refusal(f"{described(value)} has no items")
    return value


def _entry(value: Mapping[str, Any], key: Any) -> Any:
    if not isinstance(key, str):
        raise Refusal(f"the keys of a map are strings, not {described(key)}")
    return value.get(key, "" if isinstance(value, StringMap) else None)


def _item(value: "list[Any] | tuple[Any, ...] | str", key: Any) -> Any:
    if not is_whole(key):
        raise Refusal(f"the place in a list is a whole number, not {described(key)}")
    items = value.encode() if isinstance(value, str) else value
    if not 0 <= key < len(items):
        raise Refusal(f"there is no place {key} among {len(items)}")
    item = items[key]
    return Byte(item) if isinstance(value, str) else item

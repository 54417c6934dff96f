"""Sprig's functions where gotpl's answer is not sprig's."""

import math
import re
from collections.abc import Callable, Mapping
from copy import deepcopy
from datetime import UTC
from typing import Any

from goduration.go import Duration
from gotime.go import Location, ParseError, Time
from gotpl.funcs.helm.functions import load_yaml
from gotpl.funcs.sprig import text_func_map
from yaml import YAMLError

from adapters.gotpl import addresses, kinds, patterns, versions
from adapters.gotpl.builtins import Refusal
from adapters.gotpl.printing import plain

_SPRIG: Mapping[str, Callable[..., Any]] = text_func_map()
_UTC = Location.from_tzinfo(UTC)


# Numbers.


def atoi(text: str) -> int:
    """What is too large becomes the largest."""
    if not re.fullmatch(r"[+-]?[0-9]+", text, re.ASCII):
        return 0
    return min(max(int(text[:30]), -(2**63)), 2**63 - 1)


def ceil(value: Any) -> float:
    number: Any = _SPRIG["float64"](value)
    return math.copysign(_SPRIG["ceil"](number), number)


# Lists and maps.


def chunk(size: int, items: Any) -> list[list[Any]]:
    if not isinstance(items, list | tuple):
        raise Refusal(f"a value of kind {kinds.kind_of(items)} is not cut into chunks")
    count = (len(items) - 1) // size + 1 if size else -1
    if count < 0 or (size < 0 and not items):
        raise Refusal(f"there are no chunks of {size}")
    return [list(items[place * size :][: abs(size)]) for place in range(count)]


def slice_(items: Any, *places: Any) -> Any:
    """More than two places are nobody's business, and what is cut out of nothing is nothing."""
    if isinstance(items, list | tuple) and not items:
        return None
    return _SPRIG["slice"](items, *places[:2])


def has(needle: Any, items: Any) -> bool:
    if items is None:
        return False
    if not isinstance(items, list | tuple):
        raise Refusal(f"there is nothing in a value of kind {kinds.kind_of(items)}")
    return any(kinds.deep_equal(needle, item) for item in items)


def without(items: Any, *left_out: Any) -> list[Any]:
    if not isinstance(items, list | tuple):
        raise Refusal(f"nothing can be left out of a value of kind {kinds.kind_of(items)}")
    return [item for item in items if not has(item, left_out)]


def uniq(items: Any) -> list[Any]:
    if not isinstance(items, list | tuple):
        raise Refusal(f"a value of kind {kinds.kind_of(items)} is no list")
    found: list[Any] = []
    for item in items:
        if not has(item, found):
            found.append(item)
    return found


def keys(*maps: Mapping[str, Any]) -> list[str]:
    """Sprig gives them in any order; here it is always the same."""
    return [key for one in maps for key in sorted(one)]


def values(one: Mapping[str, Any]) -> list[Any]:
    return [one[key] for key in sorted(one)]


def deep_copy(value: Any) -> Any:
    if value is None:
        raise Refusal("there is no copy of nothing")
    return deepcopy(value)


def merge(destination: dict[str, Any], *sources: Mapping[str, Any]) -> dict[str, Any]:
    for source in sources:
        _merge(destination, source, overwrites=False)
    return destination


def merge_overwrite(destination: dict[str, Any], *sources: Mapping[str, Any]) -> dict[str, Any]:
    for source in sources:
        _merge(destination, source, overwrites=True)
    return destination


def _merge(destination: dict[str, Any], source: Mapping[str, Any], *, overwrites: bool) -> None:
    for key in sorted(source):
        new, old = source[key], destination.get(key)
        if isinstance(new, dict) and isinstance(old, dict):
            _merge(old, new, overwrites=overwrites)
        elif overwrites or (new is not None and _SPRIG["empty"](old)):
            destination[key] = new


# Kinds.


def type_is(wanted: str, value: Any) -> bool:
    return wanted == kinds.type_of(value)


def type_is_like(wanted: str, value: Any) -> bool:
    return kinds.type_of(value) in (wanted, "*" + wanted)


def kind_is(wanted: str, value: Any) -> bool:
    return wanted == kinds.kind_of(value)


# Dates: they are told in UTC, wherever this is run.


def to_date(layout: str, text: str) -> Time:
    try:
        return must_to_date(layout, text)
    except ParseError:
        return Time.zero()


def must_to_date(layout: str, text: str) -> Time:
    date = Time.parse_in_location(layout, text, _UTC)
    name, seconds = date.zone()
    if name:
        return date
    # A zone that has no name is called by its offset.
    return date.in_location(Location.fixed(date.format("-0700"), seconds))


def must_date_modify(duration: str, date: Time) -> Time:
    return date.add(Duration.parse(duration))


def unix_epoch(date: Time) -> str:
    return str(date.unix())


def duration(seconds: Any) -> str:
    if isinstance(seconds, str):
        return str(_SPRIG["duration"](seconds))
    if isinstance(seconds, kinds.Int64):
        return str(_SPRIG["duration"](str(int(seconds))))
    return "0s"


# JSON.


def _to_json(name: str) -> Callable[[Any], Any]:
    def answered(value: Any) -> Any:
        return _SPRIG[name](_spoken(value))

    return answered


def _spoken(value: Any) -> Any:
    """Times and versions speak for themselves."""
    if isinstance(value, Time):
        return value.format("2006-01-02T15:04:05.999999999Z07:00")
    if isinstance(value, versions.Version):
        return str(value)
    if value and isinstance(value, list | tuple):
        return [_spoken(item) for item in value]
    if value and isinstance(value, dict):
        return {key: _spoken(item) for key, item in value.items()}
    return value


# YAML: what is no map or no list is told in the value itself, as Helm does.


def from_yaml(text: str) -> dict[str, Any]:
    value = _loaded(text)
    if value is None or isinstance(value, dict):
        return value or {}
    return {"Error": value if isinstance(value, Unreadable) else "this YAML is no map"}


def from_yaml_array(text: str) -> list[Any]:
    value = _loaded(text)
    if value is None or isinstance(value, list):
        return value or []
    return [value if isinstance(value, Unreadable) else "this YAML is no list"]


class Unreadable(str):
    """Why a text is no YAML."""

    __slots__ = ()


def _loaded(text: str) -> Any:
    try:
        return _as_json(load_yaml(text))
    except (YAMLError, ValueError) as error:
        return Unreadable(error)


def _as_json(value: Any) -> Any:
    """Go reads YAML by way of JSON: numbers are reals then, and keys are strings."""
    if isinstance(value, dict):
        return {key if isinstance(key, str) else plain(key): _as_json(value[key]) for key in value}
    if isinstance(value, list):
        return [_as_json(item) for item in value]
    return float(value) if kinds.is_whole(value) else value


FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    **patterns.FUNCTIONS,
    "atoi": atoi,
    "ceil": ceil,
    "chunk": chunk,
    "mustChunk": chunk,
    "slice": slice_,
    "mustSlice": slice_,
    "has": has,
    "mustHas": has,
    "without": without,
    "mustWithout": without,
    "uniq": uniq,
    "mustUniq": uniq,
    "keys": keys,
    "values": values,
    "deepCopy": deep_copy,
    "mustDeepCopy": deep_copy,
    "merge": merge,
    "mustMerge": merge,
    "mergeOverwrite": merge_overwrite,
    "mustMergeOverwrite": merge_overwrite,
    "deepEqual": kinds.deep_equal,
    "typeOf": kinds.type_of,
    "typeIs": type_is,
    "typeIsLike": type_is_like,
    "kindOf": kinds.kind_of,
    "kindIs": kind_is,
    "toDate": to_date,
    "mustToDate": must_to_date,
    "mustDateModify": must_date_modify,
    "must_date_modify": must_date_modify,
    "unixEpoch": unix_epoch,
    "duration": duration,
    **{
        name: _to_json(name)
        for name in (
            *("toJson", "toPrettyJson", "toRawJson"),
            *("mustToJson", "mustToPrettyJson", "mustToRawJson"),
        )
    },
    "urlParse": addresses.parsed,
    "urlJoin": addresses.joined,
    "fromYaml": from_yaml,
    "fromYamlArray": from_yaml_array,
    "semver": versions.version,
    "semverCompare": versions.satisfies,
}

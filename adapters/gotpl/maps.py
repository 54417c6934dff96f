"""Sprig's functions of maps, where gotpl's answer is not sprig's or not always the same."""

from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import Any

from adapters.gotpl.faults import Refusal
from adapters.gotpl.sprig import SPRIG


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
        elif overwrites or (new is not None and SPRIG["empty"](old)):
            destination[key] = new


FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "keys": keys,
    "values": values,
    "deepCopy": deep_copy,
    "mustDeepCopy": deep_copy,
    "merge": merge,
    "mustMerge": merge,
    "mergeOverwrite": merge_overwrite,
    "mustMergeOverwrite": merge_overwrite,
}

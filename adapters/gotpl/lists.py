"""Sprig's functions of lists, where gotpl's answer is not sprig's."""

from collections.abc import Callable, Mapping
from typing import Any

from adapters.gotpl.faults import Refusal
from adapters.gotpl.kinds import deep_equal, kind_of
from adapters.gotpl.sprig import SPRIG


def chunk(size: int, items: Any) -> list[list[Any]]:
    if not isinstance(items, list | tuple):
        raise Refusal(f"a value of kind {kind_of(items)} is not cut into chunks")
    count = (len(items) - 1) // size + 1 if size else -1
    if count < 0 or (size < 0 and not items):
        raise Refusal(f"there are no chunks of {size}")
    return [list(items[place * size :][: abs(size)]) for place in range(count)]


def slice_(items: Any, *places: Any) -> Any:
    """More than two places are nobody's business, and what is cut out of nothing is nothing."""
    if isinstance(items, list | tuple) and not items:
        return None
    return SPRIG["slice"](items, *places[:2])


def has(needle: Any, items: Any) -> bool:
    if items is None:
        return False
    if not isinstance(items, list | tuple):
        raise Refusal(f"there is nothing in a value of kind {kind_of(items)}")
    return any(deep_equal(needle, item) for item in items)


def without(items: Any, *left_out: Any) -> list[Any]:
    if not isinstance(items, list | tuple):
        raise Refusal(f"nothing can be left out of a value of kind {kind_of(items)}")
    return [item for item in items if not has(item, left_out)]


def uniq(items: Any) -> list[Any]:
    if not isinstance(items, list | tuple):
        raise Refusal(f"a value of kind {kind_of(items)} is no list")
    found: list[Any] = []
    for item in items:
        if not has(item, found):
            found.append(item)
    return found


FUNCTIONS: Mapping[str, Callable[..., Any]] = {
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
}

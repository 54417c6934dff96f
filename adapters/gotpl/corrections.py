"""Sprig's functions where gotpl's answer is not sprig's, or where ours must always be the same."""

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

from adapters.gotpl import addresses, dates, documents, kinds, lists, maps, patterns, versions
from adapters.gotpl.sprig import SPRIG


def atoi(text: str) -> int:
    """What is too large becomes the largest."""
    if not re.fullmatch(r"[+-]?[0-9]+", text, re.ASCII):
        return 0
    return min(max(int(text[:30]), -(2**63)), 2**63 - 1)


def ceil(value: Any) -> float:
    number: Any = SPRIG["float64"](value)
    return math.copysign(SPRIG["ceil"](number), number)


def type_is(wanted: str, value: Any) -> bool:
    return wanted == kinds.type_of(value)


def type_is_like(wanted: str, value: Any) -> bool:
    return kinds.type_of(value) in (wanted, "*" + wanted)


def kind_is(wanted: str, value: Any) -> bool:
    return wanted == kinds.kind_of(value)


FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    **patterns.FUNCTIONS,
    **lists.FUNCTIONS,
    **maps.FUNCTIONS,
    **dates.FUNCTIONS,
    **documents.FUNCTIONS,
    "atoi": atoi,
    "ceil": ceil,
    "deepEqual": kinds.deep_equal,
    "typeOf": kinds.type_of,
    "typeIs": type_is,
    "typeIsLike": type_is_like,
    "kindOf": kinds.kind_of,
    "kindIs": kind_is,
    "urlParse": addresses.parsed,
    "urlJoin": addresses.joined,
    "semver": versions.version,
    "semverCompare": versions.satisfies,
}

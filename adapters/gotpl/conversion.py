"""What a value, a constant and nil become where a function wants one of its types.

The types are those of `signatures`; what cannot become one raises ExecutionFault.
"""

from typing import Any

from adapters.gotpl.faults import ExecutionFault
from adapters.gotpl.kinds import NOTHING, described
from adapters.gotpl.signatures import ACCEPTED, TAKES_NIL
from adapters.gotpl.syntax import Boolean, Constant, Number, Text

_SPOKEN = {
    **{"string": "string", "bool": "boolean", "int": "whole number", "uint32": "whole number"},
    **{"float": "number", "map": "map", "time": "time", "version": "version"},
}


def fitting(value: Any, kind: str) -> Any:
    if kind in ("any", "value"):
        return None if value is NOTHING and kind == "any" else value
    if value is NOTHING and kind in TAKES_NIL:
        return {}
    if not ACCEPTED[kind](value):
        raise ExecutionFault(f"a {_SPOKEN[kind]} is wanted here, not {described(value)}")
    return value


def converted(constant: Constant, kind: str) -> Any:
    """A constant is what its place wants, if it can be that."""
    match constant, kind:
        case Number(), ("int" | "uint32"):
            if constant.whole is not None and (kind == "int" or constant.whole >= 0):
                return constant.whole
        case Number(), "float":
            if constant.real is not None:
                return constant.real
        case Text(), "string":
            return constant.value
        case Boolean(), "bool":
            return constant.value
        case _, ("any" | "value"):
            return ideal(constant)
    raise ExecutionFault(f"a {_SPOKEN[kind]} is wanted here")


def nil_as(kind: str) -> Any:
    if kind not in TAKES_NIL:
        raise ExecutionFault(f"nil is no {kind}")
    return None if kind == "any" else {} if kind == "map" else NOTHING


def ideal(constant: Constant) -> Any:
    """What a constant is where nothing says what it should be."""
    return _ideal_number(constant) if isinstance(constant, Number) else constant.value


def _ideal_number(number: Number) -> Any:
    if number.complete is not None and number.whole is None and number.real is None:
        return number.complete
    if number.source.endswith("i") and number.complete is not None:
        return number.complete
    if number.is_written_as_real:
        return number.real
    if number.is_too_large:
        raise ExecutionFault(f"{number.source} is larger than a whole number can be")
    return number.whole if number.whole is not None else number.real

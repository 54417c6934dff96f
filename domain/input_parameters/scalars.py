"""The values a parameter can have: those that JSON, YAML and the database carry unchanged."""

import math
import re
from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import PlainValidator
from pydantic_core import PydanticCustomError

MAX_TEXT = 65_536
"""Characters of one value: a bundle of certificates or a long script fits."""
MAX_INTEGER = 2**53
"""Every program that reads JSON holds integers up to here exactly."""

Scalar = str | int | float | bool

_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


def unportable(value: Scalar) -> Iterator[str]:
    """Sentences about what could not be carried unchanged."""
    if isinstance(value, str):
        if len(value) > MAX_TEXT:
            yield f"must have at most {MAX_TEXT:,} characters"
        if _UNPRINTABLE.search(value):
            yield "must not hold control characters"
    elif isinstance(value, int):
        if abs(value) > MAX_INTEGER:
            yield f"must be a whole number of at most {MAX_INTEGER}"
    elif not math.isfinite(value):
        yield "must be a finite number"


def _scalar(value: Any) -> Scalar:
    if not isinstance(value, str | int | float | bool):
        raise PydanticCustomError("scalar", "must be a text, a number, true or false")
    if complaint := next(unportable(value), None):
        raise PydanticCustomError("scalar", "{complaint}", {"complaint": complaint})
    return value


def _number(value: Any) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise PydanticCustomError("number", "must be a number")
    _scalar(value)
    return value


AnyScalar = Annotated[Scalar, PlainValidator(_scalar, json_schema_input_type=Scalar)]
Number = Annotated[int | float, PlainValidator(_number, json_schema_input_type=float)]

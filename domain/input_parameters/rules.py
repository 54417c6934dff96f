"""What is wrong with one value of one field, in sentences that never quote the value."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from domain.input_parameters.formats import FORMATS
from domain.input_parameters.scalars import Scalar, unportable
from domain.input_parameters.schema import Parameter, ParameterType
from domain.patterns import Pattern, Steps, TooManySteps


def complaints(field: Parameter, value: Any, steps: Steps) -> Iterator[str]:
    """Sentences about the value; none when it may be given to the template."""
    if wrong := _wrong_type(field, value):
        yield wrong
        return
    if obstacle := next(unportable(value), None):
        yield obstacle
        return
    if value == "" and field.optional:
        return
    if field.enum is not None and value not in field.enum:
        yield f"must be one of: {listed(map(_shown, field.enum))}"
    if isinstance(value, str):
        yield from _text_complaints(field, value, steps)
    elif not isinstance(value, bool):
        yield from _number_complaints(field, value)


def _wrong_type(field: Parameter, value: Any) -> str | None:
    match field.type:
        case ParameterType.STRING:
            return None if isinstance(value, str) else "must be a text"
        case ParameterType.BOOLEAN:
            return None if isinstance(value, bool) else "must be true or false"
        case ParameterType.NUMBER:
            is_number = isinstance(value, int | float) and not isinstance(value, bool)
            return None if is_number else "must be a number"


def _number_complaints(field: Parameter, value: int | float) -> Iterator[str]:
    if field.min is not None and value < field.min:
        yield f"must be at least {field.min}"
    if field.max is not None and value > field.max:
        yield f"must be at most {field.max}"


def _text_complaints(field: Parameter, value: str, steps: Steps) -> Iterator[str]:
    if field.min_length is not None and len(value) < field.min_length:
        yield f"must have at least {field.min_length} characters"
    if field.max_length is not None and len(value) > field.max_length:
        yield f"must have at most {field.max_length} characters"
    if field.format is not None and not FORMATS[field.format].holds(value):
        yield FORMATS[field.format].sentence
    if field.pattern is not None:
        yield from _pattern_complaints(field.pattern, value, steps)


def _pattern_complaints(pattern: str, value: str, steps: Steps) -> Iterator[str]:
    try:
        if not Pattern.of(pattern).is_in(value, steps):
            yield f"must match the pattern {pattern}"
    except TooManySteps:
        yield "is too long to be matched with the pattern"


def listed(words: Iterable[str], most: int = 20) -> str:
    shown = list(islice(words, most + 1))
    return ", ".join(shown[:most]) + (", …" if len(shown) > most else "")


def _shown(choice: Scalar) -> str:
    return str(choice).lower() if isinstance(choice, bool) else str(choice)

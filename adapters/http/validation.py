"""What breaks a rule is told field by field, with a pointer and a sentence for people."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from difflib import get_close_matches
from functools import cache
from typing import Any, TypeVar, cast

import orjson
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from adapters.http.bodies import escaped
from adapters.http.bounded_texts import MAX_FAULT_TEXT
from adapters.http.request_targets import bad_parameters
from domain.model import MAX_FAULTS, Fault, Invalid

M = TypeVar("M", bound=BaseModel)
SENTENCES = {
    "missing": "This field is required.",
    "string_type": "It must be a text.",
    "int_type": "It must be an integer.",
    "bool_type": "It must be true or false.",
    "dict_type": "It must be an object.",
    "tuple_type": "It must be an array.",
    "uuid_parsing": "It must be a UUID.",
    "uuid_type": "It must be a UUID, written as a text.",
    "string_too_short": "It must not be empty.",
}
"""Pydantic's kinds of error in our words; the others are told in its own."""


def validated_body(
    kind: type[M], fields: Mapping[str, Any], known: Sequence[Fault] = (), whole: str | None = None
) -> M:
    """The model of a body's fields. Raises Invalid with what is wrong, `known` first.

    `whole` is the field that the body itself is, so that pointers begin inside of it.
    """
    try:
        model = kind.model_validate_json(orjson.dumps(fields), strict=True)
    except ValidationError as error:
        found = _faults(error, kind, "/", whole)
        told = {fault.pointer for fault in known}
        faults = [*known, *(f for f in found if f.pointer not in told)]
        raise Invalid(faults, more=max(0, error.error_count() - MAX_FAULTS)) from None
    if known:
        raise Invalid(known)
    return model


def validated_parameters(kind: type[M], given: Collection[tuple[str, str]]) -> M:
    """The model of a query string. Raises BadRequest."""
    if not given:
        return cast(M, _defaults(kind))
    names = [name for name, _ in given]
    twice = next((name for n, name in enumerate(names) if name in names[:n]), None)
    if twice is not None:
        raise bad_parameters([Fault(pointer=f"?{twice}", detail="It is given twice.")])
    try:
        return kind.model_validate_strings(dict(given))
    except ValidationError as error:
        raise bad_parameters(list(_faults(error, kind, "?"))) from None


@cache
def _defaults(kind: type[BaseModel]) -> BaseModel:
    return kind()


def _faults(
    error: ValidationError, kind: type[BaseModel], head: str, whole: str | None = None
) -> Iterator[Fault]:
    """The first errors as faults: each costs time, and nobody reads more of them."""
    listed = error.errors(include_url=False, include_context=True, include_input=False)
    for details in listed[:MAX_FAULTS]:
        steps = details["loc"][1:] if whole in details["loc"][:1] else details["loc"]
        path = "/".join(escaped(str(step)) for step in steps)
        yield Fault(pointer=f"{head}{path}", detail=_sentence(details, kind))


def _sentence(details: ErrorDetails, kind: type[BaseModel]) -> str:
    if details["type"] == "extra_forbidden":
        return _unknown(str(details["loc"][-1]), _siblings(kind, details["loc"][:-1]))
    if details["type"] == "value_error":
        text = str(details["ctx"]["error"])
        return f"{text[:1].upper()}{text[1:].removesuffix('.')}."
    return SENTENCES.get(details["type"]) or f"{details['msg'].removesuffix('.')}."


def _unknown(name: str, known: Collection[str]) -> str:
    near = get_close_matches(name[:MAX_FAULT_TEXT], known, n=1)
    hint = f' Did you mean "{near[0]}"?' if near else ""
    return f"There is no such field.{hint}"


def _siblings(kind: type[BaseModel], path: tuple[int | str, ...]) -> Collection[str]:
    """The fields that the model at this path has; none when the path leads elsewhere."""
    found: Any = kind
    for step in path:
        if isinstance(step, int):
            continue
        field = found.model_fields.get(step) if _is_model(found) else None
        found = next(filter(_is_model, _parts(field.annotation)), None) if field else None
    return list(found.model_fields) if _is_model(found) else []


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _parts(annotation: Any) -> Iterator[Any]:
    yield annotation
    for argument in getattr(annotation, "__args__", ()):
        yield from _parts(argument)

"""Parsing a schema as its author wrote it, with every fault named by its JSON pointer."""

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from itertools import islice
from typing import Any

from pydantic import ValidationError
from pydantic.alias_generators import to_camel
from pydantic_core import ErrorDetails

from domain.input_parameters.nearest import did_you_mean, escaped
from domain.input_parameters.rules import complaints, listed
from domain.input_parameters.schema import (
    RESERVED_PREFIX,
    Format,
    Header,
    Parameter,
    ParameterType,
    Written,
)
from domain.model import Fault, Invalid
from domain.patterns import PatternFault, Steps

MAX_PARAMETERS = 200
MAX_FAULTS_PER_ENTRY = 20


def parse_parameters(raw: Sequence[Any], at: str = "/params") -> tuple[Parameter | Header, ...]:
    """The schema that a template's author wrote. Raises Invalid with every fault in it."""
    if len(raw) > MAX_PARAMETERS:
        raise Invalid([Fault(pointer=at, detail=f"has more than {MAX_PARAMETERS} entries")])
    steps = Steps()
    parsed = [_parsed(entry, f"{at}/{number}", steps) for number, entry in enumerate(raw)]
    faults = [fault for entry in parsed if isinstance(entry, list) for fault in entry]
    entries = {number: entry for number, entry in enumerate(parsed) if not isinstance(entry, list)}
    faults += _faults_between(entries, at)
    if faults:
        raise Invalid(faults)
    return tuple(entries.values())


def _parsed(entry: Any, at: str, steps: Steps) -> Parameter | Header | list[Fault]:
    if not isinstance(entry, Mapping):
        return [Fault(pointer=at, detail="must be an object")]
    kind = Header if "header" in entry else Parameter
    try:
        parsed = kind.model_validate(dict(entry))
    except ValidationError as error:
        found = error.errors(include_url=False)[:MAX_FAULTS_PER_ENTRY]
        return [_schema_fault(kind, details, at) for details in found]
    if isinstance(parsed, Header):
        return parsed
    broken = islice(_schema_rules(parsed, steps), MAX_FAULTS_PER_ENTRY)
    return [Fault(pointer=f"{at}/{name}", detail=text) for name, text in broken] or parsed


def _schema_fault(kind: type[Written], error: ErrorDetails, at: str) -> Fault:
    place = "".join(f"/{escaped(str(step))}" for step in error["loc"])
    return Fault(pointer=at + place, detail=_schema_sentence(kind, error))


def _schema_sentence(kind: type[Written], error: ErrorDetails) -> str:
    limits = error.get("ctx", {})
    match error["type"]:
        case "missing":
            return "is required"
        case "extra_forbidden":
            return _unknown_property(kind, str(error["loc"][-1]))
        case "enum":
            return f"must be one of: {listed(_members(str(error['loc'][-1])))}"
        case "string_type":
            return "must be a text"
        case "bool_type":
            return "must be true or false"
        case "int_type":
            return "must be a whole number"
        case "string_pattern_mismatch" if error["loc"][-1] == "key":
            return "must begin with a letter and hold only letters, digits and _, 100 at most"
        case "string_pattern_mismatch":
            return "must not hold control characters"
        case "tuple_type":
            return "must be a list"
        case "too_short":
            return f"must have at least {limits['min_length']} entry"
        case "too_long":
            return f"must have at most {limits['max_length']} entries"
        case "string_too_short":
            return f"must have at least {limits['min_length']} character"
        case "string_too_long":
            return f"must have at most {limits['max_length']} characters"
        case "value_error":
            return str(limits["error"])
        case "greater_than_equal":
            return f"must be at least {limits['ge']}"
        case "less_than_equal":
            return f"must be at most {limits['le']}"
    return error["msg"]


def _members(name: str) -> type[StrEnum]:
    return Format if name == "format" else ParameterType


_NOT_SUPPORTED = frozenset(
    {"select", "catalog", "autoselect", "identifier", "minItems", "maxItems"}
)


def _unknown_property(kind: type[Written], name: str) -> str:
    if name in _NOT_SUPPORTED:
        return f"{name} is not supported"
    known = [field.alias or field_name for field_name, field in kind.model_fields.items()]
    return f"there is no such property{did_you_mean(name, known)}"


def _faults_between(entries: Mapping[int, Parameter | Header], at: str) -> Iterator[Fault]:
    first: dict[str, int] = {}
    for number, entry in entries.items():
        if isinstance(entry, Parameter) and first.setdefault(entry.key, number) != number:
            detail = f"{at}/{first[entry.key]} has the same key"
            yield Fault(pointer=f"{at}/{number}/key", detail=detail)


Complaints = Iterator[tuple[str, str]]
"""Pairs of a property and the sentence about it."""


def _schema_rules(field: Parameter, steps: Steps) -> Complaints:
    if field.key.startswith(RESERVED_PREFIX):
        yield "key", f"may not begin with {RESERVED_PREFIX}: Quarterdeck gives such values itself"
    misplaced = list(_misplaced(field))
    yield from misplaced
    yield from _crossed_limits(field)
    broken = list(_pattern_rules(field, steps))
    yield from broken
    yield from _secret_rules(field)
    if not misplaced and not broken:
        yield from _choice_rules(field, steps)


_ONLY_FOR = {
    "min_length": ParameterType.STRING,
    "max_length": ParameterType.STRING,
    "pattern": ParameterType.STRING,
    "format": ParameterType.STRING,
    "min": ParameterType.NUMBER,
    "max": ParameterType.NUMBER,
}


def _misplaced(field: Parameter) -> Complaints:
    for name, kind in _ONLY_FOR.items():
        if getattr(field, name) is not None and field.type is not kind:
            yield to_camel(name), f"is only for parameters of type {kind}"


def _crossed_limits(field: Parameter) -> Complaints:
    if field.min is not None and field.max is not None and field.min > field.max:
        yield "max", f"must be at least min, which is {field.min}"
    lengths = field.min_length, field.max_length
    if None not in lengths and (field.min_length or 0) > (field.max_length or 0):
        yield "maxLength", f"must be at least minLength, which is {field.min_length}"


def _pattern_rules(field: Parameter, steps: Steps) -> Complaints:
    if field.pattern is not None:
        try:
            steps.compiled(field.pattern)
        except PatternFault as fault:
            yield "pattern", str(fault)


def _secret_rules(field: Parameter) -> Complaints:
    if not field.is_secret:
        return
    if field.default is not None:
        yield "default", "a password cannot have a default: everyone who sees the template reads it"
    if field.enum is not None:
        yield "enum", "a password cannot be chosen from a list: everyone who sees it reads them"
    if field.unique:
        yield "unique", "a password cannot be unique: a refusal would tell that another has it"


def _choice_rules(field: Parameter, steps: Steps) -> Complaints:
    without_choice = field.model_copy(update={"enum": None})
    seen = set()
    for number, choice in enumerate(field.enum or ()):
        for text in complaints(without_choice, choice, steps):
            yield f"enum/{number}", text
        if choice in seen:
            yield f"enum/{number}", "is there twice"
        seen.add(choice)
    if field.default is not None and not field.is_secret:
        for text in complaints(field, field.default, steps):
            yield "default", text

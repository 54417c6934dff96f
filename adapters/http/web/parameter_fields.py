"""The fields of a form made from input parameters, and the values that come back from it."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

from adapters.http.web.forms import Faults, Form
from adapters.http.web.words import shown
from domain.input_parameters import Format, Header, Parameter, ParameterType
from domain.secrets import MASK

PREFIX = "values."
INTEGER = re.compile(r"[+-]?[0-9]{1,18}")
DECIMAL = re.compile(r"[+-]?([0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))([eE][+-]?[0-9]+)?")
"""What people write for numbers. Python also takes words, other scripts' digits and `1_0`, and
JSON holds no whole number of more than 64 bits."""
LONG_TEXT = 200
INPUT_TYPES = {Format.EMAIL: "email", Format.URL: "url", Format.PASSWORD: "password"}
EXAMPLES = {
    Format.DATE_TIME: "2026-11-21T14:32:00Z",
    Format.URL: "https://",
    Format.EMAIL: "name@example.com",
    Format.UUID: "00000000-0000-0000-0000-000000000000",
    Format.IPV4: "10.0.0.1",
}


@dataclass(frozen=True, slots=True)
class Heading:
    """A line between fields."""

    title: str
    is_heading: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One parameter as a form shows it; `was` is what is in force while this is only declared."""

    key: str
    title: str
    control: str
    """input, area, select or check."""
    input_type: str = "text"
    value: str = ""
    is_checked: bool = False
    choices: tuple[tuple[str, str], ...] = ()
    description: str = ""
    placeholder: str = ""
    is_optional: bool = False
    is_locked: bool = False
    is_set_once: bool = False
    is_secret: bool = False
    span: int = 1
    attributes: Mapping[str, str] = field(default_factory=dict)
    was: str | None = None
    faults: tuple[str, ...] = ()
    is_heading: bool = False

    @property
    def name(self) -> str:
        return f"{PREFIX}{self.key}"

    @property
    def id(self) -> str:
        return f"v-{self.key}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """What a form of parameters is filled with, and what is known beside it."""

    values: Mapping[str, Any] = field(default_factory=dict)
    saved: Mapping[str, Any] | None = None
    """What the cluster declares now; None for a new one."""
    secrets: Collection[str] = ()
    """Parameters of which a secret is kept."""
    in_force: Mapping[str, Any] | None = None
    """What the machines have, where that is something else."""
    faults: Faults = field(default_factory=Faults)


def form_fields(parameters: Iterable[Parameter | Header], filled: Filled) -> list[Field | Heading]:
    """The form: headings and fields in the author's order; hidden ones are left out."""
    return [
        Heading(entry.header) if isinstance(entry, Header) else _field(entry, filled)
        for entry in parameters
        if isinstance(entry, Header) or not entry.hidden
    ]


def offered(parameters: Iterable[Parameter | Header]) -> dict[str, Any]:
    """What a new form is filled with: the defaults."""
    return {
        entry.key: entry.default
        for entry in parameters
        if isinstance(entry, Parameter) and entry.default is not None
    }


def values_of(
    form: Form,
    parameters: Iterable[Parameter | Header],
    saved: Mapping[str, Any] | None = None,
    secrets: Collection[str] = (),
) -> dict[str, Any]:
    """The values as the form gives them, of the type of their parameter where that is possible."""
    given: dict[str, Any] = {}
    texts = form.under(PREFIX)
    for entry in parameters:
        if isinstance(entry, Header):
            continue
        if entry.hidden:
            if saved and entry.key in saved:
                given[entry.key] = saved[entry.key]
            continue
        given |= _value(entry, texts.get(entry.key), entry.key in secrets)
    unknown = texts.keys() - {e.key for e in parameters if isinstance(e, Parameter)}
    return given | {key: texts[key] for key in sorted(unknown)}


def _value(parameter: Parameter, text: str | None, is_kept: bool) -> dict[str, Any]:
    key = parameter.key
    if parameter.is_secret:
        return {key: text} if text else {key: MASK} if is_kept else {}
    if parameter.type is ParameterType.BOOLEAN:
        return _boolean(parameter, text)
    if text is None or (text == "" and (parameter.optional or parameter.default is None)):
        return {}
    return {key: _number(text) if parameter.type is ParameterType.NUMBER else text}


def _boolean(parameter: Parameter, text: str | None) -> dict[str, Any]:
    if text in ("true", "false"):
        return {parameter.key: text == "true"}
    return {} if parameter.optional else {parameter.key: False}


def _number(text: str) -> int | float | str:
    written = text.strip().replace("\u202f", "").replace(" ", "")
    if INTEGER.fullmatch(written):
        return int(written)
    if DECIMAL.fullmatch(written) and isfinite(float(written)):
        return float(written)
    return text


def _field(parameter: Parameter, filled: Filled) -> Field:
    saved = filled.saved or {}
    value = filled.values.get(parameter.key)
    is_kept = parameter.key in filled.secrets
    is_locked = parameter.immutable and (parameter.key in saved or is_kept)
    control, input_type = _control(parameter, value, is_locked)
    return Field(
        key=parameter.key,
        title=parameter.title,
        control=control,
        input_type=input_type,
        value="" if parameter.is_secret else _text(value),
        is_checked=value is True,
        choices=tuple(_choices(parameter, value)),
        description=parameter.description,
        placeholder=_placeholder(parameter, is_kept),
        is_optional=parameter.optional,
        is_locked=is_locked,
        is_set_once=parameter.immutable and not is_locked,
        is_secret=parameter.is_secret,
        span=parameter.span,
        attributes=dict(_attributes(parameter, is_kept)),
        was=_was(parameter, value, filled),
        faults=tuple(filled.faults.at(f"/values/{parameter.key}")),
    )


def _control(parameter: Parameter, value: Any, is_locked: bool) -> tuple[str, str]:
    if is_locked:
        return "input", "text"
    if parameter.enum is not None:
        return "select", ""
    if parameter.type is ParameterType.BOOLEAN:
        return ("select", "") if parameter.optional else ("check", "")
    if parameter.type is ParameterType.NUMBER:
        return "input", "number"
    if parameter.format is not None:
        return "input", INPUT_TYPES.get(parameter.format, "text")
    is_long = (parameter.max_length or 0) > LONG_TEXT or "\n" in _text(value)
    return ("area", "") if is_long else ("input", "text")


def _choices(parameter: Parameter, value: Any) -> Iterator[tuple[str, str]]:
    if parameter.enum is None:
        if parameter.type is ParameterType.BOOLEAN and parameter.optional:
            yield from (("", "–"), ("true", "yes"), ("false", "no"))
        return
    if parameter.optional or value is None:
        yield "", "–"
    for choice in parameter.enum:
        yield _text(choice), shown(choice)
    if value is not None and value not in parameter.enum:
        yield _text(value), f"{shown(value)}, not offered any more"


def _placeholder(parameter: Parameter, is_kept: bool) -> str:
    if is_kept:
        return "Kept. Leave empty to keep it."
    return EXAMPLES.get(parameter.format, "") if parameter.format else ""


def _attributes(parameter: Parameter, is_kept: bool) -> Iterator[tuple[str, str]]:
    if not parameter.optional and not is_kept and parameter.type is not ParameterType.BOOLEAN:
        yield "required", ""
    limits = {"min": parameter.min, "max": parameter.max}
    yield from ((name, _text(limit)) for name, limit in limits.items() if limit is not None)
    if parameter.type is ParameterType.NUMBER:
        yield "step", "any"
    if parameter.max_length is not None:
        yield "maxlength", str(parameter.max_length)


def _was(parameter: Parameter, value: Any, filled: Filled) -> str | None:
    """What is in force, where it is something else than what is declared."""
    if filled.in_force is None or parameter.is_secret:
        return None
    before = filled.in_force.get(parameter.key)
    return shown(before) if before != value else None


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)

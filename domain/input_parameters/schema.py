"""The schema: fields to fill in, and headers between them."""

from collections.abc import Collection, Iterable, Mapping
from enum import StrEnum
from typing import Annotated, Any

from pydantic import AliasGenerator, ConfigDict, Field, StrictBool, StringConstraints
from pydantic.alias_generators import to_camel

from domain.input_parameters.scalars import MAX_TEXT, AnyScalar, Number
from domain.model import Value
from domain.values import Comment, Name

MAX_CHOICES = 1_000
RESERVED_PREFIX = "dc_"
"""Of the keys of values that Quarterdeck gives to every template itself."""

Length = Annotated[int, Field(strict=True, ge=0, le=MAX_TEXT)]
Key = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,99}$")]
"""A name that a Go template can say after a dot."""


class ParameterType(StrEnum):
    STRING = "string"
    NUMBER = "number"
    BOOLEAN = "boolean"


class Format(StrEnum):
    PASSWORD = "password"
    DATE_TIME = "date-time"
    URL = "url"
    EMAIL = "email"
    UUID = "uuid"
    IPV4 = "ipv4"


class Written(Value):
    """A value whose fields template authors write in camelCase."""

    model_config = ConfigDict(alias_generator=AliasGenerator(alias=to_camel))


class Header(Written):
    """A line between fields that says what the following ones are about."""

    header: Name


class Parameter(Written):
    """One field that the author of a cluster fills in."""

    key: Key
    title: Name
    type: ParameterType
    description: Comment = ""
    default: AnyScalar | None = None
    optional: StrictBool = False
    immutable: StrictBool = False
    hidden: StrictBool = False
    unique: StrictBool = False
    span: Annotated[int, Field(strict=True, ge=1, le=4)] = 1
    enum: Annotated[tuple[AnyScalar, ...], Field(min_length=1, max_length=MAX_CHOICES)] | None = (
        None
    )
    format: Format | None = None
    min_length: Length | None = None
    max_length: Length | None = None
    min: Number | None = None
    max: Number | None = None
    pattern: str | None = None

    @property
    def is_secret(self) -> bool:
        return self.format is Format.PASSWORD


def fields_of(parameters: Iterable[Parameter | Header]) -> dict[str, Parameter]:
    """The fields by key, without the headers."""
    return {entry.key: entry for entry in parameters if isinstance(entry, Parameter)}


def unique_keys(params: Iterable[Mapping[str, Any]]) -> list[str]:
    """The keys of those parameters of a stored schema whose values no two clusters share."""
    return [entry["key"] for entry in params if entry.get("unique") is True]


def absent_values(
    parameters: Iterable[Parameter | Header], given: Collection[str]
) -> dict[str, None]:
    """Each optional field without a value, so that a template can tell it from a misspelling."""
    return {key: None for key in fields_of(parameters) if key not in given}

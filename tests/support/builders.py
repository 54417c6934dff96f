"""Builders make values for tests: events of any kind, out of the types of their fields."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from enum import Enum
from types import UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin
from uuid import UUID

from annotated_types import Ge, Le
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from pydantic import AwareDatetime, BaseModel, StringConstraints

from domain.secrets import Secret

M = TypeVar("M", bound=BaseModel)

json_values: SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=4,
)
secrets = st.text(max_size=12).map(Secret)
_PLAIN: dict[Any, SearchStrategy[Any]] = {
    bool: st.booleans(),
    int: st.integers(0, 2**62),
    str: st.text(max_size=12),
    datetime: st.datetimes(timezones=st.just(UTC)),
    AwareDatetime: st.datetimes(timezones=st.just(UTC)),
    UUID: st.uuids(),
    Secret: secrets,
    Any: json_values,
    type(None): st.none(),
}


def any_of(model: type[M]) -> SearchStrategy[M]:
    """Instances of a model; its secrets are open, its optional fields sometimes left out."""
    fields = {
        name: _value(field.annotation, field.metadata) for name, field in model.model_fields.items()
    }
    required = {n: v for n, v in fields.items() if model.model_fields[n].is_required()}
    optional = {n: v for n, v in fields.items() if n not in required}
    return st.fixed_dictionaries(required, optional=optional).map(model.model_validate)


def _value(annotation: Any, metadata: Sequence[Any] = ()) -> SearchStrategy[Any]:
    for constraint in metadata:
        if isinstance(constraint, StringConstraints):
            return _text(constraint)
    least: Any = next((c.ge for c in metadata if isinstance(c, Ge)), None)
    most: Any = next((c.le for c in metadata if isinstance(c, Le)), None)
    if (least, most) != (None, None):
        return st.integers(least, most)
    if annotation in _PLAIN:
        return _PLAIN[annotation]
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return st.sampled_from(annotation)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return any_of(annotation)
    return _composed(get_origin(annotation), get_args(annotation))


def _composed(origin: Any, arguments: tuple[Any, ...]) -> SearchStrategy[Any]:
    if origin is Annotated:
        return _value(arguments[0], arguments[1:])
    if origin is Literal:
        return st.sampled_from(arguments)
    if origin in (Union, UnionType):
        return st.one_of(*map(_value, arguments))
    if origin is tuple:
        return st.lists(_value(arguments[0]), max_size=2).map(tuple)
    if origin in (dict, Mapping):
        return st.dictionaries(st.text(max_size=6), _value(arguments[1]), max_size=2)
    raise TypeError(f"no strategy for {origin}{arguments}")


def _text(constraint: StringConstraints) -> SearchStrategy[str]:
    if constraint.strip_whitespace:
        letters = st.characters(exclude_categories=["Cc", "Cs"])
        return st.text(letters, min_size=1, max_size=40).map(str.strip).filter(bool)
    if constraint.pattern:
        return st.from_regex(str(constraint.pattern).replace("$", r"\Z"))
    return st.text(max_size=20)

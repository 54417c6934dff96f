"""What must never be seen: the mark of a secret, which every printer, diff and error knows."""

from collections.abc import Callable
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

MASK = "********"
Model = TypeVar("Model", bound=BaseModel)


class SecretIsSealed(Exception):
    """The plain text was asked of a secret that only the vault can open."""


class SecretIsOpen(Exception):
    """A secret was about to be written down before it was sealed."""


class Secret:
    """A text that is either open (just given, in memory only) or sealed (as it is stored).

    Write `Secret` as a field's type: the mark is put once. The stored form is
    `{"sealed": token}`; an open secret cannot be serialised at all.
    """

    __slots__ = ("_open", "token")

    def __init__(self, text: str | None = None, *, token: str | None = None) -> None:
        if (text is None) == (token is None):
            raise ValueError("a secret is either open or sealed")
        self._open = text
        self.token = token

    @property
    def is_sealed(self) -> bool:
        return self.token is not None

    def reveal(self) -> str:
        if self._open is None:
            raise SecretIsSealed
        return self._open

    def __repr__(self) -> str:
        return f"Secret({MASK})"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return (self._open, self.token) == (other._open, other.token)

    def __hash__(self) -> int:
        return hash((self._open, self.token))

    @classmethod
    def __get_pydantic_core_schema__(cls, _: Any, __: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            cls._validate,
            serialization=core_schema.plain_serializer_function_ser_schema(cls._store),
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, _: CoreSchema, __: Any) -> dict[str, Any]:
        return {"type": "string", "format": "password", "writeOnly": True}

    @classmethod
    def _validate(cls, value: Any) -> "Secret":
        match value:
            case Secret():
                return value
            case {"sealed": str(token)}:
                return cls(token=token)
            case str():
                return cls(value)
        raise ValueError("expected a text")

    def _store(self) -> dict[str, str]:
        if self.token is None:
            raise SecretIsOpen
        return {"sealed": self.token}


def contains_secret(annotation: Any) -> bool:
    """Whether a field of this type can hold a secret, at any depth."""
    if annotation is Secret:
        return True
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return any(contains_secret(f.annotation) for f in annotation.model_fields.values())
    return any(contains_secret(argument) for argument in get_args(annotation))


def map_secrets(model: Model, change: Callable[[str, Secret], Secret], path: str = "") -> Model:
    """A copy of the model with each secret replaced by `change(path, secret)`."""
    changed = {
        name: _mapped(getattr(model, name), change, f"{path}{name}")
        for name, field in type(model).model_fields.items()
        if contains_secret(field.annotation)
    }
    return model.model_copy(update=changed) if changed else model


def _mapped(value: Any, change: Callable[[str, Secret], Secret], path: str) -> Any:
    match value:
        case Secret():
            return change(path, value)
        case BaseModel():
            return map_secrets(value, change, f"{path}.")
        case dict():
            return {key: _mapped(item, change, f"{path}.{key}") for key, item in value.items()}
        case list() | tuple():
            return type(value)(_mapped(item, change, f"{path}.{n}") for n, item in enumerate(value))
    return value

"""What the API's answers look like: the fields that clients may count on."""

from uuid import UUID

from pydantic import Field

from domain.model import Value


class Fault(Value):
    detail: str
    pointer: str = Field(
        description="JSON pointer into the body, ?name of a parameter, or a header's name."
    )


class Problem(Value):
    """RFC 9457, with our code in `error`."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    request_id: str | None
    error: str
    errors: list[Fault] = []
    more_errors: int = Field(0, description="How many there are beside those in `errors`.")


class Accepted(Value):
    """The command took effect; the read models do not show it yet."""

    id: UUID | None
    position: int


def read_only(shape: type[Value], *written: str) -> frozenset[str]:
    """The fields of a shape that clients read back and that no command takes."""
    return frozenset(shape.model_fields) - frozenset(written)

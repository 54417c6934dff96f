"""What may stand behind the question mark: instants, positions, pages, the workspace."""

import re
from typing import Annotated

from pydantic import BeforeValidator, Field, WithJsonSchema

from adapters.http.whole_numbers import MAX_POSITION
from domain import instants
from domain.model import Value
from domain.values import Slug

RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+ -]\d\d:\d\d)")


def _rfc3339(text: object) -> object:
    """An unescaped + arrives as a space; digits beyond microseconds are left out."""
    if not isinstance(text, str) or not RFC3339.fullmatch(text):
        raise ValueError("it must be an instant as RFC 3339 writes it: 2026-11-21T14:32:05Z")
    return re.sub(r"(\.\d{6})\d+", r"\1", f"{text[:10]}T{text[11:].replace(' ', '+')}".upper())


Instant = Annotated[
    instants.Instant,
    BeforeValidator(_rfc3339),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]


class Parameters(Value):
    """None: any that comes is refused."""


class Reading(Parameters):
    """Parameters of every query."""

    at: Instant | None = Field(None, description="Show things as they were at this instant.")
    after: int | None = Field(
        None,
        ge=0,
        le=MAX_POSITION,
        description="Wait until this position of the log is shown: the X-Position of a command.",
    )


class InWorkspace(Parameters):
    workspace: Slug | None = Field(
        None,
        description="The workspace's slug. A workspace's token need not say it.",
    )


class Paging(Parameters):
    limit: int | None = Field(None, ge=1, le=1000, description="How many to answer at most.")
    cursor: str | None = Field(
        None, max_length=1000, description="Where the page before ended: follow the Link header."
    )

"""A reader runs the queries of the read models, now or as they were at an instant."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from json import dumps, loads
from typing import Any, Protocol

Shown = dict[str, Any]
"""A row as JSON shows it: ids are texts, times RFC 3339 texts in UTC that end with Z."""


class Reader(Protocol):
    """Reads by SQL with `%(name)s` parameters. Tables are named without a schema.

    Raises application.ports.Unavailable when the database cannot be reached.
    """

    async def rows(self, sql: str, parameters: Mapping[str, Any] = ...) -> list[Shown]:
        """All rows, column to value, in the order of the query."""
        ...

    async def row(self, sql: str, parameters: Mapping[str, Any] = ...) -> Shown | None:
        """The first row, or None."""
        ...


class BadCursor(ValueError):
    """A cursor that this query did not give out."""


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows of a long list, and where the next ones begin; None when these are the last."""

    rows: list[Shown]
    next_cursor: str | None


def page_of(rows: list[Shown], limit: int | None, keys: Sequence[str]) -> Page:
    """The page of `limit` rows, of which one more was asked for; `keys` are what it is sorted by.

    Columns whose name begins with an underscore are for sorting only and are not shown.
    """
    shown = rows if limit is None else rows[:limit]
    more = limit is not None and len(rows) > limit
    cursor = encode_cursor([shown[-1][key] for key in keys]) if more and shown else None
    return Page([_visible(row) for row in shown], cursor)


def encode_cursor(values: Sequence[Any]) -> str:
    return urlsafe_b64encode(dumps(list(values)).encode()).decode().rstrip("=")


def decode_cursor(cursor: str, keys: Sequence[str]) -> dict[str, Any]:
    """The values that the page before ended with, as `after_<key>`. Raises BadCursor."""
    try:
        values = loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except ValueError as error:
        raise BadCursor("This cursor is not one of ours.") from error
    if not isinstance(values, list) or len(values) != len(keys):
        raise BadCursor("This cursor belongs to another list.")
    return {f"after_{key}": value for key, value in zip(keys, values, strict=True)}


def rfc3339(moment: datetime) -> str:
    """The instant in UTC with microseconds, such as 2026-11-21T14:32:05.120000Z."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def containing(text: str) -> str:
    """The pattern of `ilike` for texts that contain this one."""
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"


def _visible(row: Shown) -> Shown:
    return {column: value for column, value in row.items() if not column.startswith("_")}

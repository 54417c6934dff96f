"""A reader runs the queries of the read models, now or as they were at an instant."""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from json import dumps
from typing import Any, Protocol
from uuid import UUID

from pydantic_core import from_json

from domain.instants import in_calendar

CURSOR = re.compile(r"[A-Za-z0-9_-]{1,1000}={0,2}")
LIMITS = {"smallint": 2**15, "bigint": 2**63}
"""The first number that is too large for a column of this type."""
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
    """Some rows of a long list, and where those after and before them are; None when none are."""

    rows: list[Shown]
    next_cursor: str | None
    previous_cursor: str | None = None


@dataclass(frozen=True, slots=True)
class Slice:
    """The part of a sorted list that a page shows: its beginning, or what is beside a place.

    `columns` with their SQL types sort the list and tell any two rows apart. The rows hold each
    of them as `_<column>` too: columns with an underscore are for sorting only and are not shown.
    A cursor is a place between two rows, so it stays good while rows come and go around it.
    """

    columns: Sequence[tuple[str, str]]
    descending: bool = False
    limit: int | None = None
    place: Mapping[str, Any] | None = None
    """The row beside the place, by column; None for the beginning of the list."""
    is_backward: bool = False
    """Whether the rows before the place are meant."""

    @property
    def parameters(self) -> dict[str, Any]:
        """What `condition` and `fetch` need: one row more than is shown tells that more follow."""
        fetch = None if self.limit is None else self.limit + 1
        return {"fetch": fetch} | {f"at_{name}": at for name, at in (self.place or {}).items()}

    def condition(self, table: str) -> str:
        """The SQL that lets pass what is on this side of the place."""
        if self.place is None:
            return "true"
        ours = ", ".join(f"{table}.{name}" for name, _ in self.columns)
        theirs = ", ".join(f"%(at_{name})s::{kind}" for name, kind in self.columns)
        return f"({ours}) {'<' if self._falls else '>'} ({theirs})"

    def order(self, table: str) -> str:
        """The SQL of the order in which rows are read: what is nearest to the place comes first."""
        direction = "desc" if self._falls else "asc"
        return ", ".join(f"{table}.{name} {direction}" for name, _ in self.columns)

    def page(self, found: list[Shown]) -> Page:
        """The page of the rows that were read."""
        has_more = self.limit is not None and len(found) > self.limit
        rows = found[: self.limit]
        if self.is_backward:
            rows = rows[::-1]
        is_after = self.place is not None and not self.is_backward
        has_before = is_after or (self.is_backward and has_more)
        has_after = self.is_backward or has_more
        return Page(
            [visible(row) for row in rows],
            self._cursor(">", rows[-1]) if rows and has_after else None,
            self._cursor("<", rows[0]) if rows and has_before else None,
        )

    @property
    def _falls(self) -> bool:
        return self.descending != self.is_backward

    def _cursor(self, side: str, row: Shown) -> str:
        values = [side, *(row[f"_{name}"] for name, _ in self.columns)]
        return urlsafe_b64encode(dumps(values).encode()).decode().rstrip("=")


def slice_of(
    columns: Sequence[tuple[str, str]],
    *,
    descending: bool = False,
    limit: int | None = None,
    cursor: str | None = None,
) -> Slice:
    """The part of a list sorted by these columns that a cursor of its pages means.

    Raises BadCursor.
    """
    if cursor is None:
        return Slice(columns, descending, limit)
    side, *values = _read(cursor)
    if side not in ("<", ">") or len(values) != len(columns):
        raise BadCursor("This cursor belongs to another list.")
    try:
        place = {
            name: _of_kind(kind, value) for (name, kind), value in zip(columns, values, strict=True)
        }
    except (TypeError, ValueError) as error:
        raise BadCursor("This cursor belongs to another list.") from error
    return Slice(columns, descending, limit, place, is_backward=side == "<")


def _read(cursor: str) -> list[Any]:
    """What a cursor holds: a text, then values of any kind. Raises BadCursor."""
    if not CURSOR.fullmatch(cursor):
        raise BadCursor("This cursor is not one of ours.")
    padded = cursor + "=" * (-len(cursor) % 4)
    try:
        # Unlike the standard library's parser it takes neither NaN nor lone surrogates, and knows
        # an end of nesting.
        values = from_json(urlsafe_b64decode(padded), allow_inf_nan=False)
    except ValueError as error:
        raise BadCursor("This cursor is not one of ours.") from error
    if not isinstance(values, list) or not values or not isinstance(values[0], str):
        raise BadCursor("This cursor belongs to another list.")
    return values


def _of_kind(kind: str, value: Any) -> Any:
    """The value, if PostgreSQL takes it for this type. Raises TypeError or ValueError."""
    match kind, value:
        case "text", str() if "\0" not in value:
            return value
        case "uuid", str():
            return UUID(value)
        case "timestamptz", str():
            return in_calendar(datetime.fromisoformat(value))
        case "bigint" | "smallint", int() if type(value) is int and abs(value) < LIMITS[kind]:
            return value
    raise TypeError(f"this is no {kind}")


def visible(row: Shown) -> Shown:
    """A row without what is for sorting only."""
    return {column: value for column, value in row.items() if not column.startswith("_")}


def rfc3339(moment: datetime) -> str:
    """The instant in UTC with microseconds, such as 2026-11-21T14:32:05.120000Z."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def containing(text: str) -> str:
    """The pattern of `ilike` for texts that contain this one."""
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"

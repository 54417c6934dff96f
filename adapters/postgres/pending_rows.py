"""Changes wait in memory until a page of events is through: many to one row become one."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from psycopg import AsyncConnection
from psycopg.rows import dict_row

from adapters.postgres.row_statements import Statement, selecting, writing
from projections.projection import Change, Key, Row, Table, Verb

Pending = tuple[Verb, Row]
Alike = dict[tuple[Table, Verb, tuple[str, ...]], list[tuple[Key, Row]]]


class NotLoaded(Exception):
    """A rule asked for a row that was not read from the database yet; it is asked again later."""


class Loaded:
    """Rows as the database has them, and which more are wanted."""

    def __init__(self) -> None:
        self._rows: dict[Table, dict[Key, Row | None]] = {}
        self._missing: dict[Table, set[Key]] = {}

    def row(self, table: Table, key: Key) -> Row | None:
        """The row, or None. Raises NotLoaded, and remembers that it is wanted."""
        try:
            return self._rows[table][key]
        except KeyError:
            self._missing.setdefault(table, set()).add(key)
            raise NotLoaded from None

    @property
    def is_complete(self) -> bool:
        return not self._missing

    async def load_missing(self, connection: AsyncConnection[Any], schema: str) -> None:
        """Read what was asked for and not there, with one select per table."""
        missing, self._missing = self._missing, {}
        for table, keys in missing.items():
            rows = self._rows.setdefault(table, {})
            rows.update(dict.fromkeys(keys))
            cursor = connection.cursor(row_factory=dict_row)
            await cursor.execute(*selecting(schema, table, keys))
            for row in await cursor.fetchall():
                rows[tuple(row[name] for name in table.key)] = row


class PendingRows:
    """What events make of the rows of one projection; it is projections.projection.Rows too.

    Merging is exact: the rows come out the same wherever one page ends and the next begins.
    """

    def __init__(self, loaded: Loaded) -> None:
        self._loaded = loaded
        self._pending: dict[Table, dict[Key, list[Pending]]] = {}

    def __len__(self) -> int:
        return sum(map(len, self._pending.values()))

    def of(self, table: Table, *key: Any) -> Row | None:
        """The row as it stands with all that was added so far."""
        row = self._loaded.row(table, key)
        for verb, columns in self._pending.get(table, {}).get(key, ()):
            row = _changed(row, table, key, verb, columns)
        return row

    def add(self, changes: Iterable[Change]) -> None:
        """Take the changes of one event, in their order; none of them if making them fails."""
        for table, verb, key, columns in list(changes):
            rows = self._pending.get(table)
            if rows is None:
                rows = self._pending[table] = {}
            pending = rows.get(key)
            if pending is None:
                rows[key] = [(verb, columns)]
            else:
                _merge(pending, verb, columns)

    def statements(self, schema: str) -> Iterator[Statement]:
        """What to execute, in this order, for the tables in that schema."""
        generation = 0
        while alike := self._alike(generation):
            for (table, verb, names), changed in alike.items():
                yield writing(schema, table, verb, names, changed)
            generation += 1

    def _alike(self, generation: int) -> Alike:
        """The changes that come at this place in their rows; one group is one statement."""
        groups: Alike = {}
        for table, rows in self._pending.items():
            for key, pending in rows.items():
                if len(pending) > generation:
                    verb, columns = pending[generation]
                    groups.setdefault((table, verb, tuple(columns)), []).append((key, columns))
        return groups


def _merge(pending: list[Pending], verb: Verb, columns: Row) -> None:
    before, known = pending[-1]
    if verb == "drop":
        pending[:] = [(verb, columns)]
    elif before == "drop":
        if verb == "put":
            pending.append((verb, columns))
    elif before == "patch" and verb == "put" and not known.keys() <= columns.keys():
        # If there is no row, the patch is lost and the put begins it: they cannot be one.
        pending.append((verb, columns))
    else:
        merged: Verb = "put" if "put" in (before, verb) else "patch"
        pending[-1] = (merged, {**known, **columns})


def _changed(row: Row | None, table: Table, key: Key, verb: Verb, columns: Row) -> Row | None:
    if verb == "drop":
        return None
    if row is not None:
        return {**row, **columns}
    named: Mapping[str, Any] = dict(zip(table.key, key, strict=True))
    return {**dict.fromkeys(table.columns), **named, **columns} if verb == "put" else None

"""How a projection takes its rules, and how changes to one row become one."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.postgres.pending_rows import Loaded, PendingRows
from domain.model import Event, Recorded
from domain.workspaces import WorkspaceCreated, WorkspaceDeleted, WorkspaceRenamed
from projections.projection import Change, Projection, Row, Table

table = Table("things", {"id": "uuid", "a": "text", "b": "text"}, ["id"])


def test_a_rule_is_registered_for_each_member_of_its_union() -> None:
    known = Projection("known", 1, [table])

    @known.when
    def happened(
        event: WorkspaceCreated | WorkspaceRenamed, recorded: Recorded
    ) -> Iterator[Change]:
        yield table.put(recorded.stream_id, a=event.name)

    assert known.topics == {"workspace.created", "workspace.renamed"}
    assert known.takes("workspace.created")
    assert not known.takes("workspace.deleted")


def test_of_an_unknown_topic_nobody_can_say_that_it_has_no_rule() -> None:
    assert Projection("known", 1, [table]).takes("from.the.future")


def test_a_rule_for_event_takes_what_no_other_takes() -> None:
    known = Projection("known", 1, [table])

    @known.when
    def deleted(_: WorkspaceDeleted, recorded: Recorded) -> Iterator[Change]:
        yield table.drop(recorded.stream_id)

    @known.when
    def happened(event: Event, recorded: Recorded) -> Iterator[Change]:
        yield table.put(recorded.stream_id, a=event.topic)

    assert known.topics is None
    assert known.takes("workspace.deleted")


def test_two_rules_for_one_event_are_a_mistake() -> None:
    known = Projection("known", 1, [table])

    @known.when
    def once(_: WorkspaceDeleted, recorded: Recorded) -> Iterator[Change]:
        yield table.drop(recorded.stream_id)

    with pytest.raises(TypeError):
        known.when(once)


Database = dict[tuple[Any, ...], dict[str, Any]]

columns = st.dictionaries(st.sampled_from(["a", "b"]), st.sampled_from("xyz"), min_size=1)
changes = st.one_of(
    st.builds(lambda key, values: table.put(key, **values), st.integers(1, 2), columns),
    st.builds(lambda key, values: table.patch(key, **values), st.integers(1, 2), columns),
    st.builds(table.drop, st.integers(1, 2)),
)


@given(st.lists(changes, max_size=12), st.integers(0, 12), st.sets(st.integers(1, 2)))
def test_merging_changes_nothing(made: list[Change], cut: int, present: set[int]) -> None:
    """Two pages, one page, and one change at a time give the same rows."""
    start: Database = {(key,): {"a": "old", "b": "old"} for key in present}
    expected = _one_by_one(start, made)
    assert _merged(start, made) == expected
    assert _merged(_merged(start, made[:cut]), made[cut:]) == expected


@given(st.lists(changes, max_size=12), st.sets(st.integers(1, 2)))
def test_a_rule_sees_the_row_as_the_changes_before_left_it(
    made: list[Change], present: set[int]
) -> None:
    start: Database = {(key,): {"id": key, "a": "old", "b": "old"} for key in present}
    rows = PendingRows(_Known(start))
    rows.add(made)
    expected = _one_by_one(start, made)
    for key in [(1,), (2,)]:
        seen, real = rows.of(table, *key), expected.get(key)
        assert (seen is None) == (real is None)
        assert seen is None or {n: seen[n] for n in "ab"} == {n: (real or {}).get(n) for n in "ab"}


class _Known(Loaded):
    def __init__(self, database: Database) -> None:
        super().__init__()
        self._database = database

    def row(self, table: Table, key: tuple[Any, ...]) -> Row | None:
        return self._database.get(key)


def _one_by_one(start: Database, made: list[Change]) -> Database:
    database = {key: dict(row) for key, row in start.items()}
    for change in made:
        _write(database, change.verb, change.key, dict(change.columns))
    return database


def _merged(start: Database, made: list[Change]) -> Database:
    """What the statements do, on a database that is a dict."""
    rows = PendingRows(Loaded())
    rows.add(made)
    database = {key: dict(row) for key, row in start.items()}
    for text, arrays in rows.statements("schema"):
        verb = {b"insert": "put", b"update": "patch", b"delete": "drop"}[text.split()[0]]
        names = text.decode().split("as x(")[1].split(")")[0].replace('"', "").split(", ")
        for values in zip(*arrays, strict=True):
            named = dict(zip(names, values, strict=True))
            _write(database, verb, (named.pop("id"),), named)
    return database


def _write(database: Database, verb: str, key: tuple[Any, ...], columns: dict[str, Any]) -> None:
    if verb == "drop":
        database.pop(key, None)
    elif verb == "put" or key in database:
        database[key] = {**database.get(key, {}), **columns}

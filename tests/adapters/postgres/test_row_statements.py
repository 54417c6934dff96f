"""Every value that an event can hold comes back from its row as it was."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg.rows import dict_row

from adapters.postgres.pending_rows import Loaded, PendingRows
from adapters.postgres.read_models import create_tables
from projections.projection import Change, Table

KEY = uuid4()
table = Table(
    "things",
    {
        "id": "uuid",
        "word": "text",
        "count": "bigint",
        "small": "smallint",
        "yes": "boolean",
        "at": "timestamptz",
        "other": "uuid",
        "values": "jsonb",
    },
    ["id"],
)


class Mood(StrEnum):
    GOOD = "good"


async def kept(database: str, changes: list[Change]) -> dict[str, Any]:
    async with await psycopg.AsyncConnection.connect(database, autocommit=True) as connection:
        await create_tables(connection, "", [table])
        rows = PendingRows(Loaded())
        rows.add(changes)
        for text, arrays in rows.statements("public"):
            await connection.execute(text, arrays)
        cursor = connection.cursor(row_factory=dict_row)
        await cursor.execute("select * from things where id = %s", [KEY])
        return await cursor.fetchone() or {}


@pytest.mark.parametrize(
    ("column", "value", "comes_back"),
    [
        ("word", "it's %s \\ ☃ \N{GRINNING FACE}", None),
        ("word", "a\0b", "a\N{REPLACEMENT CHARACTER}b"),
        ("word", Mood.GOOD, "good"),
        ("count", 2**62, None),
        ("small", 7, None),
        ("yes", False, None),
        ("at", datetime(2026, 11, 21, 14, 0, 0, 123456, tzinfo=UTC), None),
        ("other", uuid4(), None),
        ("values", {"a": [1, 2.5, None, "☃"], "b": {}}, None),
        ("values", {"big": 2**80, "list": (2**70, 1)}, {"big": 2**80, "list": [2**70, 1]}),
        ("values", {"nul": "a\0b"}, {"nul": "a\N{REPLACEMENT CHARACTER}b"}),
        ("values", {"no nul": "\\u0000"}, None),
        (
            "values",
            {"nul behind a backslash": "\\\0"},
            {"nul behind a backslash": "\\\N{REPLACEMENT CHARACTER}"},
        ),
        ("values", [], None),
    ],
)
async def test_a_value_comes_back(database: str, column: str, value: Any, comes_back: Any) -> None:
    row = await kept(database, [table.put(KEY, **{column: value})])
    assert row[column] == (value if comes_back is None else comes_back)


async def test_nothing_in_some_rows_of_a_statement_is_null(database: str) -> None:
    nothing = dict.fromkeys([name for name in table.columns if name != "id"])
    changes = [table.put(uuid4(), **nothing), table.put(KEY, **nothing)]
    assert await kept(database, changes) == {"id": KEY, **nothing}


async def test_a_row_may_have_no_more_than_its_key(database: str) -> None:
    changes = [
        table.put(KEY),
        table.put(uuid4()),
        table.drop(uuid4()),
        table.patch(uuid4(), yes=True),
    ]
    assert (await kept(database, changes))["id"] == KEY

"""Packed arrays arrive in PostgreSQL as the arrays that they are."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from adapters.postgres import arrays
from adapters.postgres.arrays import Byteas, Int4s, Int8s, Packed, Texts, Uuids
from tests.support.servers import PostgresServer

STREAM = uuid4()


def as_bytes(value: Any) -> Any:
    """A value as the packer takes it: ids and texts are bytes already."""
    match value:
        case UUID():
            return value.bytes
        case str():
            return value.encode()
    return value


@pytest.fixture(scope="module")
def connection(postgres_server: PostgresServer) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(postgres_server.dsn, autocommit=True) as connection:
        arrays.register(connection)
        yield connection


@pytest.mark.parametrize(
    ("kind", "type_name", "values"),
    [
        (Int4s, "integer[]", [0, 1, -1, 2**31 - 1, -(2**31)]),
        (Int8s, "bigint[]", [0, 1, -1, 2**63 - 1, -(2**63)]),
        (Uuids, "uuid[]", [STREAM, UUID(int=0), UUID(int=2**128 - 1)]),
        (Uuids, "uuid[]", [None, STREAM, None]),
        (Byteas, "bytea[]", [b"", b"\x00", bytes(range(256)), b"x" * 70_000]),
        (Texts, "text[]", ["", "ä", "{},\"'\\", "NULL", "\U0001f6a2"]),
    ],
)
def test_an_array_is_read_back_as_it_was_packed(
    connection: psycopg.Connection[Any], kind: Any, type_name: str, values: list[Any]
) -> None:
    packed = kind.pack([as_bytes(value) for value in values])
    row = connection.execute("select %b, pg_typeof(%b)::text", [packed, packed]).fetchone()
    assert row == (values, type_name)


@pytest.mark.parametrize("kind", [Int4s, Int8s, Uuids, Byteas, Texts])
def test_an_empty_array_has_no_dimensions(
    connection: psycopg.Connection[Any], kind: type[Packed]
) -> None:
    empty = kind.of(0, [])
    row = connection.execute("select cardinality(%b), array_ndims(%b)", [empty, empty]).fetchone()
    assert row == (0, None)

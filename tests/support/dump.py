"""The whole database as bytes, searched for what must not be in it in any common spelling."""

import zlib
from base64 import b64encode
from collections.abc import Iterable, Iterator
from json import dumps
from urllib.parse import quote

import psycopg

TABLES = """
    select c.oid::regclass::text from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'p', 'm') and not c.relispartition
      and n.nspname not in ('pg_catalog', 'information_schema')
    order by 1
"""


def places_of(texts: Iterable[str], dsn: str) -> list[str]:
    """Where in a database one of the texts is found, in the clear or thinly covered."""
    wanted = {spelling: text for text in texts for spelling in spellings(text)}
    return [
        f"{wanted[spelling]!r} in {place}"
        for place, content in contents(dsn)
        for spelling in wanted
        if spelling in content
    ]


def spellings(text: str) -> set[bytes]:
    """As it is, as hex, in JSON, in an address, and in base64 at each of the three offsets."""
    raw = text.encode()
    hidden = {raw, raw.hex().encode(), dumps(text)[1:-1].encode(), quote(text).encode()}
    for offset in range(3):
        encoded = b64encode(bytes(offset) + raw)
        hidden.add(encoded[4 if offset else 0 : len(encoded) // 4 * 4 - 4])
        hidden.add(encoded[4 if offset else 0 : -4].replace(b"+", b"-").replace(b"/", b"_"))
    return {spelling for spelling in hidden if len(spelling) >= 8}


def contents(dsn: str) -> Iterator[tuple[str, bytes]]:
    """Every table as COPY writes it in binary, and every document that inflates."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        for (table,) in connection.execute(TABLES).fetchall():
            with connection.cursor().copy(
                f"copy (select * from {table}) to stdout (format binary)".encode()
            ) as copy:
                yield table, b"".join(copy)
        for (body,) in connection.execute("select body from log.documents").fetchall():
            try:
                yield "log.documents, inflated", zlib.decompress(body)
            except zlib.error:
                continue

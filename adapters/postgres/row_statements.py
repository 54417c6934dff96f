"""Many rows are written or read with one statement: a plain typed array for each column."""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

import orjson

from projections.projection import Key, Row, Table, Verb

Statement = tuple[bytes, list[list[Any]]]
BIG_NUMBERS = 2**63
NUL_IN_JSON = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")
NO_NUL = "\N{REPLACEMENT CHARACTER}"


def writing(
    schema: str,
    table: Table,
    verb: Verb,
    names: tuple[str, ...],
    changed: Sequence[tuple[Key, Row]],
) -> Statement:
    """The statement that does the same to all these rows, which set the columns `names`."""
    arrays = _keys(table, [key for key, _ in changed])
    arrays += [_array(table, name, [columns[name] for _, columns in changed]) for name in names]
    return _write(schema, table, verb, names), arrays


def selecting(schema: str, table: Table, keys: Iterable[Key]) -> Statement:
    """The statement that reads the rows of these keys."""
    return _select(schema, table), _keys(table, keys)


@lru_cache(maxsize=4096)
def _write(schema: str, table: Table, verb: Verb, names: tuple[str, ...]) -> bytes:
    given = (*table.key, *names)
    target, source = f'"{schema}"."{table.name}" as t', _arrays(table, given)
    match verb:
        case "put":
            values = ", ".join(_value(table, name) for name in given)
            sets = ", ".join(f'"{name}" = excluded."{name}"' for name in names)
            conflict = f"update set {sets}" if names else "nothing"
            text = (
                f"insert into {target} ({_list(given)}) select {values} from {source}"
                f" on conflict ({_list(table.key)}) do {conflict}"
            )
        case "patch":
            sets = ", ".join(f'"{name}" = {_value(table, name)}' for name in names)
            text = f"update {target} set {sets} from {source} where {_same(table)}"
        case "drop":
            text = f"delete from {target} using {source} where {_same(table)}"
    return text.encode()


@lru_cache(maxsize=256)
def _select(schema: str, table: Table) -> bytes:
    source = _arrays(table, table.key)
    return (
        f'select t.* from "{schema}"."{table.name}" as t join {source} on {_same(table)}'.encode()
    )


def _arrays(table: Table, names: Sequence[str]) -> str:
    # The driver knows no array of JSON: its texts become JSON where they are selected.
    types = ["text" if table.columns[name] == "jsonb" else table.columns[name] for name in names]
    return f"unnest({', '.join(f'%b::{kind}[]' for kind in types)}) as x({_list(names)})"


def _value(table: Table, name: str) -> str:
    return f'x."{name}"::jsonb' if table.columns[name] == "jsonb" else f'x."{name}"'


def _same(table: Table) -> str:
    return " and ".join(f't."{name}" = x."{name}"' for name in table.key)


def _list(names: Iterable[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


def _keys(table: Table, keys: Iterable[Key]) -> list[list[Any]]:
    columns = zip(*keys, strict=True)
    return [_array(table, name, list(of)) for name, of in zip(table.key, columns, strict=True)]


def _array(table: Table, name: str, values: list[Any]) -> list[Any]:
    """The values of a column as the driver takes them for an array."""
    match table.columns[name]:
        case "jsonb":
            return [None if value is None else _json(value) for value in values]
        case "text":
            return [None if value is None else _text(value) for value in values]
    return values


def _text(value: Any) -> str:
    # A word of an enumeration is its text; PostgreSQL's texts hold no NUL.
    return str(value).replace("\0", NO_NUL)


def _json(value: Any) -> str:
    try:
        text = orjson.dumps(value).decode()
    except TypeError:
        # orjson refuses integers of more than 64 bits, which JSON and PostgreSQL know.
        text = _big_json(value)
    return NUL_IN_JSON.sub(rf"\1{NO_NUL}", text) if "\\u0000" in text else text


def _big_json(value: Any) -> str:
    match value:
        case dict():
            members = (f"{_json(str(name))}:{_json(item)}" for name, item in value.items())
            return f"{{{','.join(members)}}}"
        case list() | tuple():
            return f"[{','.join(map(_json, value))}]"
        case int() if abs(value) >= BIG_NUMBERS:
            return str(int(value))
    raise TypeError(f"{type(value).__name__} is no JSON")

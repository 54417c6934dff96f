"""A body is strict JSON of bounded size, depth and time, or the sentence about what is wrong."""

import json
import re
from typing import Any

import orjson
from starlette.requests import Request

from adapters.http.edge import Site
from adapters.http.problems import BadRequest, BodyTooLarge, WrongMediaType
from adapters.http.whole_numbers import whole_number
from domain.model import Fault

MAX_DEPTH = 50
MAX_VALUES = 10_000
"""Commas and opening brackets, in all: each value costs time wherever it is looked at, and reading
a mebibyte of brackets alone takes a fifth of a second. The largest schema that people write has a
tenth of it."""
KEY = re.compile(rb'"\s*:')


async def read(request: Request, site: Site) -> bytes:
    """All bytes of the body. Raises BodyTooLarge, or WrongMediaType for one that is encoded.

    What is too slow ends at the time limit.
    """
    state = request.scope["state"]
    _must_be_plain(state["headers"].get(b"content-encoding", b"identity"))
    declared = state["headers"].get(b"content-length", b"0")
    if whole_number(declared.decode("latin-1"), site.max_body_bytes) is None:
        raise _too_large(site)
    state["waits_for_body"] = True
    body = await _received(request, site)
    state["waits_for_body"] = False
    return body


def _must_be_plain(encoding: bytes) -> None:
    """What is small and encoded may be large when it is decoded."""
    if encoding.lower() not in (b"identity", b""):
        raise WrongMediaType(
            f"Send the body as it is, not encoded as {encoding.decode('latin-1')[:50]}.",
            headers={"Accept-Encoding": "identity"},
        )


async def _received(request: Request, site: Site) -> bytes:
    parts: list[bytes] = []
    size = 0
    while True:
        message = await request.receive()
        part = message.get("body", b"")
        size += len(part)
        if size > site.max_body_bytes:
            raise _too_large(site)
        parts.append(part)
        if not message.get("more_body"):
            return parts[0] if len(parts) == 1 else b"".join(parts)


def _too_large(site: Site) -> BodyTooLarge:
    return BodyTooLarge(
        f"The body is larger than {site.max_body_bytes} bytes.", headers={"Connection": "close"}
    )


def must_be_json(content_type: bytes) -> None:
    """Raise WrongMediaType unless the body is said to be JSON in UTF-8."""
    if content_type == b"application/json":
        return
    kind, _, parameters = content_type.decode("latin-1").partition(";")
    if kind.strip().lower() != "application/json":
        said = f"not as {kind.strip()}" if kind.strip() else "and said to be so"
        raise WrongMediaType(
            f"Send the body as application/json, {said}.", headers={"Accept": "application/json"}
        )
    charset = parameters.partition("charset=")[2].split(";")[0].strip().strip('"').lower()
    if charset not in ("", "utf-8", "utf8"):
        raise WrongMediaType(f"JSON is UTF-8, not {charset}.")


def parse(body: bytes) -> dict[str, Any]:
    """The object of a body. Raises BadRequest, which says what and where, or BodyTooLarge."""
    _must_be_few(body)
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise BadRequest(_sentence(error)) from None
    if not isinstance(value, dict):
        raise BadRequest("The body must be a JSON object.", faults=[_fault("", "not an object")])
    keys = _measured(value, "", 1)
    if b"\\u0000" in body:
        _refuse_nul(value, "")
    if keys != len(KEY.findall(body)):
        _refuse_twins(body)
    return value


def _sentence(error: orjson.JSONDecodeError) -> str:
    text = str(error.msg).removesuffix(".")
    return f"The body is not JSON at line {error.lineno}, column {error.colno}: {text}."


def _fault(pointer: str, detail: str) -> Fault:
    return Fault(pointer=pointer, detail=detail)


def _must_be_few(body: bytes) -> None:
    """Raise BodyTooLarge for too many values, counted before anything is made of them."""
    if _values_in(body) <= MAX_VALUES:
        return
    # Texts hold commas too. Nothing in them ends them once escaped quotes are gone.
    plain = body.replace(b"\\\\", b"").replace(b'\\"', b"")
    if _values_in(b"".join(plain.split(b'"')[::2])) > MAX_VALUES:
        raise BodyTooLarge(f"The body holds more than {MAX_VALUES:,} values.")


def _values_in(text: bytes) -> int:
    return text.count(b",") + text.count(b"[") + text.count(b"{")


def _measured(value: Any, pointer: str, depth: int) -> int:
    """How many keys there are; refuses what is nested too deeply."""
    if depth > MAX_DEPTH:
        detail = f"It is nested deeper than {MAX_DEPTH} levels."
        raise BadRequest(
            f"The body is nested deeper than {MAX_DEPTH} levels.", faults=[_fault(pointer, detail)]
        )
    keys = 0
    if isinstance(value, dict):
        keys = len(value)
        for key, item in value.items():
            if isinstance(item, dict | list):
                keys += _measured(item, f"{pointer}/{escaped(key)}", depth + 1)
    else:
        for n, item in enumerate(value):
            if isinstance(item, dict | list):
                keys += _measured(item, f"{pointer}/{n}", depth + 1)
    return keys


def _refuse_nul(value: Any, pointer: str) -> None:
    match value:
        case str() if "\0" in value:
            detail = "The character U+0000 is not allowed in a text."
            raise BadRequest(f"{pointer}: {detail}", faults=[_fault(pointer, detail)])
        case dict():
            for key, item in value.items():
                _refuse_nul(key, f"{pointer}/{escaped(key)}")
                _refuse_nul(item, f"{pointer}/{escaped(key)}")
        case list():
            for n, item in enumerate(value):
                _refuse_nul(item, f"{pointer}/{n}")


class _Twins(dict[str, Any]):
    """An object in which a key is there twice."""

    key: str


def _paired(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    twins = _Twins(found)
    seen: set[str] = set()
    twins.key = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
    return twins


def _refuse_twins(body: bytes) -> None:
    """Colons may stand in texts too, so look closely before a key is called a twin."""
    _point_at_twins(json.loads(body, object_pairs_hook=_paired, parse_int=str), "")


def _point_at_twins(value: Any, pointer: str) -> None:
    if isinstance(value, _Twins):
        where = f"{pointer}/{escaped(value.key)}"
        detail = f"The key {value.key!r} is there twice."
        raise BadRequest(f"{where}: {detail}", faults=[_fault(where, detail)])
    if isinstance(value, dict):
        for key, item in value.items():
            _point_at_twins(item, f"{pointer}/{escaped(key)}")
    elif isinstance(value, list):
        for n, item in enumerate(value):
            _point_at_twins(item, f"{pointer}/{n}")


def escaped(key: str) -> str:
    """A key as a JSON pointer writes it (RFC 6901)."""
    return key.replace("~", "~0").replace("/", "~1")

"""Values that Python, PostgreSQL, a parser or a browser chokes on; and what no answer may hold."""

import json
import re
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from html.parser import HTMLParser
from urllib.parse import quote, urlsplit

from tests.adapters.http.raw_client import Answer

NO_ID = "00000000-0000-0000-0000-000000000000"
MAX_REFUSAL_BYTES = 64 * 1024

NUMBERS = (
    "9" * 5000,
    "-1",
    "NaN",
    "Infinity",
    "1e999",
    "٣",
    "9",
    "²",
    str(2**31),
    str(2**63 - 1),
    str(2**63),
    str(2**64),
    "1_0",
    "0x10",
    "+1",
    "1.5",
    "00",
    "abc",
)
INSTANTS = (
    "9999-12-31T23:59:59-14:00",
    "0001-01-01T00:00:00+14:00",
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59Z",
    "0002-01-01T00:00:00Z",
    "0000-01-01T00:00:00Z",
    "10000-01-01T00:00:00Z",
    "-0001-01-01T00:00:00Z",
    "2026-12-31T23:59:60Z",
    "2026-01-01T24:00:00Z",
    "2026-02-30T00:00:00Z",
    "2026-01-01T00:00:00+99:99",
    "2026-01-01T00:00:00.1234567890123Z",
    "2026-W01-1T00:00:00Z",
    "٢٠٢٦-01-01T00:00:00Z",
    "infinity",
    "9999-12-31",
    "0001-01-01",
)
ELSEWHERE = (
    "//evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "///evil.example",
    "/\t/evil.example",
    "/\r\n/evil.example",
    " //evil.example",
    "http://evil.example",
    "https:evil.example",
    "javascript:alert(1)",
    "data:text/html,x",
    "@evil.example",
    "/..//evil.example",
    "/%5Cevil.example",
    "//[",
    "http://[",
    "//℀",
    "http://[::1",
    "//evil.example:99999999/",
    "/\u2028/evil.example",
)
TEXTS = (
    "",
    "a\0b",
    "\0",
    "\ud800",
    "a" * 5000,
    "\u202e\u2066",
    "😀" * 300,
    "'\"\\;--",
    "%s%(x)s",
    "{{ . }}{% x %}",
    "<script>alert(1)</script>",
    "../../etc/passwd",
    "[" * 5000,
    "a&b=c#d?e",
)
RAW = (b"%C0%AF", b"%FF%FE", b"%ED%A0%80", b"%", b"%zz", b"%00%00", b"a%0Ab", b"a;b")
"""What is percent-encoded and no UTF-8, or looks percent-encoded."""


def cursors() -> Iterator[str]:
    """Cursors of other lists and of none: base64 of JSON of every shape."""
    odd = (None, True, 1.5, -1, 2**70, {"a": 1}, [], [[]], "", "a", "a\0b", "infinity", NO_ID)
    odd += ("\ud800", "0001-01-01T00:00:00+14:00", "2026-W01-1T00:00:00Z", "2026-01-01", "9" * 600)
    shapes = [*odd, ["<"], ["?", 1], ["<", *[1] * 50]]
    shapes += [["<", value] for value in odd]
    shapes += [["<", value, NO_ID] for value in odd] + [[">", value, "a", NO_ID] for value in odd]
    shapes += [["<", "2026-01-01T00:00:00Z", value] for value in odd[::3]]
    for shape in shapes:
        yield _base64(json.dumps(shape))
    yield from map(_base64, ("[" * 700, '{"a":' * 100, "NaN", '["<",NaN]', '["<",1e999]'))
    yield _base64('["<",' + "9" * 700 + "]")
    yield from ("é", "=", "a", "====")


def _base64(text: str) -> str:
    return urlsafe_b64encode(text.encode("utf-8", "surrogatepass")).decode().rstrip("=")


def spellings(id_: str) -> Iterator[str]:
    """Other spellings of an id, all of which Python reads."""
    yield from (id_.upper(), f"{{{id_}}}", f"urn:uuid:{id_}", id_.replace("-", ""), f" {id_} ")


def encoded(text: str) -> bytes:
    """A text as a query or a form holds it."""
    return quote(text, safe="", errors="surrogatepass").encode()


def values() -> list[bytes]:
    """Every value, percent-encoded."""
    return [*map(encoded, (*NUMBERS, *INSTANTS, *ELSEWHERE, *TEXTS)), *RAW]


JSON_VALUES = (
    b"null",
    b"true",
    b"[]",
    b"{}",
    b"[{}]",
    b'[{"name":1}]',
    b"[[[[]]]]",
    b"-1",
    b"1.5",
    b"9223372036854775807",
    b"9223372036854775808",
    b"18446744073709551615",
    b"18446744073709551616",
    b"9" * 5000,
    b"1e308",
    b"-0.0",
    b'"\\u202e"',
    b'"\\ud83d\\ude00"',
    b'"' + b"a" * 70_000 + b'"',
    b'{"":""}',
    b'{"' + b"k" * 70_000 + b'":1}',
    b"{" + b",".join(b'"f%d":1' % n for n in range(500)) + b"}",
    b'{"region":1e999}',
    b'"\\ud800"',
    b'"a\\u0000b"',
    b"[" * 3000 + b"]" * 3000,
    *(json.dumps(text).encode() for text in (*INSTANTS, *ELSEWHERE[:4], *NUMBERS[5:12], NO_ID)),
)
"""What may stand where a JSON value is meant."""

LINKS = {"href", "src", "action", "formaction", "poster", "data", "cite", "ping"}
WAYS = re.compile(r"(data-)?hx-(get|post|put|patch|delete|push-url|replace-url|sse:connect|action)")
PATH = re.compile(r"/(?![/\\])[^\\\x00-\x20]*|#[^\\]*|\?[^\\]*|true|")


class _Addresses(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in LINKS or WAYS.fullmatch(name):
                self.found.append(value or "")


def addresses(answer: Answer) -> list[str]:
    """Where an answer leads to."""
    found = [
        answer.headers[name]
        for name in ("location", "hx-redirect", "hx-location")
        if name in answer.headers
    ]
    found += re.findall(r"<([^>]*)>", answer.headers.get("link", ""))
    if "html" in answer.headers.get("content-type", ""):
        reader = _Addresses()
        reader.feed(answer.text)
        found += reader.found
    return found


def leads_elsewhere(answer: Answer) -> list[str]:
    """The addresses in an answer that a browser could read as another site's."""
    return [
        address
        for address in addresses(answer)
        if not PATH.fullmatch(address) or urlsplit(address).netloc
    ]


def wrong(answer: Answer) -> str:
    """What is wrong with the answer to a hostile request, if anything is."""
    if answer.status >= 500:
        return f"{answer.status}: {answer.text[:300]}"
    if answer.status >= 400 and len(answer.body) > MAX_REFUSAL_BYTES:
        return f"{answer.status} with {len(answer.body)} bytes"
    if elsewhere := leads_elsewhere(answer):
        return f"leads to {elsewhere[:3]}"
    return ""

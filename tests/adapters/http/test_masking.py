"""Rendered texts hide every secret, whichever way a template has written it."""

import base64
import json

import pytest

from adapters.http.rendered import masked
from domain.secrets import MASK

SECRET = 'pass"word\\with ünïcode'
KEY = "-----BEGIN KEY-----\nAAAABBBBCCCCDDDD\nEEEEFFFFGGGGHHHH\n-----END KEY-----\n"


@pytest.mark.parametrize(
    "text",
    [
        f"password: {SECRET}",
        f"password: {json.dumps(SECRET)}",
        f"password: {json.dumps(SECRET, ensure_ascii=False)}",
        f"password: {base64.b64encode(SECRET.encode()).decode()}",
        f"url: https://user:{SECRET}@host/",
    ],
)
def test_a_secret_is_masked_however_it_is_written(text: str) -> None:
    shown = masked(text, [SECRET])
    assert MASK in shown
    assert "with" not in shown
    assert base64.b64encode(SECRET.encode()).decode() not in shown


def test_a_secret_of_many_lines_is_masked_though_it_is_indented() -> None:
    text = "key: |\n" + "".join(f"    {line}\n" for line in KEY.splitlines())
    shown = masked(text, [KEY])
    assert "AAAABBBB" not in shown
    assert "EEEEFFFF" not in shown


def test_a_short_secret_is_masked_only_where_it_stands_alone() -> None:
    assert masked("pin: 1234\nport: 51234", ["1234"]) == f"pin: {MASK}\nport: 51234"


def test_an_empty_secret_masks_nothing() -> None:
    assert masked("a: b", ["", " "]) == "a: b"

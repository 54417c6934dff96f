"""What a schema of input parameters may say."""

import math
import time
from typing import Any

import pytest

from domain.input_parameters import Header, Parameter, Values, parse_parameters, validate_values
from tests.domain.parameters import faults_of_schema, field


def test_a_schema_is_fields_and_headers_in_their_order() -> None:
    header, podded = parse_parameters(
        [
            {"header": "Network"},
            field("podSubnet", default="10.244.0.0/16", minLength=9, maxLength=18, span=2),
        ]
    )
    assert header == Header(header="Network")
    assert isinstance(podded, Parameter)
    assert (podded.key, podded.default, podded.min_length, podded.span) == (
        "podSubnet",
        "10.244.0.0/16",
        9,
        2,
    )


def test_an_empty_schema_asks_for_nothing() -> None:
    assert validate_values(parse_parameters([]), {}) == Values()


@pytest.mark.parametrize(
    ("raw", "pointer", "says"),
    [
        ("text", "/params/0", "must be an object"),
        ({}, "/params/0/key", "is required"),
        ({"key": "a", "title": "A"}, "/params/0/type", "is required"),
        (field("a-b"), "/params/0/key", "must begin with a letter"),
        (field("1a"), "/params/0/key", "must begin with a letter"),
        (field("a" * 101), "/params/0/key", "100 at most"),
        (field("dc_domain"), "/params/0/key", "may not begin with dc_"),
        (field(type="text"), "/params/0/type", "must be one of: string, number, boolean"),
        (field(format="ip"), "/params/0/format", "must be one of: password, date-time"),
        (field(minlength=1), "/params/0/minlength", "did you mean minLength?"),
        (field(min_length=1), "/params/0/min_length", "did you mean minLength?"),
        (field(catalog="c"), "/params/0/catalog", "catalog is not supported"),
        (field(colour="red"), "/params/0/colour", "there is no such property"),
        ({**field(), "a/b~c": 1}, "/params/0/a~1b~0c", "there is no such property"),
        (field(span=5), "/params/0/span", "must be at most 4"),
        (field(span=0), "/params/0/span", "must be at least 1"),
        (field(span="2"), "/params/0/span", "must be a whole number"),
        (field(optional="yes"), "/params/0/optional", "must be true or false"),
        (field(title=""), "/params/0/title", "must have at least 1 character"),
        (field(title="a\0"), "/params/0/title", "must not hold control characters"),
        (field(enum=[]), "/params/0/enum", "must have at least 1 entry"),
        (field(enum="ab"), "/params/0/enum", "must be a list"),
        (field(enum=["a", "b", "a"]), "/params/0/enum/2", "is there twice"),
        (field(enum=["a", 1]), "/params/0/enum/1", "must be a text"),
        (field(enum=[["a"]]), "/params/0/enum/0", "must be a text, a number, true or false"),
        (field(enum=["a", "bb"], maxLength=1), "/params/0/enum/1", "at most 1 characters"),
        (field(default=1), "/params/0/default", "must be a text"),
        (field(default=[]), "/params/0/default", "must be a text, a number, true or false"),
        (field(default="c", enum=["a", "b"]), "/params/0/default", "must be one of: a, b"),
        (field(default="B", pattern="^[a-z]+$"), "/params/0/default", "must match the pattern"),
        (field(default="x", format="ipv4"), "/params/0/default", "must be an IPv4 address"),
        (field(type="number", default=True), "/params/0/default", "must be a number"),
        (field(type="number", default=1, min=2), "/params/0/default", "must be at least 2"),
        (field(type="number", default=2**53 + 1), "/params/0/default", "whole number of at most"),
        (field(type="number", default=math.inf), "/params/0/default", "finite"),
        (field(type="boolean", default=1), "/params/0/default", "must be true or false"),
        (field(min=1), "/params/0/min", "only for parameters of type number"),
        (field(type="number", minLength=1), "/params/0/minLength", "only for parameters of type s"),
        (field(type="number", pattern="1"), "/params/0/pattern", "only for parameters of type s"),
        (field(type="boolean", format="url"), "/params/0/format", "only for parameters of type s"),
        (field(type="number", min=2, max=1), "/params/0/max", "must be at least min, which is 2"),
        (field(type="number", min=True), "/params/0/min", "must be a number"),
        (field(type="number", max=math.nan), "/params/0/max", "finite"),
        (field(minLength=3, maxLength=2), "/params/0/maxLength", "at least minLength, which is 3"),
        (field(minLength=-1), "/params/0/minLength", "must be at least 0"),
        (field(minLength=True), "/params/0/minLength", "must be a whole number"),
        (field(pattern="("), "/params/0/pattern", "unterminated subpattern at character 1"),
        (field(pattern=r"(a)\1"), "/params/0/pattern", "references to groups are not supported"),
        (field(pattern=1), "/params/0/pattern", "must be a text"),
        (field(format="password", default="x"), "/params/0/default", "a password cannot have"),
        (field(format="password", enum=["x"]), "/params/0/enum", "a password cannot be chosen"),
        (field(format="password", unique=True), "/params/0/unique", "a password cannot be unique"),
        ({"header": ""}, "/params/0/header", "must have at least 1 character"),
        ({"header": "a", "key": "b"}, "/params/0/key", "there is no such property"),
    ],
)
def test_a_fault_in_a_schema_is_named_with_its_pointer(raw: Any, pointer: str, says: str) -> None:
    faults = faults_of_schema(raw)
    assert says in faults[pointer], faults


def test_every_fault_of_a_schema_is_told_at_once() -> None:
    faults = faults_of_schema(
        {"header": "Fine"},
        field("a", pattern="(", colour=1),
        field("b", span=9, default=2),
        field("c", type="number", min=3, max=2, default="x"),
        7,
    )
    assert list(faults) == [
        "/params/1/colour",
        "/params/2/span",
        "/params/3/max",
        "/params/3/default",
        "/params/4",
    ]


def test_a_key_is_there_once() -> None:
    assert faults_of_schema(field("a"), {"header": "h"}, field("b"), field("a")) == {
        "/params/3/key": "/params/0 has the same key"
    }


def test_a_schema_has_two_hundred_entries_at_most() -> None:
    assert len(parse_parameters([field(f"k{n}") for n in range(200)])) == 200
    assert faults_of_schema(*(field(f"k{n}") for n in range(201))) == {
        "/params": "has more than 200 entries"
    }


def test_a_schema_full_of_slow_patterns_is_judged_soon() -> None:
    slow = field(pattern="(a?){300}(a*)*(a*)*b", enum=["a" * 3_000 + str(n) for n in range(20)])
    started = time.process_time()
    faults = faults_of_schema(*({**slow, "key": f"k{n}"} for n in range(100)))
    assert time.process_time() - started < 20
    assert "is too long to be matched with the pattern" in faults.values()

"""Input parameters: what a schema may say, and which values fit it."""

import math
import time
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.input_parameters import (
    Header,
    Parameter,
    Values,
    absent_values,
    parse_parameters,
    validate_values,
)
from domain.model import Invalid
from domain.secrets import MASK, Secret


def field(key: str = "name", type: str = "string", **rest: Any) -> dict[str, Any]:
    return {"key": key, "title": key.capitalize(), "type": type, **rest}


def faults_of_schema(*raw: Any) -> dict[str, str]:
    with pytest.raises(Invalid) as caught:
        parse_parameters(list(raw))
    return {fault.pointer: fault.detail for fault in caught.value.faults}


def filled(schema: list[dict[str, Any]], values: Mapping[str, Any], **before: Any) -> Values:
    return validate_values(parse_parameters(schema), values, **before)


def faults_of(
    schema: list[dict[str, Any]], values: Mapping[str, Any], **before: Any
) -> dict[str, str]:
    with pytest.raises(Invalid) as caught:
        filled(schema, values, **before)
    return {fault.pointer: fault.detail for fault in caught.value.faults}


# The schema.


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


# The values.

REPLICAS = field("replicas", "number", min=1, max=5, default=3)
ZONE = field("zone", enum=["a", "b"])
HA = field("ha", "boolean", optional=True)
PROXY = field("proxy", optional=True, minLength=3, default="http://proxy")
PASSWORD = field("password", format="password", minLength=8)
TOKEN = field("token", format="password", optional=True)
SUBNET = field("subnet", immutable=True)
KEY = field("key", format="password", immutable=True)


def test_a_left_out_required_value_takes_its_default() -> None:
    assert filled([REPLICAS], {}).plain == {"replicas": 3}
    assert filled([REPLICAS], {"replicas": None}).plain == {"replicas": 3}


def test_a_left_out_optional_value_is_not_passed_on() -> None:
    assert filled([HA, PROXY], {"ha": None}).plain == {}


def test_an_optional_value_without_one_is_known_to_be_absent() -> None:
    schema = parse_parameters([{"header": "h"}, REPLICAS, HA, PROXY])
    values = validate_values(schema, {"proxy": "http://p"})
    assert absent_values(schema, values.plain) == {"ha": None}


def test_an_optional_text_may_be_empty_whatever_its_rules() -> None:
    schema = [field(optional=True, minLength=3, pattern="^a", enum=["abc", "acd"])]
    assert filled(schema, {"name": ""}).plain == {"name": ""}
    assert faults_of(schema, {"name": "b"})
    assert faults_of([field(minLength=3)], {"name": ""})


def test_false_zero_and_the_empty_text_are_values() -> None:
    schema = [field("a", "boolean", default=True), field("b", "number", default=1), field("c")]
    values = {"a": False, "b": 0, "c": ""}
    assert filled(schema, values).plain == values


def test_numbers_keep_their_kind() -> None:
    schema = [field("a", "number"), field("b", "number")]
    assert repr(filled(schema, {"a": 3, "b": 3.0}).plain) == "{'a': 3, 'b': 3.0}"


@pytest.mark.parametrize(
    ("schema", "value", "says"),
    [
        (field(), None, "is required"),
        (field(), 1, "must be a text"),
        (field(), ["a"], "must be a text"),
        (field(), {"a": 1}, "must be a text"),
        (field(), "a\0b", "must not hold control characters"),
        (field(), "\ud800", "must not hold control characters"),
        (field(), "a" * 65_537, "must have at most 65,536 characters"),
        (field(minLength=2), "a", "must have at least 2 characters"),
        (field(maxLength=2), "abc", "must have at most 2 characters"),
        (field(pattern="^[a-z]+$"), "aB", "must match the pattern ^[a-z]+$"),
        (field(pattern="^[a-z]+$"), "a\n", "must match the pattern ^[a-z]+$"),
        (field(pattern="^(a+)+$"), "a" * 30_000 + "b", "must match the pattern"),
        (field(pattern="(?=(a*)*b)"), "a" * 60_000, "is too long to be matched"),
        (field(enum=["a", "b"]), "c", "must be one of: a, b"),
        (field(type="number"), "1", "must be a number"),
        (field(type="number"), True, "must be a number"),
        (field(type="number"), math.nan, "must be a finite number"),
        (field(type="number"), -math.inf, "must be a finite number"),
        (field(type="number"), 2**53 + 1, "must be a whole number of at most 9007199254740992"),
        (field(type="number"), -(2**53) - 1, "must be a whole number of at most"),
        (field(type="number", min=1), 0.5, "must be at least 1"),
        (field(type="number", max=1.5), 2, "must be at most 1.5"),
        (field(type="number", enum=[1, 2]), 3, "must be one of: 1, 2"),
        (field(type="boolean"), "true", "must be true or false"),
        (field(type="boolean"), 1, "must be true or false"),
        (field(type="boolean", enum=[True]), False, "must be one of: true"),
        (field(format="date-time"), "2026-01-31", "must be a time such as"),
        (field(format="date-time"), "2026-02-30T00:00:00Z", "must be a time such as"),
        (field(format="url"), "example.com", "must be an address such as"),
        (field(format="url"), "http://", "must be an address such as"),
        (field(format="url"), "http://a b", "must be an address such as"),
        (field(format="url"), "http://a:99999", "must be an address such as"),
        (field(format="url"), "http://[::1", "must be an address such as"),
        (field(format="email"), "name@host", "must be a mail address such as"),
        (field(format="email"), "a b@c.d", "must be a mail address such as"),
        (field(format="email"), "@" * 60_000, "must be a mail address such as"),
        (field(format="uuid"), "123e4567", "must be a UUID such as"),
        (field(format="ipv4"), "10.0.0", "must be an IPv4 address such as"),
        (field(format="ipv4"), "10.0.0.01", "must be an IPv4 address such as"),
        (field(format="ipv4"), "::1", "must be an IPv4 address such as"),
    ],
)
def test_a_value_that_breaks_a_rule_is_refused(
    schema: dict[str, Any], value: Any, says: str
) -> None:
    faults = faults_of([schema], {"name": value})
    assert list(faults) == ["/values/name"]
    assert says in faults["/values/name"]


@pytest.mark.parametrize(
    ("format_name", "value"),
    [
        ("date-time", "2026-01-31T09:30:00Z"),
        ("date-time", "2026-01-31t09:30:00.123456789+03:00"),
        ("url", "https://user@example.com:8443/path?q=1#x"),
        ("url", "http://[::1]:80/"),
        ("url", "ssh://git@host/repository"),
        ("email", "first.last+tag@sub.example.com"),
        ("uuid", "123E4567-e89b-12d3-a456-426614174000"),
        ("ipv4", "192.0.2.1"),
        ("ipv4", "0.0.0.0"),
    ],
)
def test_a_value_of_a_format_is_taken(format_name: str, value: str) -> None:
    assert filled([field(format=format_name)], {"name": value}).plain == {"name": value}


def test_the_largest_exact_integer_is_taken() -> None:
    assert filled([field("n", "number")], {"n": 2**53}).plain == {"n": 2**53}


def test_every_fault_of_the_values_is_told_at_once() -> None:
    assert faults_of([REPLICAS, ZONE, PASSWORD], {"replicas": 9, "zoen": "a", "password": "x"}) == {
        "/values/zoen": "the template has no such parameter: did you mean zone?",
        "/values/replicas": "must be at most 5",
        "/values/zone": "is required",
        "/values/password": "must have at least 8 characters",
    }


def test_two_faults_of_one_value_are_told_both() -> None:
    schema = parse_parameters([field(minLength=3, pattern="^[a-z]+$")])
    with pytest.raises(Invalid) as caught:
        validate_values(schema, {"name": "A"})
    assert [fault.detail for fault in caught.value.faults] == [
        "must have at least 3 characters",
        "must match the pattern ^[a-z]+$",
    ]


def test_an_unknown_key_is_pointed_to_as_json_pointers_are_written() -> None:
    assert "/values/a~1b~0" in faults_of([ZONE], {"zone": "a", "a/b~": 1})


def test_a_value_that_is_ours_to_give_is_refused() -> None:
    assert faults_of([ZONE], {"zone": "a", "dc_domain": "x"}) == {
        "/values/dc_domain": "Quarterdeck gives this value itself"
    }


def test_very_many_unknown_keys_are_told_in_short_and_soon() -> None:
    started = time.process_time()
    faults = faults_of([ZONE], {f"{n}zone" * 50: 1 for n in range(50_000)})
    assert len(faults) < 30
    assert time.process_time() - started < 5


def test_an_immutable_value_may_be_set_once() -> None:
    assert filled([SUBNET], {"subnet": "a"}, previous={}).plain == {"subnet": "a"}
    assert filled([SUBNET], {"subnet": "a"}, previous={"subnet": "a"}).plain == {"subnet": "a"}
    assert faults_of([SUBNET], {"subnet": "b"}, previous={"subnet": "a"}) == {
        "/values/subnet": "cannot change once it is set"
    }


def test_an_immutable_value_that_is_left_out_stays_as_it_is() -> None:
    assert filled([SUBNET], {}, previous={"subnet": "a"}).plain == {"subnet": "a"}


def test_an_immutable_value_cannot_be_taken_away() -> None:
    schema = [field("subnet", immutable=True, optional=True)]
    assert faults_of(schema, {"subnet": None}, previous={"subnet": "a"})
    assert filled(schema, {"subnet": None}, previous={}).plain == {}


def test_an_immutable_truth_is_not_the_number_one() -> None:
    schema = [field("flag", "boolean", immutable=True)]
    assert faults_of(schema, {"flag": True}, previous={"flag": 1})


def test_a_mutable_value_may_change() -> None:
    assert filled([ZONE], {"zone": "b"}, previous={"zone": "a"}).plain == {"zone": "b"}


def test_a_password_is_kept_apart_and_never_shown() -> None:
    values = filled([ZONE, PASSWORD], {"zone": "a", "password": "correct horse"})
    assert values.plain == {"zone": "a"}
    assert values.secret == {"password": Secret("correct horse")}
    assert "correct" not in repr(values)


def test_a_refusal_never_quotes_a_password() -> None:
    schema = [{**PASSWORD, "pattern": "^[0-9]+$"}]
    assert "hunter2" not in str(faults_of(schema, {"password": "hunter2"}))


def test_a_masked_password_stays_as_it_was() -> None:
    values = filled([PASSWORD], {"password": MASK}, known_secrets={"password"})
    assert values == Values(kept=frozenset({"password"}))


def test_a_mask_needs_a_password_behind_it() -> None:
    assert faults_of([PASSWORD], {"password": MASK}) == {
        "/values/password": "is masked, and there is no earlier value to keep"
    }


def test_a_mask_is_no_value_of_what_is_no_password_any_more() -> None:
    assert faults_of([field("password")], {"password": MASK}, known_secrets={"password"})


def test_a_required_password_must_be_given_or_masked() -> None:
    assert faults_of([PASSWORD], {}, known_secrets={"password"}) == {
        "/values/password": "is required"
    }


def test_an_optional_password_may_be_taken_away() -> None:
    assert filled([TOKEN], {}, known_secrets={"token"}) == Values()


def test_an_immutable_password_stays_and_cannot_be_given_anew() -> None:
    assert filled([KEY], {}, known_secrets={"key"}).kept == {"key"}
    assert filled([KEY], {"key": MASK}, known_secrets={"key"}).kept == {"key"}
    assert faults_of([KEY], {"key": "other"}, known_secrets={"key"})
    assert filled([KEY], {"key": "first"}).secret == {"key": Secret("first")}


def test_a_password_must_be_a_text() -> None:
    assert faults_of([PASSWORD], {"password": 12345678}) == {"/values/password": "must be a text"}


ANY_SCHEMA = [
    field("text", maxLength=5, default="t"),
    field("choice", enum=["a", "b"], optional=True, default="a"),
    field("count", "number", min=0, max=10, default=2),
    field("flag", "boolean", optional=True),
    field("fixed", immutable=True, default="f"),
    field("secret", optional=True, format="password"),
]
ANY_VALUES = st.dictionaries(
    st.sampled_from([entry["key"] for entry in ANY_SCHEMA] + ["other"]),
    st.none()
    | st.booleans()
    | st.integers(-5, 15)
    | st.floats()
    | st.text(max_size=6)
    | st.just("a"),
)


@given(ANY_VALUES)
def test_values_are_refused_with_pointers_or_taken_unchanged(values: dict[str, Any]) -> None:
    try:
        taken = filled(ANY_SCHEMA, values)
    except Invalid as refusal:
        pointers = {fault.pointer for fault in refusal.faults}
        assert pointers <= {f"/values/{key}" for key in values}
        return
    for key, value in values.items():
        assert value is None or value in (
            taken.plain.get(key),
            taken.secret.get(key, Secret("-")).reveal(),
        )


@given(ANY_VALUES)
def test_what_was_read_back_may_be_sent_again_and_changes_nothing(values: dict[str, Any]) -> None:
    try:
        first = filled(ANY_SCHEMA, values)
    except Invalid:
        return
    shown = {**first.plain, **dict.fromkeys(first.secret, MASK)}
    again = filled(ANY_SCHEMA, shown, previous=first.plain, known_secrets=set(first.secret))
    assert again == Values(plain=first.plain, kept=frozenset(first.secret))

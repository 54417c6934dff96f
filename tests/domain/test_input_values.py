"""Which values fit the input parameters of a schema."""

import math
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.input_parameters import Values, absent_values, parse_parameters, validate_values
from domain.model import Invalid
from domain.secrets import MASK, Secret
from tests.domain.parameters import (
    HA,
    PASSWORD,
    PROXY,
    REPLICAS,
    SUBNET,
    ZONE,
    faults_of,
    field,
    filled,
)


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

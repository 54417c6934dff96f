"""Strict YAML: what is read, what is refused and where, and that no bomb goes off."""

import time
import tracemalloc
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.yaml.reading import MAX_BYTES, MAX_DEPTH, MAX_VALUES, YamlFault, read_yaml
from adapters.yaml.writing import write_yaml
from tests.adapters.yaml.documents import documents


def refusal(text: str | bytes) -> YamlFault | None:
    try:
        read_yaml(text)
    except YamlFault as fault:
        return fault
    return None


@given(documents)
def test_what_is_written_reads_back_equal(expected: list[Any]) -> None:
    assert read_yaml(write_yaml(expected)) == expected


@given(documents)
def test_types_survive_the_round_trip(expected: list[Any]) -> None:
    assert repr(read_yaml(write_yaml(expected))) == repr(expected)


@given(documents)
def test_writing_twice_changes_nothing(expected: list[Any]) -> None:
    written = write_yaml(expected)
    assert write_yaml(read_yaml(written)) == written


@given(st.binary(max_size=400) | st.text(max_size=400))
def test_any_text_is_read_into_what_json_holds_or_refused(text: str | bytes) -> None:
    try:
        found = read_yaml(text)
    except YamlFault:
        return
    assert orjson.loads(orjson.dumps(found)) == found


@given(
    st.lists(
        st.sampled_from(
            [
                *(
                    "a",
                    ": ",
                    "- ",
                    "\n",
                    "  ",
                    "[",
                    "]",
                    "{",
                    "}",
                    ",",
                    "&x ",
                    "*x",
                    "!!str ",
                    "!t ",
                ),
                *(
                    "'",
                    '"',
                    "|\n",
                    ">-\n",
                    "? ",
                    "---\n",
                    "...\n",
                    "#c\n",
                    "%YAML 1.2\n",
                    "~",
                    "\t",
                ),
            ]
        ),
        max_size=40,
    ).map("".join)
)
def test_any_syntax_is_read_or_refused_inside_the_text(text: str) -> None:
    fault = refusal(text)
    assert fault is None or 1 <= (fault.line or 0) <= text.count("\n") + 1


@pytest.mark.parametrize(
    ("plain", "value"),
    [
        ("true", True),
        ("FALSE", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("12", 12),
        ("-12", -12),
        ("+12", 12),
        ("0", 0),
        ("0o17", 15),
        ("0x1F", 31),
        ("1.10", 1.1),
        (".5", 0.5),
        ("1.", 1.0),
        ("1e3", 1000.0),
        ("-1.5E-3", -0.0015),
    ],
)
def test_core_schema_scalars_have_their_types(plain: str, value: object) -> None:
    assert repr(read_yaml(f"k: {plain}")) == repr([{"k": value}])


@pytest.mark.parametrize(
    "plain",
    [
        *("yes", "No", "on", "OFF", "y", "12:30:45", "2024-01-01", "2024-01-01T00:00:00Z", "1_000"),
        *("0b101", "1.2.3", "10.0.0.1", "0o8", "tRue", "1e", "=", "nULL", "-.", "+"),
    ],
)
def test_what_only_older_yaml_takes_for_something_else_is_text(plain: str) -> None:
    assert read_yaml(f"k: {plain}") == [{"k": plain}]


def test_quotes_make_anything_a_text() -> None:
    assert read_yaml("['1', \"true\", '~', '0777', '<<']") == [["1", "true", "~", "0777", "<<"]]


def test_keys_keep_their_order() -> None:
    assert list(read_yaml("z: 1\na: 2\nm: 3")[0]) == ["z", "a", "m"]


def test_empty_documents_are_left_out() -> None:
    assert read_yaml("---\n---\na: 1\n---\n...\n---\n~\n---\n# only words\n---\nb: 2\n") == [
        {"a": 1},
        {"b": 2},
    ]


def test_a_text_without_a_document_has_none() -> None:
    assert read_yaml("") == read_yaml("# words\n") == read_yaml("---\n---\n") == []


@pytest.mark.parametrize(
    ("text", "line", "column", "says"),
    [
        ("a: &x 1\nb: *x", 1, 4, "the anchor &x is not allowed"),
        ("a: 1\nb: &x [1]", 2, 4, "the anchor &x"),
        ("- 1\n- *x", 2, 3, "the alias *x is not allowed"),
        ("a: 1\nb: 2\na: 3", 3, 1, "the key a is there twice"),
        ("x: {a: 1, 'a': 2}", 1, 11, "the key a is there twice"),
        ("1: a", 1, 1, "a key must be a text, and 1"),
        ("true: a", 1, 1, "a key must be a text, and true"),
        ("~: a", 1, 1, "a key must be a text, and ~"),
        ("? [a]\n: b", 1, 3, "not a list or a mapping"),
        ("<<: {a: 1}", 1, 1, "the merge key << is not allowed"),
        ("a: 0777", 1, 4, "octal to some readers"),
        ("a: -007", 1, 4, "octal to some readers"),
        ("a: .inf", 1, 4, "not a number that JSON can hold"),
        ("a: .NaN", 1, 4, "not a number that JSON can hold"),
        ("a: 18446744073709551616", 1, 4, "does not fit into 64 bits"),
        ("a: -9223372036854775809", 1, 4, "does not fit into 64 bits"),
        ("a: " + "9" * 5000, 1, 4, "does not fit into 64 bits"),
        ("a: 1e999", 1, 4, "too large"),
        ("a: !!python/object/apply:os.system [x]", 1, 4, "the tag !!python/object/apply:os.system"),
        ("a: !!binary aGk=", 1, 4, "the tag !!binary is not allowed"),
        ("a: !!set {x}", 1, 4, "the tag !!set"),
        ("a: !mine 1", 1, 4, "the tag !mine is not allowed"),
        ("a: !!int x", 1, 4, "not of the type that its tag !!int says"),
        ("a: !!bool yes", 1, 4, "not of the type that its tag !!bool says"),
        ('a: "\\0"', 1, 4, "U+0000 is not allowed"),
        ("a: 1\nb: x\0y", 2, 5, "U+0000 is not allowed"),
        ("a: \x07", 1, 4, "U+0007 is not allowed: write it as an escape"),
        ("a: x\u2028b: y", 1, 5, "U+2028 is not allowed"),
        ("a: \ud800", 1, 4, "U+D800 is not allowed"),
        ('a: "\\ud83d"', 1, 7, "Unicode"),
        ("%YAML 1.1\n---\na: 1", 1, 1, "only YAML 1.2"),
        ("a: b: c", 1, 5, 'put a value that holds ": " in quotes'),
        ("a: @b", 1, 4, "a value cannot start with @"),
        ("a:\n\t- b", 2, 1, "a tab cannot indent"),
        ("a:\n  - b\n c: d", 3, 2, "while parsing a block mapping that starts in line 1"),
        ("a: [1, 2", 1, 9, "did not find expected ',' or ']'"),
        ("a: 'x", 1, 6, "end of stream"),
        ("{{ .a }}: 1", 1, 1, "not a list or a mapping"),
    ],
)
def test_what_is_refused_is_named_with_its_place(
    text: str, line: int, column: int, says: str
) -> None:
    with pytest.raises(YamlFault) as caught:
        read_yaml(text)
    assert says in caught.value.detail
    assert (caught.value.line, caught.value.column) == (line, column)


def test_bytes_that_are_not_utf8_are_refused_with_their_place() -> None:
    with pytest.raises(YamlFault, match="line 2, column 5: byte 0xff is not UTF-8"):
        read_yaml("a: é\nb: é".encode() + b"\xff")


def test_bytes_are_read_like_text() -> None:
    assert read_yaml("a: é".encode()) == [{"a": "é"}]


def test_a_quote_can_be_kept_from_those_who_did_not_write_it() -> None:
    fault = refusal("password: 0123")
    assert fault is not None
    assert fault.detail.startswith("0123 is octal")
    assert fault.detail_for_reader_of("password: 0123") == fault.detail
    assert fault.detail_for_reader_of("password: {{ .password }}").startswith("… is octal")


def test_a_sentence_quotes_a_strangers_text_only_in_part() -> None:
    for text in (
        "a: &" + "x" * 5000 + " 1",
        "a: !" + "x" * 5000 + " 1",
        "? " + "1" * 5000 + "\n: x",
    ):
        with pytest.raises(YamlFault) as caught:
            read_yaml(text)
        assert len(caught.value.detail) < 200


def test_fifty_levels_are_read_and_one_more_is_not() -> None:
    assert read_yaml("[" * MAX_DEPTH + "]" * MAX_DEPTH)
    with pytest.raises(YamlFault, match="more than 50 levels"):
        read_yaml("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1))


def test_a_mebibyte_is_read_and_one_byte_more_is_not() -> None:
    text = "k: |\n" + "  é\n" * ((MAX_BYTES - 5) // 5)
    text += "#" * (MAX_BYTES - len(text.encode()))
    assert len(text.encode()) == MAX_BYTES
    assert read_yaml(text)
    with pytest.raises(YamlFault, match="1,048,577 bytes"):
        read_yaml(text + "#")


BOMBS = {
    "billion laughs": "a: &a [x,x]\n" + "".join(f"b{n}: &b{n} [*a,*a]\n" for n in range(20)),
    "deep lists": "[" * 1_000_000,
    "deep mappings": "{" * 1_000_000,
    "deep block lists": "- " * 500_000,
    "deep questions": "? " * 500_000,
    "many nulls": "[" + "~," * 500_000 + "]",
    "many documents": "---\n" * 250_000,
    "many keys": "".join(f"k{n}:\n" for n in range(100_000)),
    "one long number": "a: " + "1" * 1_000_000,
    "one long float": "a: 1." + "1" * 1_000_000 + "x",
    "one long anchor": "a: &" + "x" * 1_000_000,
    "one long tag": "a: !<" + "x" * 1_000_000,
    "colons": ":" * 1_000_000,
    "open quotes": "'" * 1_000_001,
    "commas": "," * 1_000_000,
    "directives": "%" * 1_000_000,
    "spaces": " " * 1_000_000 + "a",
    "unfinished key": "a" * 1_000_000 + "\nb: 1",
    "sixty numbers": "a: 1" + ":59" * 300_000,
    "folded": "a: >\n" + " \n" * 500_000,
}


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS)
def test_a_bomb_ends_soon_and_in_little_memory(bomb: str) -> None:
    tracemalloc.start()
    started = time.process_time()
    fault = refusal(bomb)
    used = time.process_time() - started
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert fault is None or len(fault.detail) < 300
    assert used < 5
    assert peak < 64 * 2**20


def test_values_are_counted_over_all_documents() -> None:
    assert len(read_yaml("[" + "1," * (MAX_VALUES - 1) + "]")[0]) == MAX_VALUES - 1
    with pytest.raises(YamlFault, match="more than 100,000 values"):
        read_yaml("[" + "1," * (MAX_VALUES - 1) + "]\n---\n1")

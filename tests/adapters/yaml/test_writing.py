"""Normalised YAML: block style, every reader of any version reads the same."""

from typing import Any

import pytest
import yaml
from hypothesis import given

from adapters.yaml.writing import write_yaml
from tests.adapters.yaml.documents import documents


def test_documents_are_written_in_block_style_in_their_order() -> None:
    written = write_yaml([{"kind": "A", "items": [1, {"b": True, "a": None}]}, {"kind": "B"}])
    assert written == ("kind: A\nitems:\n- 1\n- b: true\n  a: null\n---\nkind: B\n")


def test_no_document_is_the_empty_text() -> None:
    assert write_yaml([]) == ""


def test_lines_of_a_text_stay_lines() -> None:
    assert write_yaml([{"script": "set -e\necho hi\n"}]) == "script: |\n  set -e\n  echo hi\n"


def test_a_long_line_is_not_folded() -> None:
    text = "word " * 100 + "end"
    assert write_yaml([{"a": text}]) == f"a: {text}\n"


def test_letters_of_all_scripts_stay_readable() -> None:
    assert write_yaml([{"имя": "кластер 集群"}]) == "имя: кластер 集群\n"


@pytest.mark.parametrize(
    "text",
    [
        *(
            "yes",
            "no",
            "on",
            "off",
            "y",
            "n",
            "Y",
            "N",
            "true",
            "null",
            "~",
            "",
            "12",
            "0777",
            "0o17",
        ),
        *(
            "0x1F",
            "1_000",
            "1e3",
            "1.5",
            ".inf",
            ".nan",
            "12:30:45",
            "2024-01-01",
            "<<",
            "=",
            "0b1",
        ),
    ],
)
def test_a_text_that_some_reader_takes_for_something_else_is_quoted(text: str) -> None:
    assert write_yaml([{"a": text}]).strip() in (f"a: '{text}'", f'a: "{text}"')


@pytest.mark.parametrize("text", ["nginx:1.25", "10.0.0.1", "10.96.0.0/12", "a b", "v1.30", "-v"])
def test_an_ordinary_text_needs_no_quotes(text: str) -> None:
    assert write_yaml([{"a": text}]) == f"a: {text}\n"


@given(documents)
def test_a_reader_of_the_older_yaml_reads_the_same(expected: list[Any]) -> None:
    assert list(yaml.safe_load_all(write_yaml(expected))) == expected

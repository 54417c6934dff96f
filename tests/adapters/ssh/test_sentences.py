"""How long it took and what went wrong are told as a person would tell it."""

import pytest

from adapters.ssh.folder import Ending
from adapters.ssh.sentences import how_it_failed, plain, span


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (14, "14 s"),
        (119, "119 s"),
        (900, "15 min"),
        (3600, "60 min"),
        (7500, "2 h 5 min"),
        (86400, "24 h"),
    ],
)
def test_a_span_is_as_precise_as_it_needs_to_be(seconds: float, words: str) -> None:
    assert span(seconds) == words


def test_a_failure_names_the_exit_code_the_time_and_the_last_line() -> None:
    ending = Ending("ended", code=2, seconds=14)
    assert how_it_failed("Phase packages", ending, 900, "\x1b[31mE: no such package\x1b[0m") == (
        "Phase packages failed: exit code 2 after 14 s. Last line: E: no such package"
    )


def test_a_failure_without_a_word_is_told_without_one() -> None:
    assert how_it_failed("Phase x", Ending("timed-out"), 90, "") == (
        "Phase x did not end within 90 s and was stopped."
    )


def test_a_line_in_a_sentence_is_short_and_has_no_control_characters() -> None:
    assert plain("\ta\x07b\r") == "ab"
    assert len(plain("x" * 5000)) == 301

"""Every secret is taken out of a text, and however many there are, it takes little work."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.redaction import PIECE, Redactor
from domain.secrets import MASK

texts = st.text("ab", max_size=60)
secrets = st.lists(st.text("ab", min_size=1, max_size=14), max_size=6)


@given(secrets, texts, texts)
def test_nothing_of_a_secret_that_stands_in_the_text_is_left(
    hidden: list[str], before: str, after: str
) -> None:
    text = before + "".join(hidden) + after
    masked = {
        place
        for secret in hidden
        for begin in range(len(text))
        if text.startswith(secret, begin)
        for place in range(begin, begin + len(secret))
    }
    shown = "".join(letter for place, letter in enumerate(text) if place not in masked)
    assert Redactor(hidden).redacted(text).replace(MASK, "") == shown


def test_secrets_that_overlap_are_masked_as_one() -> None:
    assert Redactor(["abcdefgh", "efghIJKLMNOP"]).redacted("-abcdefghIJKLMNOP-") == f"-{MASK}-"


def test_of_secrets_that_begin_alike_the_longest_is_masked() -> None:
    redactor = Redactor(["swordfish", "swordfish-2", "swordfish-2-x"])
    assert redactor.redacted("swordfish-2 swordfish-3") == f"{MASK} {MASK}-3"


def test_a_secret_may_lie_across_the_pieces_that_are_looked_at() -> None:
    text = "x" * (PIECE - 4) + "swordfish" + "x" * PIECE
    redacted = Redactor(["swordfish"]).redacted(text)
    assert redacted == "x" * (PIECE - 4) + MASK + "x" * PIECE


MANY = [f"{number:08x} is a line of some length" for number in range(60_000)]
ALIKE = ["a" * length + "c" for length in range(8, 1_500)]
LONG_AND_ALIKE = ["a" * 70_000 + str(number) for number in range(40)]


@pytest.mark.parametrize(
    ("hidden", "text"),
    [(MANY, "\n".join(MANY)), (ALIKE, "a" * 400_000), (LONG_AND_ALIKE, "a" * 400_000)],
    ids=["many", "alike", "long and alike"],
)
def test_many_secrets_and_a_long_text_take_linear_time(hidden: list[str], text: str) -> None:
    """One after the other these take between a minute and an hour."""
    redactor = Redactor(hidden)
    begun = time.process_time()
    redacted = redactor.redacted(text)
    assert time.process_time() - begun < 5
    assert not any(secret in redacted for secret in hidden[:10])


def test_no_step_of_the_work_is_long() -> None:
    longest = begun = 0.0
    begun = time.process_time()
    for _ in Redactor(ALIKE).pieces("a" * 100_000):
        longest, begun = max(longest, time.process_time() - begun), time.process_time()
    assert longest < 0.1

"""Patterns mean what `re` means by them, and none of them takes long."""

import contextlib
import re
import time

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from domain.patterns import MAX_INSTRUCTIONS, Pattern, PatternFault, Steps, TooManySteps

atoms = st.sampled_from(
    [
        *(
            "a",
            "b",
            "-",
            "é",
            ".",
            r"\d",
            r"\W",
            r"\s",
            r"\.",
            "[a-c]",
            "[^a]",
            r"[\d_-]",
            r"[^\w]",
        ),
        *("^", "$", r"\b", r"\B", r"\A", r"\Z"),
    ]
)
patterns = st.recursive(
    atoms,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=4).map("".join),
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: f"(?:{'|'.join(parts)})"),
        st.builds("({}){}".format, inner, st.sampled_from(["*", "+", "?", "{2}", "{1,3}", "*?"])),
        st.builds("(?={})".format, inner),
        st.builds("(?!{})".format, inner),
    ),
    max_leaves=8,
)
texts = st.text("ab-é1_. \n", max_size=12)


def as_re(pattern: str) -> re.Pattern[str]:
    """The same pattern for `re`, whose `$` would also match before a last line feed."""
    return re.compile(pattern.replace("$", r"\Z"), re.ASCII)


@given(patterns, texts)
def test_a_pattern_finds_what_re_finds(pattern: str, text: str) -> None:
    # Until Python 3.14, `re` finds no \B in the empty text; JavaScript does.
    assume(text or r"\B" not in pattern)
    assert Pattern.of(pattern).is_in(text) == bool(as_re(pattern).search(text))


@pytest.mark.parametrize(
    ("pattern", "good", "bad"),
    [
        (r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$", "a-b.c", "a-.c"),
        (r"^(\d{1,3}\.){3}\d{1,3}/\d{1,2}$", "10.0.0.0/8", "10.0.0/8"),
        (r"^(?=.*[A-Z])(?=.*\d).{8,}$", "Passw0rd", "password"),
        (r"^(dev|test|prod)$", "prod", "produce"),
        (r"\bdb\b", "my db here", "mydb"),
        (r"^[a-z]+$", "abc", "abc\n"),
        (r"^$", "", "a"),
    ],
)
def test_a_usual_pattern_tells_good_from_bad(pattern: str, good: str, bad: str) -> None:
    assert Pattern.of(pattern).is_in(good)
    assert not Pattern.of(pattern).is_in(bad)


@pytest.mark.parametrize(
    ("pattern", "says"),
    [
        ("(", "missing ), unterminated subpattern at character 1"),
        ("[a", "unterminated character set at character 1"),
        ("*a", "nothing to repeat at character 1"),
        (r"(a)\1", "references to groups are not supported"),
        ("(?<=a)b", "lookbehinds are not supported"),
        ("(?i)a", "flags"),
        ("(?i:a)", "flags"),
        ("a*+", "possessive"),
        ("(?>a)", "atomic"),
        ("(a)(?(1)b|c)", "conditions"),
        ("a{99999999999}", "too large"),
        ("a" * 501, "more than 500 characters"),
        ("((a{100}){100}){100}", "repeats too much"),
        ("(((){1000}){1000}){1000}", "repeats too much"),
        ("(?=a{1500})" * 2, "repeats too much"),
    ],
)
def test_a_pattern_that_cannot_be_used_is_refused_with_its_reason(pattern: str, says: str) -> None:
    with pytest.raises(PatternFault) as caught:
        Pattern.of(pattern)
    assert says in str(caught.value)


LARGE_CLASS = "[" + "".join(chr(code) for code in range(0x400, 0x4F0, 2)) + "]"
CATASTROPHES = [
    ("^(a+)+$", "a" * 5_000 + "b"),
    ("^(a|a)*$", "a" * 5_000 + "b"),
    ("(.*)*(.*)*(.*)*x", "a" * 5_000),
    (r"^(\w+\s?)*$", "a " * 5_000 + "!"),
    ("(?=(a*)*b)" * 3, "a" * 60_000),
    (f"({LARGE_CLASS}*)*x", "я" * 60_000),
    ("(a?){350}a{350}b", "a" * 60_000),
    (f"({'a?' * 200}){{0,4}}b", "a" * 6_000),
    ("a[ab]{900}[c-z]", "ab" * 500_000),
    ("^(?!(a*)*b)(a*)*$", "a" * 60_000),
]


@pytest.mark.parametrize(("pattern", "text"), CATASTROPHES)
def test_a_pattern_that_would_hang_re_ends_soon(pattern: str, text: str) -> None:
    started = time.process_time()
    with contextlib.suppress(TooManySteps):
        Pattern.of(pattern).is_in(text)
    assert time.process_time() - started < 0.5


@pytest.mark.parametrize("pattern", [r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", r"\bdb\b", "[^\\W_]"])
def test_what_does_not_look_ahead_is_left_to_the_engine(pattern: str) -> None:
    assert Pattern.of(pattern).engine is not None
    assert Pattern.of(f"(?={pattern})").engine is None


def test_all_patterns_of_a_schema_together_are_bounded() -> None:
    steps, refused = Steps(), []
    for number in range(200):
        try:
            steps.compiled(f"^[a-z{number:x}]{{900}}$")
        except PatternFault as fault:
            refused.append(str(fault))
    assert len(refused) > 100
    assert set(refused) == {"the patterns of this schema together repeat too much"}


def test_a_simple_pattern_comes_to_its_end_on_a_long_text() -> None:
    assert Pattern.of(r"^[a-zA-Z0-9+/=\s]*$").is_in("abcd " * 13_000)


def test_a_pattern_may_be_as_large_as_allowed() -> None:
    assert Pattern.of(f"^a{{{MAX_INSTRUCTIONS // 2 - 2}}}$")

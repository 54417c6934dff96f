"""Output is cut into lines the same way however it arrives and wherever reading begins again."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from adapters.ssh.lines import LONGEST_LINE_BYTES, CutLine, Lines

TEXTS = st.lists(
    st.one_of(
        st.binary(max_size=40),
        st.text(max_size=20).map(str.encode),
        st.sampled_from([b"\n", b"\r\n", b"x" * 5000, "ü€😀".encode() * 1000, b"\xe2\x82"]),
    ),
    max_size=12,
).map(b"".join)


def cut(output: bytes, sizes: list[int], offset: int = 0) -> list[tuple[str, int]]:
    lines = Lines(offset)
    told = []
    begin = 0
    for size in [*sizes, len(output)]:
        told += lines.feed(output[begin : begin + size])
        begin += size
    return [*told, *lines.rest()]


@given(TEXTS, st.lists(st.integers(1, 9000), max_size=8))
def test_chunks_make_no_difference(output: bytes, sizes: list[int]) -> None:
    assert cut(output, sizes) == cut(output, [])


@given(TEXTS, st.integers(0, 20))
def test_reading_on_from_the_end_of_any_line_gives_the_rest(output: bytes, which: int) -> None:
    told = cut(output, [])
    if told:
        line = min(which, len(told) - 1)
        offset = told[line][1]
        assert cut(output[offset:], [], offset) == told[line + 1 :]


@given(TEXTS)
def test_every_byte_belongs_to_one_line_of_bounded_length(output: bytes) -> None:
    ends = [0, *(offset for _, offset in cut(output, []))]
    assert ends[-1] == len(output)
    assert all(0 < end - begin <= LONGEST_LINE_BYTES for begin, end in pairwise(ends))


def test_a_long_line_is_cut_between_characters() -> None:
    output = b"x" + "€".encode() * 5000
    told = cut(output, [])
    assert "\N{REPLACEMENT CHARACTER}" not in "".join(text for text, _ in told)
    assert [offset for _, offset in told] == [8191, 15001]


def test_a_line_that_was_cut_is_told_apart_from_one_that_ended() -> None:
    lines = Lines(0)
    output = b"x" * LONGEST_LINE_BYTES + b"y\n" + b"z" * (LONGEST_LINE_BYTES - 1) + b"\nrest"
    told = [*lines.feed(output), *lines.rest()]
    assert [isinstance(line, CutLine) for line in told] == [True, False, False, False]


def test_bytes_that_are_no_text_are_replaced_and_colours_kept() -> None:
    told = cut(b"a\xffb\0c\r\n\x1b[31mred\x1b[0m\n", [])
    assert told == [("a\ufffdb\ufffdc", 7), ("\x1b[31mred\x1b[0m", 20)]

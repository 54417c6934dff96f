"""Frames: what one side packs the other unpacks, and nothing too long is ever read."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.gotpl.frames import (
    HEAD_BYTES,
    MAX_FRAME_BYTES,
    BrokenFrame,
    length_in,
    packed,
    unpacked,
)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4)
    ),
    max_leaves=9,
)


@given(st.dictionaries(st.text(max_size=4), json_values, max_size=4))
def test_what_is_packed_unpacks_equal(frame: dict[str, Any]) -> None:
    whole = packed(frame)
    assert length_in(whole[:HEAD_BYTES]) == len(whole) - HEAD_BYTES
    assert unpacked(whole[HEAD_BYTES:]) == frame


def test_a_frame_that_announces_too_much_is_refused_before_it_is_read() -> None:
    with pytest.raises(BrokenFrame, match="4,294,967,295 bytes"):
        length_in(b"\xff\xff\xff\xff")


def test_a_frame_that_is_too_long_is_not_sent() -> None:
    with pytest.raises(BrokenFrame):
        packed({"text": "x" * MAX_FRAME_BYTES})


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"1", b"\xff", b"[" * 100_000])
def test_what_is_no_object_is_no_frame(body: bytes) -> None:
    with pytest.raises(BrokenFrame):
        unpacked(body)

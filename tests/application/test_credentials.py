"""A credential is written once and read back; what is no credential is None and never an error."""

from base64 import urlsafe_b64encode
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from application.credentials import Credential


def test_a_credential_is_read_as_it_was_written() -> None:
    made = Credential.make(uuid4())
    assert Credential.read("qdt", made.write("qdt")) == made


def test_a_credential_of_another_prefix_is_none() -> None:
    assert Credential.read("qds", Credential.make(uuid4()).write("qdt")) is None


def test_a_word_has_256_bits_and_is_never_the_same() -> None:
    stream_id = uuid4()
    words = {Credential.make(stream_id).word for _ in range(50)}
    assert {len(word) for word in words} == {32}
    assert len(words) == 50


def test_a_credential_is_known_by_the_hash_of_its_word_and_shows_no_word() -> None:
    made, other = Credential.make(uuid4()), Credential.make(uuid4())
    assert made.word_hash != other.word_hash
    assert repr(made.word)[2:-1] not in repr(made)
    assert made.word.hex() not in made.word_hash


@pytest.mark.parametrize(
    "text",
    [
        "",
        "qdt",
        "qdt_",
        "qdt_" + "!" * 64,
        "qdt_" + "=" * 64,
        "qdt_" + "A" * 63,
        "qdt_" + "A" * 65,
        "qdt_" + "A" * 60 + "====",
        "qdt_" + "é" * 64,
        "qdt_" + "A" * 63 + "\n",
        "qdt_" + "A" * 63 + "\x00",
        "qdt__" + "A" * 63 + "=",
    ],
)
def test_what_is_no_credential_is_none(text: str) -> None:
    assert Credential.read("qdt", text) is None


@settings(max_examples=100, deadline=None)
@given(st.binary(min_size=44, max_size=48) | st.binary(max_size=60))
def test_no_text_makes_it_stumble(raw: bytes) -> None:
    text = "qdt_" + urlsafe_b64encode(raw).decode()
    read = Credential.read("qdt", text)
    assert (read is None) == (len(raw) != 48)

"""Master keys are written and read as text; the newest wraps, each unwraps what it wrapped."""

from base64 import b64encode

import pytest

from adapters.crypto.key_ring import BadKeys, KeyRing

DATA_KEY, LABEL = bytes(range(32)), b"label"
ONE, OTHER = b64encode(bytes(32)).decode(), b64encode(bytes(range(32))).decode()


def test_a_ring_is_read_as_it_was_written() -> None:
    ring = KeyRing.generate().with_new_key()
    again = KeyRing.read(ring.write())
    assert again.versions == ring.versions
    assert again.unwrap(*ring.wrap(DATA_KEY, LABEL), LABEL) == DATA_KEY


@pytest.mark.parametrize(
    "text", [f"1:{ONE} 2:{OTHER}", f"2:{OTHER}\n\n1:{ONE}\n", f"1:{ONE},2:{OTHER}"]
)
def test_keys_may_stand_in_any_order_and_white_space(text: str) -> None:
    ring = KeyRing.read(text)
    assert (list(ring.versions), ring.newest) == ([1, 2], 2)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " \n",
        ONE,
        f"one:{ONE}",
        f"-1:{ONE}",
        "1:",
        "1:AAAA",
        f"1:{ONE}A",
        f"1:{ONE[:-1]}!",
        f"1{'0' * 10}:{ONE}",
        f"1:{ONE} 1:{OTHER}",
    ],
)
def test_what_is_no_ring_is_told_without_the_keys(text: str) -> None:
    with pytest.raises(BadKeys) as bad:
        KeyRing.read(text)
    assert ONE not in str(bad.value)
    assert str(bad.value).endswith(".")


def test_the_newest_key_wraps_and_older_ones_still_unwrap() -> None:
    ring = KeyRing.generate()
    older = ring.wrap(DATA_KEY, LABEL)
    ring = ring.with_new_key()
    assert ring.wrap(DATA_KEY, LABEL)[0] == 2
    assert ring.unwrap(*older, LABEL) == DATA_KEY


def test_a_missing_key_is_named() -> None:
    wrapped = KeyRing.generate().with_new_key().wrap(DATA_KEY, LABEL)
    with pytest.raises(BadKeys, match="Master key 2 is missing"):
        KeyRing.generate().unwrap(*wrapped, LABEL)


def test_another_key_of_the_same_number_is_named() -> None:
    wrapped = KeyRing.generate().wrap(DATA_KEY, LABEL)
    with pytest.raises(BadKeys, match="Master key 1 in the key file is not the one"):
        KeyRing.generate().unwrap(*wrapped, LABEL)


def test_a_wrapped_key_is_bound_to_its_label() -> None:
    ring = KeyRing.generate()
    with pytest.raises(BadKeys):
        ring.unwrap(*ring.wrap(DATA_KEY, LABEL), b"another")


def test_fingerprints_tell_keys_apart_and_show_nothing() -> None:
    ring = KeyRing({1: bytes(32), 2: bytes(range(32))})
    assert len(set(ring.versions.values())) == 2
    for fingerprint in ring.versions.values():
        assert len(fingerprint) == 16
        assert fingerprint not in ring.write()

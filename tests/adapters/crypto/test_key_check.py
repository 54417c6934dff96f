"""At the start the master keys must be those that the database was made with."""

import pytest

from adapters.crypto.key_check import check_keys
from adapters.crypto.key_ring import BadKeys, KeyRing


class Kept:
    """What a database keeps of its master keys."""

    def __init__(self) -> None:
        self.kept: dict[int, bytes] = {}
        self.wraps: dict[int, int] = {}

    async def canaries(self) -> dict[int, bytes]:
        return dict(self.kept)

    async def keep_canary(self, version: int, canary: bytes) -> None:
        self.kept.setdefault(version, canary)

    async def counts(self) -> dict[int, int]:
        return dict(self.wraps)


async def test_the_first_keys_are_the_right_ones() -> None:
    kept, ring = Kept(), KeyRing.generate()
    await check_keys(ring, kept)
    await check_keys(ring, kept)
    assert list(kept.kept) == [1]


async def test_another_key_file_is_refused_also_when_nothing_is_sealed_yet() -> None:
    kept = Kept()
    await check_keys(KeyRing.generate(), kept)
    with pytest.raises(BadKeys, match="not the one"):
        await check_keys(KeyRing.generate(), kept)


async def test_of_two_that_begin_at_once_with_other_keys_one_is_refused() -> None:
    class Late(Kept):
        """Somebody else's canary comes between our look and our own."""

        async def keep_canary(self, version: int, canary: bytes) -> None:
            await super().keep_canary(*KeyRing.generate().wrap(b"x", b"y"))
            await super().keep_canary(version, canary)

    with pytest.raises(BadKeys):
        await check_keys(KeyRing.generate(), Late())


async def test_a_new_key_is_welcome() -> None:
    kept, ring = Kept(), KeyRing.generate()
    await check_keys(ring, kept)
    await check_keys(ring.with_new_key(), kept)
    assert list(kept.kept) == [1, 2]


async def test_a_key_that_still_wraps_something_may_not_be_missing() -> None:
    kept, ring = Kept(), KeyRing.generate()
    newer = ring.with_new_key()
    await check_keys(newer, kept)
    await check_keys(ring, kept)
    kept.wraps = {1: 3, 2: 1}
    with pytest.raises(BadKeys, match="Master key 2 is missing"):
        await check_keys(ring, kept)


async def test_a_key_that_wraps_nothing_any_more_may_be_thrown_away() -> None:
    kept, ring = Kept(), KeyRing.generate()
    await check_keys(ring, kept)
    newer = ring.with_new_key()
    await check_keys(newer, kept)
    kept.wraps = {2: 4}
    await check_keys(KeyRing.read(newer.write().splitlines()[1]), kept)

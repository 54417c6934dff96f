"""At the start: do the master keys at hand fit the database?"""

from typing import Protocol

from adapters.crypto.key_ring import CANARY, KeyRing


class Canaries(Protocol):
    async def canaries(self) -> dict[int, bytes]: ...

    async def keep_canary(self, version: int, canary: bytes) -> None:
        """Keep it unless one of this version is there."""
        ...

    async def counts(self) -> dict[int, int]:
        """How many data keys each master key wraps."""
        ...


async def check_keys(ring: KeyRing, kept: Canaries) -> None:
    """Raise BadKeys unless every master key in use is in the ring and is the same key.

    A key that wraps nothing any more may be missing.
    """
    in_use = await kept.counts()
    if ring.newest not in await kept.canaries():
        await kept.keep_canary(*ring.wrap(CANARY, CANARY))
    for version, canary in (await kept.canaries()).items():
        if version in ring.versions or version in in_use:
            ring.unwrap(version, canary, CANARY)

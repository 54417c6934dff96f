"""At the start: do the master keys at hand fit the database?"""

from typing import Protocol

from adapters.crypto.key_ring import CANARY, KeyRing


class Canaries(Protocol):
    async def canaries(self) -> dict[int, bytes]: ...

    async def keep_canary(self, version: int, canary: bytes) -> None: ...


async def check_keys(ring: KeyRing, kept: Canaries) -> None:
    """Raise BadKeys unless every master key in use is in the ring and is the same key."""
    canaries = await kept.canaries()
    for version, canary in canaries.items():
        ring.unwrap(version, canary, CANARY)
    if ring.newest not in canaries:
        await kept.keep_canary(*ring.wrap(CANARY, CANARY))

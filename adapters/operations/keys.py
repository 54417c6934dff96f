"""Show, add and rotate the master keys."""

from dataclasses import dataclass
from pathlib import Path

from adapters.bootstrap import read_keys, write_keys
from adapters.crypto.key_check import check_keys
from adapters.operations.administration import administration
from adapters.postgres.data_keys import DataKey
from adapters.settings import BadSettings, Settings


@dataclass(frozen=True, slots=True)
class ShownKey:
    """A master key as it may be seen: its number, fingerprint, and the data keys it wraps."""

    version: int
    fingerprint: str
    wraps: int


async def show_keys(settings: Settings) -> list[ShownKey]:
    async with administration(settings) as hub:
        counts = await hub.data_keys.counts()
        return [ShownKey(v, f, counts.get(v, 0)) for v, f in hub.ring.versions.items()]


def add_key(settings: Settings) -> Path:
    """Add a new master key to the key file; it wraps what is made from the next start on."""
    if settings.keys is not None:
        raise BadSettings("The keys come from QUARTERDECK_KEYS: add the new one there.")
    return write_keys(settings, read_keys(settings).with_new_key())


async def rotate_keys(settings: Settings) -> int:
    """Wrap every data key with the newest master key; how many were. The log stays as it is."""
    async with administration(settings) as hub:
        await check_keys(hub.ring, hub.data_keys)

        def rewrapped(kept: DataKey) -> DataKey:
            key_id, version, wrapped = kept
            data_key = hub.ring.unwrap(version, wrapped, key_id.bytes)
            return (key_id, *hub.ring.wrap(data_key, key_id.bytes))

        return await hub.data_keys.rewrap(hub.ring.newest, rewrapped)

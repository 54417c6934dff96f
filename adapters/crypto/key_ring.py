"""The master keys: numbered, kept outside the database, the newest one wraps."""

from base64 import b64decode, b64encode
from collections.abc import Mapping
from hashlib import sha256
from os import urandom

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

CANARY = b"quarterdeck canary"


class BadKeys(Exception):
    """The master keys are not what they must be; the sentence says what and where."""


class KeyRing:
    """Master keys by version, 32 bytes each. Written as `1:base64 2:base64`, in any white space."""

    def __init__(self, keys: Mapping[int, bytes]) -> None:
        if not keys:
            raise BadKeys("There is no master key.")
        self._keys = dict(keys)
        self.newest = max(keys)

    @classmethod
    def generate(cls) -> "KeyRing":
        return cls({1: urandom(32)})

    @classmethod
    def read(cls, text: str) -> "KeyRing":
        keys: dict[int, bytes] = {}
        for word in text.replace(",", " ").split():
            number, _, encoded = word.partition(":")
            try:
                key = b64decode(encoded, validate=True)
            except ValueError:
                key = b""
            if not number.isdecimal() or len(number) > 9 or len(key) != 32:
                raise BadKeys("A master key must be written as number:base64 of 32 bytes.")
            if int(number) in keys:
                raise BadKeys(f"Master key {int(number)} is there twice.")
            keys[int(number)] = key
        return cls(keys)

    def __contains__(self, version: int) -> bool:
        return version in self._keys

    def write(self) -> str:
        lines = (f"{v}:{b64encode(k).decode()}" for v, k in sorted(self._keys.items()))
        return "\n".join(lines) + "\n"

    def with_new_key(self) -> "KeyRing":
        return KeyRing({**self._keys, self.newest + 1: urandom(32)})

    @property
    def versions(self) -> dict[int, str]:
        """Each version with its fingerprint: 16 hex digits of SHA-256, safe to show."""
        return {v: sha256(k).hexdigest()[:16] for v, k in sorted(self._keys.items())}

    def wrap(self, data_key: bytes, label: bytes) -> tuple[int, bytes]:
        """(version, wrapped): the data key under the newest master key, bound to its label."""
        nonce = urandom(12)
        return self.newest, nonce + AESGCM(self._keys[self.newest]).encrypt(nonce, data_key, label)

    def unwrap(self, version: int, wrapped: bytes, label: bytes) -> bytes:
        """The data key. Raises BadKeys when the master key is missing or is another one."""
        key = self._keys.get(version)
        if key is None:
            raise BadKeys(f"Master key {version} is missing from the key file.")
        try:
            return AESGCM(key).decrypt(wrapped[:12], wrapped[12:], label)
        except InvalidTag:
            raise BadKeys(
                f"Master key {version} in the key file is not the one this database was made with."
            ) from None

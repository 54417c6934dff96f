"""The vault: envelope encryption with a data key for each subject.

A sealed secret is bound to where it stands (stream, topic, field), so it cannot be moved:
AES-256-GCM with these three as associated data.
"""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from contextlib import suppress
from os import urandom
from typing import Protocol
from uuid import UUID, uuid4

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from adapters.crypto.key_ring import BadKeys, KeyRing
from application.ports import Erased, Unavailable
from domain.model import Event
from domain.secrets import Secret

DataKey = tuple[UUID, int, bytes]
"""(id, version of the master key, wrapped key)"""

FINGERPRINTS = UUID("2c0b6c5e-94d2-4d2b-8a0e-5f2b8c9d7a10")
"""The subject whose data key makes fingerprints."""


class DataKeys(Protocol):
    """Where wrapped data keys are kept."""

    async def of_subject(self, subject_id: UUID, made: DataKey) -> DataKey:
        """The subject's key; `made` is kept and given back when it has none."""
        ...

    async def by_id(self, key_id: UUID) -> DataKey | None: ...


class EnvelopeVault:
    """ports.Vault; also seals bytes for documents.

    Data keys may be wrapped with a master key that came after this process: `reread` gives the
    master keys as they are by then. Where it is not among them, the vault is Unavailable.
    """

    def __init__(
        self, ring: KeyRing, keys: DataKeys, reread: Callable[[], KeyRing] | None = None
    ) -> None:
        self._ring = ring
        self._keys = keys
        self._reread = reread
        self._by_subject: dict[UUID, tuple[UUID, AESGCM]] = {}
        self._by_id: dict[UUID, AESGCM] = {}
        self._fingerprint_key: bytes | None = None
        self.forgotten = 0
        """How often the keys were let go: what was opened before may have been erased since."""

    def forget(self) -> None:
        """Let go of all keys: some may have been erased. They are asked for again."""
        self.forgotten += 1
        self._by_subject.clear()
        self._by_id.clear()

    async def seal(
        self, subject_id: UUID, stream_id: UUID, events: Sequence[Event]
    ) -> Sequence[Event]:
        key_id, cipher = await self._of_subject(subject_id)

        def sealed(event: Event) -> Event:
            def one(path: str, secret: Secret) -> Secret:
                if secret.is_sealed:
                    return secret
                label = _label(stream_id, event.topic, path)
                body = _encrypt(key_id, cipher, secret.reveal().encode(), label)
                return Secret(token=f"1|{event.topic}|{path}|{urlsafe_b64encode(body).decode()}")

            return event.with_secrets(one)

        return [sealed(event) for event in events]

    async def open(self, stream_id: UUID, secret: Secret) -> str:
        if secret.token is None:
            return secret.reveal()
        topic, path, raw = _parts(secret.token)
        return (await self._decrypt(raw, _label(stream_id, topic, path))).decode()

    async def seal_bytes(self, subject_id: UUID, label: bytes, plain: bytes) -> bytes:
        """Bytes sealed with the subject's key and bound to the label."""
        key_id, cipher = await self._of_subject(subject_id)
        return _encrypt(key_id, cipher, plain, label)

    async def open_bytes(self, label: bytes, sealed: bytes) -> bytes:
        """The plain bytes. Raises Erased, or LookupError when the label is another."""
        return await self._decrypt(sealed, label)

    async def fingerprint(self, said: bytes) -> bytes:
        """HMAC-SHA-256 under a data key of its own, which rotation wraps anew and never changes."""
        if self._fingerprint_key is None:
            self._fingerprint_key = await self.data_key(FINGERPRINTS)
        return hmac.digest(self._fingerprint_key, said, "sha256")

    async def data_key(self, subject_id: UUID) -> bytes:
        """The subject's key itself, 32 bytes: the seed of what is derived from it."""
        key_id = uuid4()
        made = (key_id, *self._ring.wrap(AESGCM.generate_key(256), key_id.bytes))
        return self._unwrap(await self._keys.of_subject(subject_id, made))

    async def _of_subject(self, subject_id: UUID) -> tuple[UUID, AESGCM]:
        held = self._by_subject.get(subject_id)
        if held is None:
            key_id, forgotten = uuid4(), self.forgotten
            made = (key_id, *self._ring.wrap(AESGCM.generate_key(256), key_id.bytes))
            kept = await self._keys.of_subject(subject_id, made)
            held = (kept[0], self._unwrapped(kept, forgotten))
            if forgotten == self.forgotten:
                self._by_subject[subject_id] = held
        return held

    async def _decrypt(self, sealed: bytes, label: bytes) -> bytes:
        if len(sealed) < 16 + 12 + 16:
            raise LookupError("The sealed text was cut off.")
        key_id = UUID(bytes=sealed[:16])
        cipher = self._by_id.get(key_id)
        if cipher is None:
            forgotten = self.forgotten
            kept = await self._keys.by_id(key_id)
            if kept is None:
                raise Erased("The key of this secret was erased: nobody can read it any more.")
            cipher = self._unwrapped(kept, forgotten)
        try:
            return cipher.decrypt(sealed[16:28], sealed[28:], label)
        except InvalidTag:
            raise LookupError("The sealed text was moved or changed.") from None

    def _unwrapped(self, kept: DataKey, forgotten: int) -> AESGCM:
        """The key itself, held unless it may have been erased since it was asked for."""
        cipher = AESGCM(self._unwrap(kept))
        if forgotten == self.forgotten:
            self._by_id[kept[0]] = cipher
        return cipher

    def _unwrap(self, kept: DataKey) -> bytes:
        key_id, version, wrapped = kept
        if version not in self._ring:
            self._read_again(version)
        return self._ring.unwrap(version, wrapped, key_id.bytes)

    def _read_again(self, version: int) -> None:
        if self._reread is not None:
            with suppress(BadKeys):
                self._ring = self._reread()
        if version not in self._ring:
            raise Unavailable(
                f"Master key {version} came after this process: start it again with all of them."
            )


def _parts(token: str) -> tuple[str, str, bytes]:
    """Topic, field and sealed bytes. Raises LookupError for what is no token."""
    try:
        _, topic, place = token.split("|", 2)
        path, _, body = place.rpartition("|")
        return topic, path, urlsafe_b64decode(body)
    except ValueError:
        raise LookupError("This is no sealed text.") from None


def _label(stream_id: UUID, topic: str, path: str) -> bytes:
    return b"|".join((stream_id.bytes, topic.encode(), path.encode()))


def _encrypt(key_id: UUID, cipher: AESGCM, plain: bytes, label: bytes) -> bytes:
    nonce = urandom(12)
    return key_id.bytes + nonce + cipher.encrypt(nonce, plain, label)

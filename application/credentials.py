"""Words that let someone in: made once, shown once, known afterwards by their hash alone."""

import hmac
from base64 import b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from hashlib import sha256
from secrets import token_bytes
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Credential:
    """An id and a word of 256 bits; written as `prefix_` and 64 URL-safe characters."""

    id: UUID
    word: bytes = field(repr=False)

    @classmethod
    def make(cls, stream_id: UUID) -> "Credential":
        return cls(stream_id, token_bytes(32))

    @classmethod
    def read(cls, prefix: str, text: str) -> "Credential | None":
        """The credential of a text, or None when it is no such text."""
        head, _, body = text.partition("_")
        if head != prefix or len(body) != 64 or not body.isascii():
            return None
        try:
            raw = b64decode(body, altchars=b"-_", validate=True)
        except ValueError:
            return None
        return cls(UUID(bytes=raw[:16]), raw[16:]) if len(raw) == 48 else None

    def write(self, prefix: str) -> str:
        return f"{prefix}_{urlsafe_b64encode(self.id.bytes + self.word).decode()}"

    @property
    def word_hash(self) -> str:
        """SHA-256 in hex: a word of 256 bits needs no slow hash (OWASP ASVS 5.0, 6.5.2)."""
        return sha256(self.word).hexdigest()

    def matches(self, word_hash: str) -> bool:
        return hmac.compare_digest(self.word_hash, word_hash)

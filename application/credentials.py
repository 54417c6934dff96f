"""Words that let someone in: made once, shown once, known afterwards by their hash alone."""

from base64 import b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from secrets import token_bytes
from typing import TypeVar
from uuid import UUID

from application.state_cache import StateCache
from domain.auth_tokens import AuthToken
from domain.users import Session

H = TypeVar("H", AuthToken, Session)


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


async def held_by(
    prefix: str, text: str, kind: type[H], cache: StateCache, now: datetime
) -> tuple[UUID, H] | None:
    """What the bearer of this text has, and its id; None when the text is good for nothing."""
    credential = Credential.read(prefix, text)
    if credential is None:
        return None
    _, state = await cache.load(kind, credential.id)
    if not isinstance(state, kind) or not state.is_good(credential.word_hash, now):
        return None
    return credential.id, state

"""What is sealed, and what is kept beside the log."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol
from uuid import UUID

from application.ports.log import Document
from domain.model import Event
from domain.secrets import Secret
from domain.values import DocumentRef


class Documents(Protocol):
    """Long texts by digest. A document that holds a secret is sealed with its subject's key."""

    async def prepare(self, text: str, subject_id: UUID | None = None) -> Document:
        """The stored form of a text, sealed when a subject is given; written by the append."""
        ...

    async def read(self, ref: DocumentRef) -> str:
        """The text of a reference. Raises Erased, or LookupError when it is not there."""
        ...


class Vault(Protocol):
    """Seals and opens secrets with a data key per subject, wrapped by the newest master key."""

    async def seal(
        self, subject_id: UUID, stream_id: UUID, events: Sequence[Event]
    ) -> Sequence[Event]:
        """The events with every open secret sealed; the key is made on first use."""
        ...

    async def open(self, stream_id: UUID, secret: Secret) -> str:
        """The plain text. Raises Erased, or LookupError for what was not sealed here."""
        ...

    async def fingerprint(self, said: bytes) -> bytes:
        """32 bytes that tell what was said apart from anything else, and from which nobody who
        lacks the key can find out what it was. The same for ever, whatever key is the newest."""
        ...


@dataclass(slots=True, frozen=True)
class KeyPair:
    """An SSH key pair in OpenSSH's forms."""

    public: str
    private: str = field(repr=False)


class KeyPairs(Protocol):
    async def generate(self, comment: str) -> KeyPair:
        """A new Ed25519 key pair."""
        ...

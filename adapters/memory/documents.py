"""Documents in memory, beside the events they belong to."""

from hashlib import sha256
from os import urandom
from uuid import UUID

from adapters.memory.event_store import InMemoryEventStore
from application.ports import Document
from domain.values import DocumentRef

NONCE = 12


class InMemoryDocuments:
    """ports.Documents. A subject's text has another digest each time, as sealing has it."""

    def __init__(self, store: InMemoryEventStore) -> None:
        self._store = store

    async def prepare(self, text: str, subject_id: UUID | None = None) -> Document:
        plain = text.encode()
        body = plain if subject_id is None else urandom(NONCE) + plain
        digest = sha256(body).hexdigest()
        return Document(DocumentRef(digest=digest, size=len(plain), subject_id=subject_id), body)

    async def read(self, ref: DocumentRef) -> str:
        body = self._store.documents.get(ref.digest)
        if body is None:
            raise LookupError(f"There is no document {ref.digest}.")
        return (body if ref.subject_id is None else body[NONCE:]).decode()

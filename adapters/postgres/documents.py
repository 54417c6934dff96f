"""Long texts beside the log: stored once by the digest of their stored form, never changed."""

import zlib
from collections import OrderedDict
from hashlib import sha256
from typing import Protocol
from uuid import UUID

from psycopg_pool import AsyncConnectionPool

from adapters.postgres.connection import reachable
from application.ports import Document
from domain.values import DocumentRef

HELD_CHARACTERS = 16 << 20
"""How much text is held in memory at most."""


class Sealer(Protocol):
    """Seals bytes with a subject's data key."""

    async def seal_bytes(self, subject_id: UUID, label: bytes, plain: bytes) -> bytes: ...

    async def open_bytes(self, label: bytes, sealed: bytes) -> bytes: ...


class PostgresDocuments:
    """ports.Documents: deflated, then sealed when a subject is given."""

    def __init__(self, pool: AsyncConnectionPool, sealer: Sealer) -> None:
        self._pool = pool
        self._sealer = sealer
        self._held: OrderedDict[str, str] = OrderedDict()
        self._characters = 0
        self._forgotten = 0

    def forget(self) -> None:
        """Let go of all texts: the key of some may have been erased."""
        self._forgotten += 1
        self._held.clear()
        self._characters = 0

    async def prepare(self, text: str, subject_id: UUID | None = None) -> Document:
        plain, forgotten = text.encode(), self._forgotten
        body = zlib.compress(plain)
        if subject_id is not None:
            body = await self._sealer.seal_bytes(subject_id, subject_id.bytes, body)
        digest = sha256(body).hexdigest()
        self._hold(digest, text, forgotten)
        ref = DocumentRef(digest=digest, size=len(plain), subject_id=subject_id)
        return Document(ref, body)

    async def read(self, ref: DocumentRef) -> str:
        held = self._held.get(ref.digest)
        if held is not None:
            self._held.move_to_end(ref.digest)
            return held
        forgotten = self._forgotten
        body = await self._body(ref.digest)
        if ref.subject_id is not None:
            body = await self._sealer.open_bytes(ref.subject_id.bytes, body)
        text = zlib.decompress(body).decode()
        self._hold(ref.digest, text, forgotten)
        return text

    async def _body(self, digest: str) -> bytes:
        with reachable():
            async with self._pool.connection() as connection:
                cursor = await connection.execute(
                    "select body from log.documents where digest = %s", [bytes.fromhex(digest)]
                )
                row = await cursor.fetchone()
        if row is None:
            raise LookupError(f"There is no document {digest}.")
        body = bytes(row[0])
        if sha256(body).hexdigest() != digest:
            raise LookupError(f"Document {digest} is not what was written.")
        return body

    def _hold(self, digest: str, text: str, forgotten: int) -> None:
        """Hold a text, unless its key may have been erased while it was on its way here."""
        if forgotten != self._forgotten:
            return
        if digest not in self._held:
            self._characters += len(text)
        self._held[digest] = text
        while self._characters > HELD_CHARACTERS:
            _, dropped = self._held.popitem(last=False)
            self._characters -= len(dropped)

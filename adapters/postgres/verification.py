"""Reads the whole log again and tells the first place where it is not what was written."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

import psycopg

from adapters.postgres.mapper import content_hash
from domain.merkle import Tree, leaf_hash

PAGE = 5_000
POSTGRES_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
READ = """
    select notification_id, originator_id, originator_version, topic, state, metadata,
           recorded_at, leaf_hash
    from log.stored_events where notification_id > %b order by notification_id limit %b
"""


class Broken(Exception):
    """The log was changed: at this position, in this way."""

    def __init__(self, position: int, detail: str) -> None:
        super().__init__(f"Position {position}: {detail}")
        self.position = position
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Verified:
    """The whole log is as it was written: its size in events and the root over them."""

    size: int
    root: bytes


async def verify_log(dsn: str, seen: Callable[[Tree], None] = lambda _: None) -> Verified:
    """Recompute every leaf and the tree; `seen` gets the tree after each event.

    Raises Broken with the first position that does not match.
    """
    connection = await psycopg.AsyncConnection.connect(
        dsn, autocommit=True, application_name="quarterdeck verify"
    )
    async with connection:
        head = await _head(connection)
        walk = _Walk(seen)
        while rows := await _page(connection, walk.tree.size):
            for row in rows:
                walk.step(*row)
        if walk.tree.size < head:
            raise Broken(walk.tree.size + 1, f"the log ends here, but {head} events were written")
        await _verify_documents(connection)
    return Verified(walk.tree.size, walk.tree.root)


class _Walk:
    """What must hold from one event to the next."""

    def __init__(self, seen: Callable[[Tree], None]) -> None:
        self.tree = Tree()
        self._seen = seen
        self._versions: dict[UUID, int] = {}
        self._recorded_at = datetime.min.replace(tzinfo=UTC)

    def step(
        self,
        position: int,
        stream_id: UUID,
        version: int,
        topic: str,
        state: bytes,
        metadata: bytes,
        recorded_at: datetime,
        leaf: bytes,
    ) -> None:
        if position != self.tree.size + 1:
            raise Broken(self.tree.size + 1, "the event is missing")
        content = content_hash(stream_id, version, topic.encode(), metadata, state)
        if _leaf(position, recorded_at, content) != leaf:
            raise Broken(position, "the event is not what was written")
        if version != self._versions.get(stream_id, 0) + 1:
            raise Broken(position, f"stream {stream_id} jumps to version {version}")
        if recorded_at < self._recorded_at:
            raise Broken(position, "the event is older than the one before it")
        self._versions[stream_id] = version
        self._recorded_at = recorded_at
        self.tree.append(leaf)
        self._seen(self.tree)


def _leaf(position: int, recorded_at: datetime, content: bytes) -> bytes:
    since = recorded_at - POSTGRES_EPOCH
    micros = (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
    return leaf_hash(position.to_bytes(8) + micros.to_bytes(8, signed=True) + content)


async def _head(connection: psycopg.AsyncConnection[Any]) -> int:
    cursor = await connection.execute("select position from log.head")
    row = await cursor.fetchone()
    return int(row[0]) if row else 0


async def _page(connection: psycopg.AsyncConnection[Any], after: int) -> list[Any]:
    cursor = connection.cursor(binary=True)
    await cursor.execute(READ, [after, PAGE], prepare=True)
    return await cursor.fetchall()


async def _verify_documents(connection: psycopg.AsyncConnection[Any]) -> None:
    async with (
        connection.transaction(),
        connection.cursor(name="documents", binary=True) as cursor,
    ):
        await cursor.execute("select digest, body from log.documents")
        async for digest, body in cursor:
            if sha256(body).digest() != digest:
                raise Broken(0, f"document {digest.hex()} is not what was written")

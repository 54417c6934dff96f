"""Reads the whole log again and tells the first place where it is not what was written."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from uuid import UUID

import psycopg
from pydantic import BaseModel

from adapters.postgres.mapper import Mapper
from adapters.postgres.sessions import connect
from domain.merkle import Tree, event_leaf
from domain.model import Event
from domain.values import DocumentRef

PAGE = 5_000
BEFORE_ALL = -(2**63)
READ = """
    select notification_id, originator_id, originator_version, topic, state, metadata,
           timestamptz_send(recorded_at), leaf_hash
    from log.stored_events where notification_id > %b order by notification_id limit %b
"""
HEAD = """
    select h.position, h.position = 0 or e.recorded_at is not distinct from h.recorded_at
    from log.head h left join log.stored_events e on e.notification_id = h.position
"""

Connection = psycopg.AsyncConnection[Any]


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
    """Verify the log of a database; see `verify`."""
    async with await connect(dsn, name="verify") as connection:
        return await verify(connection, seen)


async def verify(connection: Connection, seen: Callable[[Tree], None] = lambda _: None) -> Verified:
    """Recompute every leaf and the tree, then the documents; `seen` gets the tree after each event.

    The log may grow meanwhile. Raises Broken with the first position that does not match.
    """
    least, _ = await _head(connection)
    walk = _Walk(seen)
    position = BEFORE_ALL
    while rows := await _page(connection, position):
        for row in rows:
            walk.step(*row)
        position = walk.tree.size
    most, is_of_its_event = await _head(connection)
    walk.must_end_between(least, most)
    if not is_of_its_event:
        raise Broken(most, "the log's own time is not that of its last event")
    await _verify_documents(connection, walk.documents)
    return Verified(walk.tree.size, walk.tree.root)


class _Walk:
    """What must hold from one event to the next."""

    def __init__(self, seen: Callable[[Tree], None]) -> None:
        self.tree = Tree()
        self.documents: dict[bytes, tuple[int, int]] = {}
        """By digest, where a document was first referred to, and its size."""
        self._mapper = Mapper()
        self._seen = seen
        self._versions: dict[UUID, int] = {}
        self._micros = BEFORE_ALL

    def step(
        self,
        position: int,
        stream_id: UUID,
        version: int,
        topic: str,
        state: bytes,
        metadata: bytes,
        recorded_at: bytes,
        leaf: bytes,
    ) -> None:
        """`recorded_at` is in PostgreSQL's binary form: microseconds since 2000, 8 bytes."""
        if position <= self.tree.size:
            raise Broken(position, "an event stands where none was written")
        if position != self.tree.size + 1:
            raise Broken(self.tree.size + 1, "the event is missing")
        if version != self._versions.get(stream_id, 0) + 1:
            raise Broken(position, f"stream {stream_id} jumps to version {version}")
        micros = int.from_bytes(recorded_at, signed=True)
        if event_leaf(position, micros, stream_id, version, topic, metadata, state) != leaf:
            raise Broken(position, "the event is not what was written")
        if micros < self._micros:
            raise Broken(position, "the event is older than the one before it")
        self._versions[stream_id] = version
        self._micros = micros
        self._note_documents(position, topic, state)
        self.tree.append(leaf)
        self._seen(self.tree)

    def must_end_between(self, least: int, most: int) -> None:
        """The log ends where its head was, or where it has come to since."""
        size = self.tree.size
        if size < least:
            raise Broken(size + 1, f"the log ends here, but {least} events were written")
        if size > most:
            raise Broken(most + 1, "the log should end before this event")

    def _note_documents(self, position: int, topic: str, state: bytes) -> None:
        if b'"digest"' not in state:
            return
        try:
            event = self._mapper.event(topic, state)
        except (LookupError, ValueError):
            return
        for ref in documents_of(event):
            self.documents.setdefault(bytes.fromhex(ref.digest), (position, ref.size))


def documents_of(value: Event | object) -> Iterator[DocumentRef]:
    """Every reference to a document in an event, at any depth."""
    match value:
        case DocumentRef():
            yield value
        case BaseModel():
            for _, field in value:
                yield from documents_of(field)
        case dict():
            for item in value.values():
                yield from documents_of(item)
        case list() | tuple():
            for item in value:
                yield from documents_of(item)


async def _head(connection: Connection) -> tuple[int, bool]:
    """The last position, and whether the log's own time is that of its last event."""
    row = await (await connection.execute(HEAD)).fetchone()
    return (int(row[0]), bool(row[1])) if row else (0, True)


async def _page(connection: Connection, after: int) -> list[Any]:
    cursor = connection.cursor(binary=True)
    await cursor.execute(READ, [after, PAGE], prepare=True)
    return await cursor.fetchall()


async def _verify_documents(connection: Connection, wanted: dict[bytes, tuple[int, int]]) -> None:
    broken: list[tuple[int, str]] = []
    missing = dict(wanted)
    async with (
        connection.transaction(),
        connection.cursor(name="documents", binary=True) as cursor,
    ):
        await cursor.execute("select digest, size, body from log.documents")
        async for digest, size, body in cursor:
            missing.pop(digest, None)
            position, known_size = wanted.get(digest, (0, size))
            if sha256(body).digest() != digest or size != known_size:
                broken.append((position, f"document {digest.hex()} is not what was written"))
    for digest, (position, _) in missing.items():
        broken.append((position, f"document {digest.hex()} is missing"))
    if broken:
        raise Broken(*min(broken, key=lambda found: (found[0] == 0, found[0])))

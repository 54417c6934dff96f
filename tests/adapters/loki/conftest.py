"""A server of our own that answers pushes as it is told, and a log to ship."""

import asyncio
import gzip
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import orjson
import pytest
from psycopg_pool import AsyncConnectionPool

from adapters.postgres.event_store import PostgresEventStore
from adapters.postgres.marks import PostgresMarks, ask_again, parked
from adapters.postgres.migrations import migrate
from adapters.postgres.sessions import open_pool
from adapters.postgres.stream import LogStream
from application.ports import Append, StreamAppend
from domain.model import Actor
from domain.workspaces import WorkspaceRenamed

PATIENCE_SECONDS = 30


@dataclass
class Answerer:
    """Keeps what is pushed; answers 204, or what waits in `answers`, or refuses certain lines."""

    answers: deque[bytes] = field(default_factory=deque)
    refuses: str = ""
    pushes: list[dict[str, Any]] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    requests: list[bytes] = field(default_factory=list)
    url: str = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = next(
                    int(line.split(b":")[1])
                    for line in head.lower().split(b"\r\n")
                    if line.startswith(b"content-length")
                )
                packed = await reader.readexactly(length)
                answer = self._answer(head, packed)
                if not answer:
                    break
                writer.write(answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    def _answer(self, head: bytes, packed: bytes) -> bytes:
        self.requests.append(head)
        if self.answers:
            return self.answers.popleft()
        text = gzip.decompress(packed)
        if self.refuses and self.refuses.encode() in text:
            return answer(400, f"line {self.refuses} is bad")
        self.sizes.append(len(text))
        self.pushes.append(orjson.loads(text))
        return answer(204)

    @property
    def values(self) -> list[tuple[int, str, int]]:
        """Instant, line and position of each entry, as they were pushed."""
        return [
            (int(at), line, int(metadata["position"]))
            for push in self.pushes
            for stream in push["streams"]
            for at, line, metadata in stream["values"]
        ]

    @property
    def positions(self) -> list[int]:
        return [position for _, _, position in self.values]


def answer(status: int, text: str = "", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status} Answer", f"Content-Length: {len(text)}", *headers, "", text]
    return "\r\n".join(lines).encode()


@pytest.fixture
async def answerer() -> AsyncIterator[Answerer]:
    answerer = Answerer()
    server = await asyncio.start_server(answerer.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    answerer.url = f"http://127.0.0.1:{port}"
    yield answerer
    server.close()


@dataclass
class Log:
    """A log of acts in one workspace or more."""

    dsn: str
    store: PostgresEventStore
    pool: AsyncConnectionPool

    async def append(self, count: int = 1, workspace: str | None = "xcjtd", name: str = "n") -> int:
        event = WorkspaceRenamed(name=name, previous_name="b")
        actor = Actor(type="User", name="admin@company.my")
        envelope = {"workspace": workspace, "actor": actor.known}
        append = Append([StreamAppend(uuid4(), 0, [event] * count)], envelope)
        return (await self.store.append(append)).position

    @property
    def stream(self) -> LogStream:
        return LogStream(self.dsn, self.store.mapper.recorded)

    @property
    def marks(self) -> PostgresMarks:
        return PostgresMarks(self.pool, "loki")

    async def asked_again(self, position: int) -> None:
        """Ask for what was set aside, which is this position."""
        assert [each.position for each in await parked(self.pool)] == [position]
        assert await ask_again(self.pool, "loki") == 1

    async def until_parked(self, aside: list[tuple[int, int]]) -> None:
        """Wait until these positions are set aside, after so many tries each."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while [(each.position, each.tries) for each in await parked(self.pool)] != aside:
                await asyncio.sleep(0.02)

    async def shipped(self, position: int) -> None:
        """Wait until it is kept that all up to there was shipped."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while (await self.marks.of([0]))[0].position < position:
                await asyncio.sleep(0.02)


@pytest.fixture
async def log(database: str) -> AsyncIterator[Log]:
    await migrate(database)
    async with (
        PostgresEventStore(database) as store,
        open_pool(database, name="loki", size=2) as pool,
    ):
        yield Log(database, store, pool)

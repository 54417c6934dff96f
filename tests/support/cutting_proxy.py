"""A proxy before PostgreSQL that cuts a connection at a chosen point of an append.

It understands as much of the protocol (version 3.0) as it takes to know where a statement ends and
which prepared statement it runs.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from enum import Enum
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict, make_conninfo

APPEND = b"log.append"


class Cut(Enum):
    """Where a connection is cut."""

    BEFORE = "the statement never reaches the server"
    TORN = "half of the statement reaches the server"
    UNHEARD = "the client goes away while the server is about to carry the statement out"
    AFTER = "the server has committed, and its answer never reaches the client"


class CuttingProxy:
    """`cut` says what happens to the next appends; None lets one pass."""

    def __init__(self, server: Path, folder: Path, name: str) -> None:
        self._server = server / name
        self._socket = folder / name
        self._plan: deque[Cut | None] = deque()
        self._listening: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self._left: set[asyncio.Task[None]] = set()
        self.cuts = 0

    def cut(self, *plan: Cut | None) -> None:
        self._plan.extend(plan)

    @property
    def is_done(self) -> bool:
        """Whether everything planned has happened."""
        return not self._plan

    async def start(self) -> None:
        self._listening = await asyncio.start_unix_server(self._serve, str(self._socket))

    async def close(self) -> None:
        assert self._listening is not None
        self._listening.close()
        for writer in self._open:
            writer.close()
        if self._left:
            await asyncio.wait(self._left, timeout=10)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        session = _Session(self, reader, writer)
        self._open.add(writer)
        try:
            await session.run(str(self._server))
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            self._open.discard(writer)
            writer.close()

    def next_cut(self) -> Cut | None:
        cut = self._plan.popleft() if self._plan else None
        self.cuts += cut is not None
        return cut

    def leave(self, work: "asyncio.Task[None]") -> None:
        """Let the server go on with a session whose client is gone."""
        self._left.add(work)
        work.add_done_callback(self._left.discard)


class _Session:
    """One connection: statements to the server, answers back, until it is cut."""

    def __init__(
        self, proxy: CuttingProxy, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._proxy = proxy
        self._reader = reader
        self._writer = writer
        self._appends: set[bytes] = set()
        self._mutes = False
        self._unanswered = 1
        """What is not answered by "ready": the start, and then more than one at a time perhaps."""
        self._ready = asyncio.Event()

    async def run(self, server: str) -> None:
        server_reader, server_writer = await asyncio.open_unix_connection(server)
        answers = asyncio.create_task(self._answer(server_reader), name="answers")
        try:
            cut = await self._ask(server_writer)
        finally:
            if not self._mutes or answers.done():
                server_writer.close()
                answers.cancel()
        if cut is Cut.UNHEARD:
            self._proxy.leave(asyncio.create_task(_drain(answers, server_writer)))

    async def _ask(self, server: asyncio.StreamWriter) -> Cut | None:
        """Hand statements on, until the client leaves or one of them is cut."""
        server.write(await _message(self._reader, has_kind=False))
        async for statement, is_append in self._statements():
            cut = self._proxy.next_cut() if is_append else None
            if cut is None:
                server.write(statement)
                await server.drain()
                continue
            return await self._cut(cut, statement, server)
        return None

    async def _cut(self, cut: Cut, statement: bytes, server: asyncio.StreamWriter) -> Cut:
        match cut:
            case Cut.TORN:
                server.write(statement[: len(statement) // 2])
            case Cut.UNHEARD:
                self._mutes = True
                server.write(statement)
            case Cut.AFTER:
                self._mutes = True
                server.write(statement)
                await self._ready.wait()
                self._mutes = False
        self._writer.close()
        return cut

    async def _statements(self) -> AsyncIterator[tuple[bytes, bool]]:
        """Messages up to a Sync or a simple Query, and whether an append is among them."""
        messages: list[bytes] = []
        is_append = False
        while True:
            try:
                message = await _message(self._reader)
            except asyncio.IncompleteReadError:
                return
            messages.append(message)
            is_append |= self._looks_at(message)
            if message[:1] in b"SQ":
                self._unanswered += 1
                self._ready.clear()
            if message[:1] in b"SQXp":
                yield b"".join(messages), is_append
                messages, is_append = [], False

    def _looks_at(self, message: bytes) -> bool:
        first, second, *_ = [*message[5:].split(b"\0", 2), b""]
        match message[:1]:
            case b"P" if APPEND in second:
                self._appends.add(first)
            case b"B":
                return second in self._appends
        return False

    async def _answer(self, server: asyncio.StreamReader) -> None:
        while True:
            try:
                message = await _message(server)
            except (OSError, asyncio.IncompleteReadError):
                self._ready.set()
                self._writer.close()
                return
            if message[:1] == b"Z":
                self._unanswered -= 1
                if not self._unanswered:
                    self._ready.set()
            if not self._mutes:
                self._writer.write(message)


async def _message(reader: asyncio.StreamReader, *, has_kind: bool = True) -> bytes:
    head = await reader.readexactly(5 if has_kind else 4)
    return head + await reader.readexactly(int.from_bytes(head[-4:]) - 4)


async def _drain(answers: "asyncio.Task[None]", server: asyncio.StreamWriter) -> None:
    await asyncio.wait([answers], timeout=10)
    server.close()
    answers.cancel()


@asynccontextmanager
async def cutting_proxy(
    dsn: str, folder: Path, plan: Iterable[Cut | None] = ()
) -> AsyncIterator[tuple[CuttingProxy, str]]:
    """A proxy before the server of a connection string over a unix socket, and its own string."""
    parts = conninfo_to_dict(dsn)
    proxy = CuttingProxy(Path(str(parts["host"])), folder, f".s.PGSQL.{parts['port']}")
    proxy.cut(*plan)
    await proxy.start()
    try:
        yield proxy, make_conninfo(dsn, host=str(folder))
    finally:
        await proxy.close()

"""Whoever does not read is cut off: in time, and sooner when all together leave too much here."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from adapters.http.answers import Answer
from adapters.http.unread_answers import MIN_BYTES_PER_SECOND, PERIOD_SECONDS, UnreadAnswers
from tests.adapters.http.wiring import serving

MIB = 1 << 20
GET = b"GET /%b HTTP/1.1\r\nHost: localhost\r\n\r\n"
LARGE = 24 * MIB
"""More than the kernel takes for one connection."""


@dataclass
class Large:
    """Answers with much; tells how many answers it began, and which of its clients are gone."""

    begun: list[str] = field(default_factory=list)
    gone: dict[str, asyncio.Event] = field(default_factory=dict)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        name = scope["path"]
        self.begun.append(name)
        if not name.startswith("/stream"):
            await Answer(200, b"x" * LARGE)(scope, receive, send)
            return
        gone = self.gone[name] = asyncio.Event()
        waiting = asyncio.ensure_future(_gone(receive, gone))
        await send({"type": "http.response.start", "status": 200, "headers": []})
        while not gone.is_set():
            await send({"type": "http.response.body", "body": b"x" * 65_536, "more_body": True})
            await asyncio.sleep(0)
        await waiting


async def _gone(receive: Receive, gone: asyncio.Event) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    gone.set()


class Client:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def ask(self, *names: str) -> None:
        self.writer.write(b"".join(GET % name.encode() for name in names))
        await self.writer.drain()

    async def takes_an_answer(self) -> bool:
        """Whether the whole answer comes; False when the connection ends before."""
        try:
            await self.reader.readuntil(b"\r\n\r\n")
            return len(await self.reader.readexactly(LARGE)) == LARGE
        except (asyncio.IncompleteReadError, ConnectionError):
            return False


@asynccontextmanager
async def clients_of(app: ASGIApp, count: int) -> AsyncIterator[list[Client]]:
    async with serving(app) as port:
        clients = [
            Client(*await asyncio.open_connection("127.0.0.1", port, limit=4096))
            for _ in range(count)
        ]
        try:
            yield clients
        finally:
            for client in clients:
                client.writer.transport.abort()


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not holds():
            await asyncio.sleep(0.01)


async def test_who_reads_nothing_of_a_stream_is_cut_off_in_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(UnreadAnswers, "period_seconds", 0.2)
    app = Large()
    async with clients_of(app, 1) as (client,):
        await client.ask("stream")
        await until(lambda: "/stream" in app.gone)
        async with asyncio.timeout(20):
            await app.gone["/stream"].wait()


async def test_who_reads_nothing_of_an_answer_is_cut_off_in_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Also when the server has closed the connection and only waits for it to be read."""
    monkeypatch.setattr(UnreadAnswers, "period_seconds", 0.2)
    app = Large()
    async with clients_of(app, 2) as (silent, other):
        await silent.ask("a")
        await other.ask("stream")
        await until(lambda: "/stream" in app.gone)
        async with asyncio.timeout(20):
            await app.gone["/stream"].wait()
        assert not await silent.takes_an_answer()


async def test_answers_that_nobody_reads_do_not_pile_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(UnreadAnswers, "max_bytes", 4 * LARGE)
    app = Large()
    async with clients_of(app, 13) as (reading, *silent):
        for client in silent:
            await client.ask("a")
        await until(lambda: len(app.begun) == len(silent))
        for _ in range(3):
            await reading.ask("b")
            assert await reading.takes_an_answer()
        taken = [await client.takes_an_answer() for client in silent]
        assert 1 <= sum(taken) <= 4


async def test_who_has_not_read_the_last_answer_gets_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    app = Large()
    async with clients_of(app, 2) as (client, other):
        await client.ask("first", "second")
        await until(lambda: "/first" in app.begun)
        await other.ask("other")
        assert await other.takes_an_answer()
        assert "/second" not in app.begun
        assert await client.takes_an_answer()
        assert await client.takes_an_answer()


@dataclass(eq=False)
class Reader:
    """A connection as it is watched."""

    unread_bytes: int
    is_full: bool = True
    is_cut: bool = False

    def abort(self) -> None:
        self.is_cut = True


@pytest.mark.parametrize(
    ("bytes_per_second", "is_cut"),
    [(0, True), (1, True), (MIN_BYTES_PER_SECOND - 100, True), (MIN_BYTES_PER_SECOND, False)],
)
async def test_a_client_must_read_at_some_speed(bytes_per_second: int, is_cut: bool) -> None:
    reader = Reader(100 * MIB)
    answers = UnreadAnswers([reader])
    for second in range(int(1.25 * PERIOD_SECONDS) + 1):
        answers.look(float(second))
        reader.unread_bytes -= bytes_per_second
    assert reader.is_cut is is_cut


async def test_who_reads_in_between_is_not_cut_off() -> None:
    reader = Reader(MIB)
    answers = UnreadAnswers([reader])
    for second in range(100):
        answers.look(float(second))
        reader.is_full = second % 10 != 9
    assert not reader.is_cut


async def test_of_too_much_the_slowest_reader_goes() -> None:
    readers = [Reader(UnreadAnswers.max_bytes // 3) for _ in range(4)]
    answers = UnreadAnswers(readers)
    for reader in readers[:3]:
        answers.filled(reader)
    readers[0].unread_bytes -= 5 * MIB
    readers[2].unread_bytes -= 5 * MIB
    answers.filled(readers[3])
    assert [reader.is_cut for reader in readers] == [False, True, False, False]

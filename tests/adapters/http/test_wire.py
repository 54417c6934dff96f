"""A connection is bounded before it is a request, and who goes too far is told why."""

import asyncio
from collections.abc import AsyncIterator
from typing import Self

import orjson
import pytest
from starlette.types import Receive, Scope, Send

from adapters.http.answers import Answer
from adapters.http.wire import MOST_HEAD_BYTES, BoundedProtocol
from tests.adapters.http.wiring import serving

MIB = 1024 * 1024
GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n"
POST = b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Tell how many bytes of body came."""
    size, more = 0, True
    while more:
        message = await receive()
        more = message.get("more_body", False) and message["type"] == "http.request"
        size += len(message.get("body", b""))
    await Answer(200, str(size).encode())(scope, receive, send)


class Client:
    """A client that says what it likes, byte by byte."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._others: list[Self] = []

    async def say(self, text: bytes) -> None:
        self._writer.write(text)
        await self._writer.drain()

    async def say_for_ever(self, text: bytes) -> int:
        """The bytes that were taken until the server had enough."""
        said = 0
        try:
            while said < 256 * MIB:
                await self.say(text)
                said += len(text)
        except ConnectionError:
            pass
        return said

    async def answer(self) -> tuple[int, bytes]:
        head = await self._reader.readuntil(b"\r\n\r\n")
        lines = head.decode().lower().split("\r\n")
        length = next(int(line[16:]) for line in lines if line.startswith("content-length: "))
        return int(lines[0].split()[1]), await self._reader.readexactly(length)

    async def refusal(self) -> tuple[int, str]:
        """The status and the code of the problem with which the connection ends."""
        status, body = await self.answer()
        assert await self._reader.read() == b""
        return status, orjson.loads(body)["error"]

    async def must_have_ended(self) -> None:
        async with asyncio.timeout(10):
            assert await self._reader.read() == b""

    async def has_ended_after(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                return await self._reader.read(1) == b""
        except TimeoutError:
            return False

    async def again(self) -> Self:
        """Another connection."""
        address = self._writer.get_extra_info("peername")
        self._others.append(type(self)(*await asyncio.open_connection(*address)))
        return self._others[-1]

    def close(self) -> None:
        for client in (self, *self._others):
            client._writer.close()


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    async with serving(echo) as port:
        client = Client(*await asyncio.open_connection("127.0.0.1", port))
        yield client
        client.close()


async def test_requests_come_in_pieces_and_one_after_another(client: Client) -> None:
    await client.say(GET[:9])
    await client.say(GET[9:] + b"A: b\r\n")
    await client.say(b"\r\n" + POST + b"3\r\nabc\r\n0\r\nLate: yes\r\n\r\n" + GET + b"\r\n")
    assert [await client.answer() for _ in range(3)] == [(200, b"0"), (200, b"3"), (200, b"0")]


async def test_a_head_may_be_large(client: Client) -> None:
    await client.say(GET + b"A: " + b"a" * (MOST_HEAD_BYTES - 100) + b"\r\n\r\n")
    assert await client.answer() == (200, b"0")


async def test_a_large_body_in_many_small_chunks_is_no_head(client: Client) -> None:
    await client.say(POST + b"4;name=value\r\nabcd\r\n" * 100_000 + b"0\r\n\r\n")
    assert await client.answer() == (200, b"400000")


@pytest.mark.parametrize("line", [b"A: b\r\n", b"A: " + b"b" * 30_000 + b"\r\n"])
async def test_a_head_that_is_complete_and_too_large_is_refused(
    client: Client, line: bytes
) -> None:
    await client.say(GET + line * (1 + MOST_HEAD_BYTES // (len(line) - 4)) + b"\r\n")
    assert await client.refusal() == (431, "head_too_large")


@pytest.mark.parametrize("begin", [b"GET /", GET + b"A: ", GET + b"A", b"G"])
async def test_a_head_without_an_end_is_refused_in_time(client: Client, begin: bytes) -> None:
    await client.say(begin)
    assert await client.say_for_ever(b"a" * 16_384) < 16 * MIB


async def test_headers_without_an_end_are_refused_in_time(client: Client) -> None:
    await client.say(GET)
    assert await client.say_for_ever(b"A: b\r\n" * 1_000) < 16 * MIB


async def test_an_address_that_is_too_long_is_refused(client: Client) -> None:
    await client.say(b"GET /" + b"a" * MOST_HEAD_BYTES + b" HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert await client.refusal() == (431, "head_too_large")


@pytest.mark.parametrize("begin", [b"0\r\nLate: ", b"3;", b"0"])
async def test_trailers_and_extensions_without_an_end_are_refused(
    client: Client, begin: bytes
) -> None:
    await client.say(POST + b"3\r\nabc\r\n" + begin)
    assert await client.say_for_ever((b"0" if begin == b"0" else b"a") * 16_384) < 16 * MIB


async def test_what_is_no_http_is_refused(client: Client) -> None:
    await client.say(b"\x16\x03\x01\x02\x00\x01")
    assert await client.refusal() == (400, "bad_request")


@pytest.mark.parametrize("begin", [b"G", b"GET", GET])
async def test_a_head_that_does_not_come_in_time_ends_the_connection(
    monkeypatch: pytest.MonkeyPatch, client: Client, begin: bytes
) -> None:
    monkeypatch.setattr(BoundedProtocol, "head_seconds", 0.2)
    again = await client.again()
    await again.say(begin)
    assert await again.refusal() == (408, "head_too_slow")


async def test_who_says_nothing_is_told_nothing(
    monkeypatch: pytest.MonkeyPatch, client: Client
) -> None:
    monkeypatch.setattr(BoundedProtocol, "head_seconds", 0.2)
    again = await client.again()
    await again.must_have_ended()


async def test_a_body_that_nobody_reads_ends_with_its_connection(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(BoundedProtocol, "head_seconds", 0.2)
    async with serving(Answer(200, b"early")) as port:
        client = Client(*await asyncio.open_connection("127.0.0.1", port))
        await client.say(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n")
        assert await client.answer() == (200, b"early")
        async with asyncio.timeout(10):
            while not await client.has_ended_after(0.02):
                await client.say(b"a")
        client.close()


async def test_between_requests_nobody_is_in_a_hurry(
    monkeypatch: pytest.MonkeyPatch, client: Client
) -> None:
    monkeypatch.setattr(BoundedProtocol, "head_seconds", 0.0)
    for _ in range(3):
        await client.say(GET + b"\r\n")
        assert await client.answer() == (200, b"0")

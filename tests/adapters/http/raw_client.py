"""A client of HTTP/1.1 that sends what no library would: any bytes as target, header or body."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

Lines = Iterable[tuple[bytes, bytes]]
ANSWER_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer; of a live stream only its head."""

    status: int
    headers: dict[str, str]
    body: bytes = b""

    @property
    def text(self) -> str:
        return self.body.decode(errors="replace")


class RawClient:
    """One connection at a time, kept while the server keeps it."""

    def __init__(self, port: int, host: str) -> None:
        self._port = port
        self._host = host.encode()
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None

    async def ask(
        self, method: str, target: bytes, headers: Lines = (), body: bytes | None = None
    ) -> Answer:
        """The answer to a request that names this server, unless `headers` do."""
        lines = list(headers)
        if not any(name.lower() == b"host" for name, _ in lines):
            lines.insert(0, (b"Host", self._host))
        if body is not None and not any(name.lower() == b"content-length" for name, _ in lines):
            lines.append((b"Content-Length", str(len(body)).encode()))
        head = b"".join(b"%s: %s\r\n" % line for line in lines)
        return await self.say(b"%s %s HTTP/1.1\r\n%s\r\n" % (method.encode(), target, head), body)

    async def say(self, head: bytes, body: bytes | None = None) -> Answer:
        """The answer to any bytes."""
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port, limit=1 << 24)
        reader, writer = self._streams
        writer.write(head + (body or b""))
        async with asyncio.timeout(ANSWER_SECONDS):
            return await self._answer(reader, is_head=head.startswith(b"HEAD "))

    async def _answer(self, reader: asyncio.StreamReader, *, is_head: bool) -> Answer:
        lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        status = int(lines[0].split()[1])
        if status < 200:
            return await self._answer(reader, is_head=is_head)
        headers = dict(_named(line) for line in lines[1:] if line)
        if headers.get("content-type", "").startswith("text/event-stream"):
            self.close()
            return Answer(status, headers)
        body = b"" if is_head or status in (204, 304) else await _body(reader, headers)
        if headers.get("connection") == "close" or reader.at_eof():
            self.close()
        return Answer(status, headers, body)


def _named(line: str) -> tuple[str, str]:
    name, _, value = line.partition(":")
    return name.strip().lower(), value.strip()


async def _body(reader: asyncio.StreamReader, headers: dict[str, str]) -> bytes:
    if "content-length" in headers:
        return await reader.readexactly(int(headers["content-length"]))
    if "chunked" not in headers.get("transfer-encoding", ""):
        return b""
    parts: list[bytes] = []
    while size := int(await reader.readline(), 16):
        parts.append(await reader.readexactly(size))
        await reader.readline()
    await reader.readline()
    return b"".join(parts)

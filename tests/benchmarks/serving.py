"""A POST with token, validation and idempotency against the same server without a database.

Both are the whole application on one uvicorn in a process of its own, asked over 64 kept-alive
connections from another process; the one is `quarterdeck api` on PostgreSQL, the other keeps its
events in memory.
"""

import asyncio
import sys
import time
from collections.abc import Iterator
from uuid import uuid4

import uvloop

from tests.benchmarks.bench import KEYS, Database, Figure, folder, median_of, on_each_server
from tests.support.quarterdeck import Quarterdeck
from tests.support.servers.processes import end, free_port, spawn, wait_until

CONNECTIONS = 64
SECONDS = 4.0


def run() -> Iterator[Figure]:
    yield from on_each_server(_figures)


def _figures(database: Database) -> Iterator[Figure]:
    with folder() as place:
        program = Quarterdeck(place, database_url=database.process, keys=KEYS)
        try:
            program.start("api")
            token = program.token("--global")
            null_port = free_port()
            null = spawn(
                [
                    *[sys.executable, "-m", "tests.benchmarks.null_server"],
                    *[str(null_port), str(place / "token")],
                ],
                place / "null.log",
            )
            wait_until(lambda: _listens(null_port), null, place / "null.log", 20)
            null_token = (place / "token").read_text()
            nothing = median_of(lambda: uvloop.run(_posts(null_port, null_token)))
            ours = median_of(lambda: uvloop.run(_posts(program.port, token)))
            end(null)
        finally:
            program.close()
    told = f"{ours:,.0f}/s; null {nothing:,.0f}/s"
    yield Figure("http_command_vs_null", ours / nothing, 0.6, told=told)


def _listens(port: int) -> bool:
    import socket

    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


async def _posts(port: int, token: str) -> float:
    """Commands a second, each with an Idempotency-Key of its own."""
    count = 0
    end_at = time.perf_counter() + SECONDS

    async def client() -> None:
        nonlocal count
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while time.perf_counter() < end_at:
            writer.write(_request(port, token))
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 20"), head
            await reader.readexactly(_length(head))
            count += 1
        writer.close()

    await asyncio.gather(*(client() for _ in range(CONNECTIONS)))
    return count / SECONDS


def _request(port: int, token: str) -> bytes:
    word = uuid4().hex
    body = f'{{"name":"Production","slug":"w{word[:12]}"}}'.encode()
    return (
        f"POST /api/v1/workspaces HTTP/1.1\r\nHost: localhost:{port}\r\n"
        f"X-Auth-Token: {token}\r\nContent-Type: application/json\r\n"
        f"Idempotency-Key: {word}\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode() + body


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    raise AssertionError(head)

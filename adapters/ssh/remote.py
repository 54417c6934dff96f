"""A command on a host: what it is given, and what it answers after the mark."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager

import asyncssh

from adapters.ssh.failures import Failed, HostGone

MARK = b"--quarterdeck--\n"
"""What comes before it is the host's profile's own."""
CHUNK_BYTES = 64 * 1024
WINDOW_BYTES = 256 * 1024
"""What a host may send before it was read: bounds the memory of one followed script."""
ANSWER_BYTES = 128 * 1024

Process = asyncssh.SSHClientProcess[bytes]


async def ask(connection: asyncssh.SSHClientConnection, command: str, given: bytes = b"") -> bytes:
    """What the command answers. Raises HostGone, or Failed with the host's own words."""
    with _host_may_go():
        process: Process = await connection.create_process(command, encoding=None)
        try:
            process.stdin.write(given)
            process.stdin.write_eof()
            output, words = await asyncio.gather(_some(process.stdout), _some(process.stderr))
            await process.wait_closed()
        finally:
            process.close()
    if process.exit_status is None or process.exit_status < 0:
        raise HostGone("the connection was lost")
    _, mark, answer = output.partition(MARK)
    if process.exit_status != 0 or not mark:
        said = (words.strip() or output.strip() or b"nothing").decode(errors="replace")
        raise Failed(f"The host refuses to work (exit code {process.exit_status}): {said[-500:]}")
    return answer


async def listen(
    connection: asyncssh.SSHClientConnection, command: str, last_words: list[bytes]
) -> AsyncGenerator[bytes, None]:
    """What the command prints, as it comes, and then what it said beside. Raises HostGone."""
    with _host_may_go():
        process: Process = await connection.create_process(
            command, encoding=None, window=WINDOW_BYTES
        )
        try:
            async for chunk in _after_mark(process.stdout):
                yield chunk
            last_words.append(await _some(process.stderr))
        finally:
            process.close()


async def _some(reader: asyncssh.SSHReader[bytes]) -> bytes:
    """All that is written, kept up to ANSWER_BYTES."""
    kept = bytearray()
    while chunk := await reader.read(CHUNK_BYTES):
        kept += chunk[: ANSWER_BYTES - len(kept)]
    return bytes(kept)


async def _after_mark(reader: asyncssh.SSHReader[bytes]) -> AsyncGenerator[bytes, None]:
    before = b""
    while chunk := await reader.read(CHUNK_BYTES):
        before += chunk
        _, mark, after = before.partition(MARK)
        if mark:
            break
        before = before[-ANSWER_BYTES:]
    else:
        return
    if after:
        yield after
    while chunk := await reader.read(CHUNK_BYTES):
        yield chunk


@contextmanager
def _host_may_go() -> Iterator[None]:
    try:
        yield
    except asyncssh.Error as error:
        raise HostGone(error.reason or "the connection was lost") from error
    except OSError as error:
        raise HostGone(str(error) or "the connection was lost") from error

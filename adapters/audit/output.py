"""An output takes whole lines, waits for a reader that is slow, and knows when there is none."""

import asyncio
import errno
import logging
import os
import select
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress

logger = logging.getLogger(__name__)

PIPE_BYTES = 4096
"""What a pipe takes all or nothing (PIPE_BUF): a process that is killed leaves no part of it."""
WAIT_SECONDS = 0.02
FULL_SECONDS = 1.0
CLOSED = {errno.EPIPE, errno.EBADF, errno.EIO, errno.ECONNRESET}


class OutputIsClosed(Exception):
    """Nobody reads what is written."""


class Output:
    """An open file, by its descriptor; writing never holds up what else the process does."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._poll = select.poll()
        self._poll.register(descriptor, select.POLLOUT)

    async def write(self, lines: Iterable[bytes]) -> None:
        """Write the lines, each with its end. Raises OutputIsClosed."""
        for piece in _pieces(lines):
            await self._write(piece)

    async def _write(self, piece: bytes) -> None:
        while piece:
            try:
                await self._wait()
                piece = piece[os.write(self._descriptor, piece) :]
            except BlockingIOError:
                await asyncio.sleep(WAIT_SECONDS)
            except OSError as error:
                if error.errno in CLOSED:
                    raise OutputIsClosed from None
                logger.warning("audit lines wait: %s", error.strerror)
                await asyncio.sleep(FULL_SECONDS)

    async def _wait(self) -> None:
        # After this a piece fits into a pipe, so that the write itself does not wait.
        while not self._poll.poll(0):
            await asyncio.sleep(WAIT_SECONDS)
        await asyncio.sleep(0)


def standard_output() -> Output | None:
    """This process's standard output; None when it was started without one."""
    with suppress(AttributeError, OSError, ValueError):
        sys.stdout.flush()
        return Output(sys.stdout.fileno())
    return None


def _pieces(lines: Iterable[bytes]) -> Iterator[bytes]:
    """As many whole lines as a pipe takes at once; a longer line in parts."""
    piece = b""
    for line in lines:
        if piece and len(piece) + len(line) > PIPE_BYTES:
            yield piece
            piece = b""
        piece += line
        while len(piece) > PIPE_BYTES:
            yield piece[:PIPE_BYTES]
            piece = piece[PIPE_BYTES:]
    if piece:
        yield piece

"""Commands on a host, one at a time: what each is given, and what it answers after the mark."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import asyncssh

from adapters.ssh.failures import CommandDied, Failed, HostGone, SessionRefused

MARK = b"--quarterdeck--\n"
"""What comes before it is the host's profile's own."""
CHUNK_BYTES = 64 * 1024
WINDOW_BYTES = 256 * 1024
"""What a host may send before it was read: bounds the memory of one followed script."""
ANSWER_BYTES = 128 * 1024
MAX_SAID_CHARACTERS = 500
SESSION_PAUSES_SECONDS = (0.02, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6)
"""A server with MaxSessions 1 frees its session a moment after it has told of the end."""
LOST = "the connection was lost"

Process = asyncssh.SSHClientProcess[bytes]


class RemoteCommands:
    """Runs commands over one connection; a command that says nothing for `answer_seconds` is given
    up, which a log-in shell that waits for a key stroke never would be."""

    def __init__(self, connection: asyncssh.SSHClientConnection, answer_seconds: float) -> None:
        self._connection = connection
        self._answer_seconds = answer_seconds

    async def ask(self, command: str, given: bytes = b"") -> bytes:
        """What the command answers.

        Raises HostGone, CommandDied when it did not begin, or Failed with the host's own words.
        """
        with _host_may_go():
            process = await self._open(command)
            try:
                async with asyncio.timeout(self._answer_seconds):
                    output, words = await _answered(process, given)
            except TimeoutError:
                raise self._no_answer() from None
            finally:
                process.close()
        _, mark, answer = output.partition(MARK)
        if not mark:
            raise self._died(process, words.strip() or output.strip())
        if process.exit_status is None or process.exit_status < 0:
            raise HostGone(LOST)
        if process.exit_status != 0:
            said = _shown(words.strip() or b"nothing")
            raise Failed(f"The host refuses to work (exit code {process.exit_status}): {said}")
        return answer

    async def listen(self, command: str, last_words: list[bytes]) -> AsyncGenerator[bytes, None]:
        """What the command prints, as it comes, and then what it said beside.

        Raises HostGone, or CommandDied when it did not begin.
        """
        with _host_may_go():
            process = await self._open(command, window=WINDOW_BYTES)
            try:
                async for chunk in self._after_mark(process):
                    yield chunk
                last_words.append(await _some(process.stderr))
                await process.wait_closed()
            finally:
                process.close()

    async def _open(self, command: str, **options: Any) -> Process:
        """A session for the command, on the connection that is there: another log-in is dearer."""
        for pause in SESSION_PAUSES_SECONDS:
            try:
                return await self._connection.create_process(command, encoding=None, **options)
            except asyncssh.ChannelOpenError as refused:
                reason = refused.reason
                await asyncio.sleep(pause)
            if self._connection.is_closed():
                raise HostGone(LOST)
        raise SessionRefused(
            f"lets us in and opens no session ({reason}); MaxSessions in its sshd_config must be "
            "at least 1"
        )

    async def _after_mark(self, process: Process) -> AsyncGenerator[bytes, None]:
        before = b""
        try:
            async with asyncio.timeout(self._answer_seconds):
                while MARK not in before:
                    chunk = await process.stdout.read(CHUNK_BYTES)
                    if not chunk:
                        words = await _some(process.stderr)
                        raise self._died(process, words.strip() or before.strip())
                    before = before[-ANSWER_BYTES:] + chunk
        except TimeoutError:
            raise self._no_answer() from None
        if after := before.partition(MARK)[2]:
            yield after
        while chunk := await process.stdout.read(CHUNK_BYTES):
            yield chunk

    def _no_answer(self) -> CommandDied:
        return CommandDied(
            f"lets us in, and a command gets no answer within {self._answer_seconds:g} s; what its "
            "log-in shell or a ForceCommand runs may be waiting for something"
        )

    def _died(self, process: Process, said: bytes) -> HostGone:
        """Why the command has not begun; without a word the connection may have ended."""
        if process.exit_signal:
            how = f"signal {process.exit_signal[0]}"
        elif process.exit_status is not None and process.exit_status >= 0:
            how = f"exit code {process.exit_status}"
        elif self._connection.is_closed():
            return HostGone(LOST)
        else:
            how = "no exit code"
        text = f"lets us in, and its log-in shell ends instead of running our command: {how}"
        return CommandDied(f"{text}. It says: {_shown(said)}" if said else text)


async def _answered(process: Process, given: bytes) -> tuple[bytes, bytes]:
    # A command that has ended already takes nothing; why it ended is told by what follows.
    with suppress(BrokenPipeError):
        process.stdin.write(given)
        process.stdin.write_eof()
    answer = await asyncio.gather(_some(process.stdout), _some(process.stderr))
    await process.wait_closed()
    return answer[0], answer[1]


def _shown(said: bytes) -> str:
    return said.decode(errors="replace")[-MAX_SAID_CHARACTERS:]


async def _some(reader: asyncssh.SSHReader[bytes]) -> bytes:
    """All that is written, kept up to ANSWER_BYTES."""
    kept = bytearray()
    while chunk := await reader.read(CHUNK_BYTES):
        kept += chunk[: ANSWER_BYTES - len(kept)]
    return bytes(kept)


@contextmanager
def _host_may_go() -> Iterator[None]:
    try:
        yield
    except asyncssh.Error as error:
        raise HostGone(error.reason or LOST) from error
    except OSError as error:
        raise HostGone(str(error) or LOST) from error

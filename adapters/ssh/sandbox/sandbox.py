"""A sandbox as the hub sees it: started, given commands, and ended whole."""

import asyncio
import errno
import json
import os
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any, Self

from adapters.ssh.sandbox.init import CANNOT_EXECUTE, PACKET_BYTES

_TREE = Path(__file__).resolve().parents[3]
_BEGIN = (
    "import sys; sys.path.insert(0, sys.argv[1]); "
    "from adapters.ssh.sandbox.init import main; main(*sys.argv[2:])"
)
_START_SECONDS = 30.0
_KILLED = 137


class NoSandbox(Exception):
    """Commands cannot be confined on this machine; the sentence says why."""


class Sandbox:
    """Lives inside `async with`; whatever was started in it dies with it, detached or not.

    Its home is in memory; what is in it is saved to `folder` at the end, and is there again the
    next time. Raises NoSandbox on entering.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._answers: dict[int, asyncio.Future[int]] = {}
        self._count = 0
        self.ended = asyncio.Event()
        """Set when it has ended, which it does not do by itself unless it is killed."""

    async def __aenter__(self) -> Self:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self.process = _start_init(theirs.fileno(), self._folder)
        try:
            async with asyncio.timeout(_START_SECONDS):
                await self._become_ready()
        except BaseException:
            await self._close()
            raise
        asyncio.get_running_loop().add_reader(self._socket, self._hear)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        asyncio.get_running_loop().remove_reader(self._socket)
        await self._close()
        self._end()

    def start(self, command: str | None, streams: Sequence[int]) -> asyncio.Future[int]:
        """Start a shell command; the exit code to come, 137 when the sandbox ends before.

        `streams` are the descriptors of its input, output and errors, which stay the caller's. No
        command is a shell that reads its commands.
        """
        answer = asyncio.get_running_loop().create_future()
        self._count += 1
        asked = json.dumps({"id": self._count, "command": command})
        try:
            _send(self._socket, asked.encode(), streams)
        except OSError:
            answer.set_result(CANNOT_EXECUTE)
        else:
            self._answers[self._count] = answer
        return answer

    async def _become_ready(self) -> None:
        self._socket.setblocking(False)
        packet = await asyncio.get_running_loop().sock_recv(self._socket, PACKET_BYTES)
        answer = json.loads(packet) if packet else {"refused": "its first process has ended"}
        if "refused" in answer:
            raise NoSandbox(answer["refused"])

    def _hear(self) -> None:
        try:
            packet = self._socket.recv(PACKET_BYTES)
        except BlockingIOError:
            return
        except ConnectionError:
            packet = b""
        if packet:
            self._take(json.loads(packet))
        else:
            asyncio.get_running_loop().remove_reader(self._socket)
            self._end()

    def _take(self, answer: dict[str, Any]) -> None:
        waiting = self._answers.pop(answer["id"])
        if not waiting.done():
            waiting.set_result(answer["code"])

    def _end(self) -> None:
        for waiting in self._answers.values():
            if not waiting.done():
                waiting.set_result(_KILLED)
        self._answers.clear()
        self.ended.set()

    async def _close(self) -> None:
        self._socket.close()
        await asyncio.to_thread(self.process.wait)


def _send(hub: socket.socket, packet: bytes, streams: Sequence[int]) -> None:
    """Raises OSError, also when the packet would be cut."""
    if len(packet) > PACKET_BYTES:
        raise OSError(errno.EMSGSIZE, os.strerror(errno.EMSGSIZE))
    socket.send_fds(hub, [packet], list(streams))


def _start_init(descriptor: int, folder: Path) -> subprocess.Popen[bytes]:
    """Not by the loop, for uvloop leaves copies of its own files open in what it starts."""
    begin = (sys.executable, "-I", "-S", "-X", "utf8", "-c", _BEGIN, str(_TREE))
    return subprocess.Popen(
        [*begin, str(descriptor), str(folder.absolute())],
        stdin=subprocess.DEVNULL,
        pass_fds=[descriptor],
        env={},
        cwd="/",
        start_new_session=True,
    )


async def sandbox_obstacle() -> str | None:
    """Why commands cannot be confined on this machine; None where they can."""
    with TemporaryDirectory(prefix="quarterdeck-sandbox-") as folder:
        try:
            async with Sandbox(Path(folder)):
                return None
        except (NoSandbox, OSError, TimeoutError) as error:
            return str(error)

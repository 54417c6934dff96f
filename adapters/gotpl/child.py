"""A worker as its parent sees it: started, asked, and killed when it does not answer in time."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Self

from adapters.gotpl.frames import HEAD_BYTES, BrokenFrame, Frame, length_in, unpacked
from adapters.gotpl.limits import Limits

_ROOT = Path(__file__).resolve().parents[2]
_BEGIN = (
    "import sys; sys.path.insert(0, sys.argv[1]); "
    "from adapters.gotpl.worker import main; main(sys.argv[2])"
)
_START_SECONDS = 60.0
_POLL_SECONDS = 0.005

_Process = subprocess.Popen[bytes]


class DoesNotStart(Exception):
    """The worker ended, or said nothing, before it was ready."""


class NeverBegan(Exception):
    """The worker had ended before it got the job; another one can do it."""


class BrokeOff(Exception):
    """The worker ended in the middle of a section, or had to be ended."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class Child:
    """One worker process, in a session of its own, with one socket and nothing else of ours.

    It is not started by the loop, for uvloop leaves copies of its own files open in what it starts.
    """

    def __init__(
        self,
        process: _Process,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        limits: Limits,
    ) -> None:
        self._process = process
        self._reader = reader
        self._writer = writer
        self._limits = limits
        self.is_fit = True

    @classmethod
    async def start(cls, limits: Limits) -> Self:
        """A worker that is ready. Raises DoesNotStart."""
        ours, theirs = socket.socketpair()
        with theirs:
            process = subprocess.Popen(
                [*(sys.executable, "-I", "-X", "utf8", "-c", _BEGIN), str(_ROOT), _said(limits)],
                stdin=theirs.fileno(),
                stdout=theirs.fileno(),
                env={"TZ": "UTC"},
                cwd="/",
                start_new_session=True,
            )
        child = cls(process, *await asyncio.open_unix_connection(sock=ours), limits)
        try:
            await child._become_ready()
        except BaseException:
            await child.end()
            raise
        return child

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    async def _become_ready(self) -> None:
        try:
            async with asyncio.timeout(_START_SECONDS):
                await self._next()
        except (TimeoutError, BrokenFrame) as error:
            raise DoesNotStart from error

    async def ask(self, job: bytes, count: int, seconds: float, answers: list[Frame]) -> None:
        """Append an answer for each of `count` sections, as they come.

        Raises NeverBegan, or BrokeOff about the section after the last answer. Ask again only
        while the child `is_fit`.
        """
        self.is_fit = False
        wanted = len(answers) + count
        try:
            async with asyncio.timeout(seconds):
                await self._begin(job)
                while len(answers) < wanted:
                    answers.append(await self._next())
        except TimeoutError:
            raise BrokeOff(self._limits.in_vain) from None
        except BrokenFrame:
            raise BrokeOff("took more memory or time than it may, and was ended") from None
        self.is_fit = answers[-1]["is_fit"]

    async def _begin(self, job: bytes) -> None:
        try:
            self._writer.write(job)
            await self._writer.drain()
            await self._next()
        except (OSError, BrokenFrame) as error:
            raise NeverBegan from error

    async def _next(self) -> Frame:
        try:
            head = await self._reader.readexactly(HEAD_BYTES)
            return unpacked(await self._reader.readexactly(length_in(head)))
        except (asyncio.IncompleteReadError, OSError) as error:
            raise BrokenFrame("the worker has ended") from error

    async def end(self) -> None:
        """Kill the worker and whatever it may have started, and wait until it is gone."""
        self.is_fit = False
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._writer.close()
        while self.is_alive:
            await asyncio.sleep(_POLL_SECONDS)


def _said(limits: Limits) -> str:
    return json.dumps(asdict(limits))

"""How a process lives: until a signal, or until one of its parts ends against expectation."""

import asyncio
import signal
from collections.abc import Coroutine
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Any, Self

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Stopped(Exception):
    """Someone asked the process to stop."""


class Lifetime(AbstractAsyncContextManager["Lifetime"]):
    """Runs the parts of a process side by side until a signal ends them all.

    A part that raises ends the process: a half-alive process helps nobody.
    """

    def __init__(self) -> None:
        self._group = asyncio.TaskGroup()
        self.stopping = asyncio.Event()

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        for number in SIGNALS:
            loop.add_signal_handler(number, self.stopping.set)
        await self._group.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        try:
            await self._group.__aexit__(kind, error, trace)
        except* Stopped:
            pass
        finally:
            loop = asyncio.get_running_loop()
            for number in SIGNALS:
                loop.remove_signal_handler(number)
        return kind is Stopped

    def start(self, name: str, part: Coroutine[Any, Any, Any]) -> "asyncio.Task[Any]":
        """Run a part beside the others."""
        task = self._group.create_task(part, name=name)
        task.add_done_callback(self._look_at)
        return task

    def _look_at(self, ended: "asyncio.Task[Any]") -> None:
        """A part that was cancelled by nobody has failed; the group would not even notice."""
        if ended.cancelled() and not ended.cancelling():
            self._group.create_task(_fail(ended.get_name()))

    async def until_stopped(self) -> None:
        """Wait for the signal, then end every part."""
        await self.stopping.wait()
        raise Stopped


async def _fail(name: str) -> None:
    raise RuntimeError(f"{name} was cancelled by nobody")

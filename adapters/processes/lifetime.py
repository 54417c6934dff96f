"""How a process lives: until a signal, or until one of its parts ends against expectation."""

import asyncio
import signal
from collections.abc import Coroutine
from contextlib import AbstractAsyncContextManager
from functools import partial
from types import TracebackType
from typing import Any, Self

from adapters.shutdown import CURRENT

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Stopped(Exception):
    """Someone asked the process to stop."""


class Lifetime(AbstractAsyncContextManager["Lifetime"]):
    """Runs the parts of a process side by side until a signal ends them all.

    A part that raises ends the process: a half-alive process helps nobody.
    """

    def __init__(self) -> None:
        self._group = asyncio.TaskGroup()
        self._parts: list[asyncio.Task[Any]] = []
        self._handlers: dict[int, Any] = {}
        self.stopping = asyncio.Event()

    async def __aenter__(self) -> Self:
        # Python's own handlers: they run while a part blocks the loop, and start the deadline.
        loop = asyncio.get_running_loop()
        for number in SIGNALS:
            self._handlers[number] = signal.signal(number, partial(self._stop, loop))
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
            for number, handler in self._handlers.items():
                signal.signal(number, handler)
        return kind is Stopped

    def start(self, name: str, part: Coroutine[Any, Any, Any]) -> "asyncio.Task[Any]":
        """Run a part beside the others."""
        task = self._group.create_task(part, name=name)
        task.add_done_callback(self._look_at)
        self._parts.append(task)
        return task

    def _stop(self, loop: asyncio.AbstractEventLoop, *_: object) -> None:
        if (deadline := CURRENT.get()) is not None:
            deadline.start(self._unfinished)
        loop.call_soon_threadsafe(self.stopping.set)

    def _unfinished(self) -> list[str]:
        return [part.get_name() for part in self._parts if not part.done()]

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

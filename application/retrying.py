"""Does something again until the database is there."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeVar

from application.ports import Overloaded, Unavailable

FIRST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 5.0

Result = TypeVar("Result")


async def patiently(act: Callable[[], Awaitable[Result]]) -> Result:
    """What it gives; only Unavailable and Overloaded are waited out."""
    async for _ in _pauses():
        try:
            return await act()
        except (Unavailable, Overloaded):
            continue
    raise AssertionError("pauses never end")


async def _pauses() -> AsyncIterator[None]:
    pause = FIRST_PAUSE_SECONDS
    while True:
        yield
        await asyncio.sleep(pause)
        pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

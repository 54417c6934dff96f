"""A process lives as long as all of its parts do."""

import asyncio

import pytest

from adapters.processes.lifetime import Lifetime


async def test_a_part_that_was_cancelled_by_nobody_ends_the_process() -> None:
    """Some library's cancellation came out of it: the process would live on without the part."""

    async def part() -> None:
        future = asyncio.get_running_loop().create_future()
        future.cancel()
        await future

    async def live() -> None:
        async with Lifetime() as life:
            life.start("relay", part())
            await life.until_stopped()

    with pytest.raises(ExceptionGroup) as caught:
        await live()
    assert str(caught.value.exceptions[0]) == "relay was cancelled by nobody"


async def test_parts_are_cancelled_when_it_is_to_stop() -> None:
    ended = []

    async def part() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("part")

    async with Lifetime() as life:
        life.start("part", part())
        asyncio.get_running_loop().call_soon(life.stopping.set)
        await life.until_stopped()
    assert ended == ["part"]

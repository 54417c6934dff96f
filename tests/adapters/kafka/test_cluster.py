"""What asks Kafka something ends in time and with a fault, whatever becomes of its client."""

import asyncio
from contextlib import suppress

import pytest

from adapters.kafka.cluster import close_in_time, in_time, is_ours


async def cancelled_by_nobody() -> None:
    """As aiokafka's consumer stops when its broker is away."""
    future = asyncio.get_running_loop().create_future()
    future.cancel()
    await future


async def deaf() -> None:
    """Hears no cancellation, the first time."""
    with suppress(asyncio.CancelledError):
        await asyncio.Event().wait()
    await asyncio.Event().wait()


async def test_what_was_cancelled_by_nobody_is_a_fault_and_not_the_end_of_who_waits() -> None:
    with pytest.raises(ConnectionAbortedError):
        await in_time(5, cancelled_by_nobody())
    await close_in_time(cancelled_by_nobody)


async def test_what_hears_no_cancellation_is_left_alone() -> None:
    with pytest.raises(TimeoutError):
        await in_time(0.05, deaf())


async def test_a_cancellation_of_our_own_goes_through() -> None:
    async def wait() -> bool:
        try:
            return await in_time(30, asyncio.Event().wait())
        except asyncio.CancelledError:
            assert is_ours()
            raise

    waiting = asyncio.create_task(wait())
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_a_cancellation_by_nobody_is_none_of_ours() -> None:
    with pytest.raises(asyncio.CancelledError):
        await cancelled_by_nobody()
    assert not is_ours()

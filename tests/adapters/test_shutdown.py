"""A process that was told to stop ends in time, and says which part did not."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from adapters.shutdown import FORCED

PROCESS = """
import asyncio, time
from adapters import running
from adapters.observability import logs
from adapters.processes.lifetime import Lifetime

async def swallows_its_cancellation():
    while True:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            pass

async def blocks_the_loop():
    await asyncio.sleep(0)
    print("ready", flush=True)
    time.sleep(3600)

async def ends_well():
    await asyncio.Event().wait()

async def serve():
    logs.configure("json", process="test")
    async with Lifetime() as life:
        life.start("the well-behaved", ends_well())
        life.start("the culprit", {part}())
        await asyncio.sleep(0)
        print("ready", flush=True)
        await life.until_stopped()

running.run(serve(), shutdown_seconds=0.5)
"""


@contextmanager
def process(part: str) -> Iterator[subprocess.Popen[str]]:
    """A process of that part, once it runs."""
    source = PROCESS.replace("{part}", part)
    with subprocess.Popen(
        [sys.executable, "-c", source], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == "ready\n"
        yield running
        running.kill()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("part", ["swallows_its_cancellation", "blocks_the_loop"])
def test_a_part_that_does_not_end_is_named_and_the_process_ends(
    part: str, number: signal.Signals
) -> None:
    with process(part) as running:
        running.send_signal(number)
        _, errors = running.communicate(timeout=10)
    assert running.returncode == FORCED
    assert "The process did not stop within 0.5 s" in errors
    assert "the culprit" in errors


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_process_whose_parts_end_says_nothing(number: signal.Signals) -> None:
    with process("ends_well") as running:
        running.send_signal(number)
        _, errors = running.communicate(timeout=10)
    assert (running.returncode, errors) == (0, "")

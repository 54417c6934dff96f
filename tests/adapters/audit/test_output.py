"""An output waits for a slow reader without holding up anything else, and leaves no half lines."""

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.audit.output import PIPE_BYTES, Output, OutputIsClosed, _pieces, standard_output

Pipe = tuple[int, int]


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    reading, writing = os.pipe()
    yield reading, writing
    for descriptor in (reading, writing):
        try:
            os.close(descriptor)
        except OSError:
            continue


async def read(descriptor: int, size: int) -> bytes:
    found = b""
    while len(found) < size:
        found += await asyncio.to_thread(os.read, descriptor, size - len(found))
    return found


async def test_lines_arrive_whole_and_in_order(pipe: Pipe) -> None:
    reading, writing = pipe
    lines = [b"%d %s\n" % (n, b"x" * (n * 37 % 9000)) for n in range(300)]
    wanted = b"".join(lines)

    found, _ = await asyncio.gather(read(reading, len(wanted)), Output(writing).write(lines))

    assert found == wanted


async def test_each_write_is_whole_lines_that_a_pipe_takes_at_once(pipe: Pipe) -> None:
    reading, writing = pipe
    lines = [b"%d %s\n" % (n, b"x" * 300) for n in range(40)]

    await Output(writing).write(lines)

    # Whatever was written when the writer was killed ends with a whole line.
    pieces = list(_pieces(lines))
    assert await read(reading, sum(map(len, lines))) == b"".join(pieces)
    assert all(piece.endswith(b"\n") and len(piece) <= PIPE_BYTES for piece in pieces)


async def test_a_reader_that_has_stopped_stops_nothing_else(pipe: Pipe) -> None:
    reading, writing = pipe
    lines = [b"x" * 999 + b"\n"] * 500

    printing = asyncio.create_task(Output(writing).write(lines))
    turns = 0
    async with asyncio.timeout(10):
        while turns < 1_000:
            await asyncio.sleep(0)
            turns += 1
    assert not printing.done()

    assert await read(reading, 500_000) == b"".join(lines)
    await printing


async def test_an_output_that_does_not_block_is_written_to_the_end(pipe: Pipe) -> None:
    reading, writing = pipe
    os.set_blocking(writing, False)
    lines = [b"y" * 7_000 + b"\n"] * 100

    found, _ = await asyncio.gather(read(reading, 700_100), Output(writing).write(lines))

    assert found == b"".join(lines)


async def test_it_is_said_when_nobody_reads(pipe: Pipe) -> None:
    reading, writing = pipe
    output = Output(writing)
    os.close(reading)

    with pytest.raises(OutputIsClosed):
        await output.write([b"a line\n"])


async def test_it_is_said_when_the_output_was_closed(pipe: Pipe) -> None:
    _, writing = pipe
    output = Output(writing)
    os.close(writing)

    with pytest.raises(OutputIsClosed):
        await output.write([b"a line\n"])


async def test_a_file_is_an_output_too(tmp_path: Path) -> None:
    with (tmp_path / "audit.log").open("wb") as file:
        await Output(file.fileno()).write([b"one\n", b"two\n"])

    assert (tmp_path / "audit.log").read_bytes() == b"one\ntwo\n"


def test_a_process_may_have_no_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    # pytest's own standard output has no descriptor while it captures.
    assert standard_output() is None

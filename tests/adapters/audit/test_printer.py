"""Every act is printed, in order, again only what was under way; and printing stops nobody."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import IO, Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest

from adapters.audit.output import Output
from adapters.audit.printer import AuditPrinter
from adapters.postgres.event_store import PostgresEventStore
from adapters.postgres.migrations import migrate
from adapters.postgres.stream import PAGE_RECORDS
from application.ports import Append, Mark, Marks, Page, StreamAppend
from domain.audit import audit_line
from domain.clusters import ClusterRendered
from domain.model import Event, Recorded
from domain.workspaces import WorkspaceRenamed

RENAMED = WorkspaceRenamed(name="after", previous_name="before")


class Pages:
    """A stream of the given pages, and then of nothing; also the log that they are of."""

    def __init__(self, *pages: Page) -> None:
        self._pages = pages

    async def read(self, after: int = 0, limit: int = 500) -> Sequence[Recorded]:
        records = [record for page in self._pages for record in page.records]
        return [record for record in records if record.position > after][:limit]

    async def follow(self, marks: Marks) -> AsyncIterator[Page]:
        for page in self._pages:
            mark = (await marks([page.partition]))[page.partition]
            if page.next_offset > mark.offset:
                yield page
        await asyncio.Event().wait()


class Kept:
    """Marks in memory."""

    def __init__(self) -> None:
        self.marks: dict[int, Mark] = {}
        self.parked: dict[int, str] = {}
        self.again: set[int] = set()

    async def of(self, partitions: Collection[int]) -> Mapping[int, Mark]:
        return {number: self.marks.get(number, Mark()) for number in partitions}

    async def save(self, partition: int, mark: Mark) -> None:
        self.marks[partition] = mark

    async def park(self, position: int, reason: str) -> None:
        self.parked[position] = reason
        self.again.discard(position)

    async def asked(self, limit: int) -> Sequence[int]:
        return sorted(self.again)[:limit]

    async def settle(self, positions: Collection[int]) -> None:
        for position in positions:
            del self.parked[position]
            self.again.remove(position)


def page(*events: Event, after: int = 0) -> Page:
    records = [
        Recorded(event, uuid4(), 1, after + n, datetime.now(UTC), b"{}")
        for n, event in enumerate(events, start=1)
    ]
    upto = after + len(records)
    return Page(0, records, upto + 1, upto)


class Printed:
    """A printer whose output is a pipe."""

    def __init__(self, stream: Pages, kept: Kept, **options: Any) -> None:
        self.reading, self._writing = os.pipe()
        given = {"zone": UTC, "ask_seconds": 0.01, **options}
        self.printer = AuditPrinter(stream, stream, kept, Output(self._writing), **given)

    def lines(self) -> list[bytes]:
        os.close(self._writing)
        with os.fdopen(self.reading, "rb") as file:
            return file.read().splitlines()


async def run_until_marked(printed: Printed, kept: Kept, position: int) -> None:
    task = asyncio.create_task(printed.printer.run())
    async with asyncio.timeout(10):
        while kept.marks.get(0, Mark()).position < position:
            await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.wait([task])


@pytest.mark.parametrize("form", ["json", "text"])
async def test_each_act_is_a_line_and_then_it_is_marked(form: Any) -> None:
    given, kept = (
        page(RENAMED, ClusterRendered(rendering=1, sections={}, engine="e"), RENAMED),
        Kept(),
    )
    printed = Printed(Pages(given), kept, form=form)

    await run_until_marked(printed, kept, 3)

    acts = [given.records[0], given.records[2]]
    assert [line.decode() for line in printed.lines()] == [audit_line(r, UTC, form) for r in acts]
    assert kept.marks == {0: Mark(4, 3)}


async def test_what_was_marked_is_not_printed_again() -> None:
    first, second, kept = page(RENAMED), page(RENAMED, RENAMED, after=1), Kept()
    await run_until_marked(Printed(Pages(first), kept), kept, 1)
    printed = Printed(Pages(first, second), kept)

    await run_until_marked(printed, kept, 3)

    assert [json.loads(line)["position"] for line in printed.lines()] == [2, 3]


class Unread(Event):
    stored_topic: str


async def test_what_cannot_be_told_is_set_aside_and_stops_no_other() -> None:
    kept = Kept()
    printed = Printed(Pages(page(RENAMED, Unread(stored_topic="cluster.moved"), RENAMED)), kept)

    await run_until_marked(printed, kept, 3)

    assert len(printed.lines()) == 2
    assert kept.parked == {2: "cluster.moved cannot be read here"}


async def test_what_was_set_aside_is_printed_when_it_is_asked_for_and_can_be_told() -> None:
    kept, unread = Kept(), page(RENAMED, Unread(stored_topic="cluster.moved"), RENAMED)
    await run_until_marked(Printed(Pages(unread), kept), kept, 3)
    kept.again = {2}
    later = Printed(Pages(page(RENAMED, RENAMED, RENAMED)), kept)
    task = asyncio.create_task(later.printer.run())
    async with asyncio.timeout(10):
        while kept.parked:
            await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.wait([task])

    assert [json.loads(line)["position"] for line in later.lines()] == [2]


async def test_what_still_cannot_be_told_stays_aside() -> None:
    kept = Kept()
    printed = Printed(Pages(page(RENAMED, Unread(stored_topic="cluster.moved"))), kept)
    kept.parked, kept.again = {2: "before"}, {2}

    await printed.printer.print_again()

    assert (kept.parked, kept.again) == ({2: "cluster.moved cannot be read here"}, set())


async def test_when_nobody_reads_the_printer_ends_and_marks_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    kept = Kept()
    printed = Printed(Pages(page(RENAMED)), kept)
    os.close(printed.reading)

    await asyncio.wait_for(printed.printer.run(), 10)

    assert kept.marks == {}
    assert "nobody reads standard output" in caplog.text


def printer_process(dsn: str, form: str) -> "subprocess.Popen[bytes]":
    program = [sys.executable, "-m", "tests.adapters.audit.printer_process", dsn, form]
    return subprocess.Popen(program, stdout=subprocess.PIPE)


def lines_of(output: IO[bytes], position: int) -> list[bytes]:
    """Whole lines up to that of a position, as a collector takes them up."""
    found = []
    for line in output:
        found.append(line)
        if json.loads(line[line.index(b"{") :])["position"] >= position:
            break
    return found


async def append(store: PostgresEventStore, counts: Sequence[int]) -> None:
    envelope = {
        "workspace_id": uuid4(),
        "workspace": "xcjtd",
        "actor": {"type": "User", "name": "a"},
    }
    for count in counts:
        await store.append(Append([StreamAppend(uuid4(), 0, [RENAMED] * count)], envelope))


@pytest.mark.slow
@pytest.mark.parametrize("form", ["json", "text"])
async def test_a_printer_killed_at_any_moment_loses_no_line(database: str, form: Any) -> None:
    await migrate(database)
    total, printed = 6_000, b""
    async with PostgresEventStore(database) as store:
        await append(store, [500] * 12)
        for position in (900, 2_500, 4_800, total):
            process = printer_process(database, form)
            assert process.stdout is not None
            lines = await asyncio.to_thread(lines_of, process.stdout, position)
            process.kill()
            rest = await asyncio.to_thread(process.stdout.read)
            process.wait()
            process.stdout.close()
            printed += b"".join(lines) + rest
        everything: Sequence[Recorded] = await store.read(limit=total)

    lines_printed = printed.decode().splitlines()
    zone = ZoneInfo("Europe/Moscow")
    expected = {r.position: audit_line(r, zone, form) for r in everything}
    positions = [json.loads(line[line.index("{") :])["position"] for line in lines_printed]
    assert list(dict.fromkeys(positions)) == list(range(1, total + 1))
    assert all(expected[p] == line for p, line in zip(positions, lines_printed, strict=True))
    # Each time, what is printed again is no more than a page.
    assert all(
        after == before + 1 or 0 <= before - after < PAGE_RECORDS
        for before, after in pairwise(positions)
    )


@pytest.mark.slow
async def test_a_process_whose_output_is_closed_goes_on_without_printing(database: str) -> None:
    await migrate(database)
    process = printer_process(database, "json")
    assert process.stdout is not None
    process.stdout.close()
    async with PostgresEventStore(database) as store:
        await append(store, [1])

    # Its printing is all that this one does, so it ends, and in peace.
    assert await asyncio.to_thread(process.wait, 30) == 0

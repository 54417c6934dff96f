"""The real Loki has every audit line once, whatever happened to it or to those who ship."""

import asyncio
import random
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from adapters.loki.shipper import LokiShipper
from adapters.postgres.marks import ask_again, parked
from application.ports import Append, StreamAppend
from domain.audit import audit_line, audit_nanoseconds
from domain.clusters import ClusterRenderFailed, RenderError
from domain.model import Recorded
from tests.adapters.loki.conftest import PATIENCE_SECONDS, Log
from tests.support import servers

pytestmark = [pytest.mark.full, pytest.mark.timeout(300)]

PAGE = 5_000


async def found(url: str, query: str, log: Log) -> list[tuple[int, str, Mapping[str, str]]]:
    """Instant, line and labels of every entry that the query gives, in order of time."""
    events = await log.store.read(limit=100_000)
    begin, end = audit_nanoseconds(events[0]), audit_nanoseconds(events[-1]) + 1
    entries: list[tuple[int, str, Mapping[str, str]]] = []
    async with httpx2.AsyncClient(base_url=url, timeout=60) as http:
        while True:
            asked: dict[str, str | int] = {
                "query": query,
                "start": begin,
                "end": end,
                "limit": PAGE,
            }
            answer = await http.get(
                "/loki/api/v1/query_range", params=asked | {"direction": "forward"}
            )
            answer.raise_for_status()
            page = sorted(_entries(answer.json()), key=lambda e: e[0])
            entries += page
            if len(page) < PAGE:
                return entries
            begin = page[-1][0] + 1


def _entries(answer: Any) -> list[tuple[int, str, Mapping[str, str]]]:
    return [
        (int(at), line, stream["stream"])
        for stream in answer["data"]["result"]
        for at, line in stream["values"]
    ]


async def lines_are_all_there(url: str, workspace: str, log: Log) -> None:
    events = [r for r in await log.store.read(limit=100_000) if r.metadata.workspace == workspace]
    wanted = [(audit_nanoseconds(r), audit_line(r, UTC)) for r in events]
    # Loki answers queries a moment after it took a push.
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            got = await found(url, f'{{app="quarterdeck", workspace="{workspace}"}}', log)
            if len(got) >= len(wanted):
                break
            await asyncio.sleep(0.1)
    assert [(at, line) for at, line, _ in got] == wanted


@pytest.fixture
def workspace() -> str:
    """A workspace that no other test's Loki stream is about."""
    return f"w-{uuid4().hex[:8]}"


@asynccontextmanager
async def shipping(log: Log, url: str) -> AsyncIterator[None]:
    shipper = LokiShipper(
        log.stream, log.store, log.marks, url, zone=UTC, linger_seconds=0.05, ask_seconds=0.2
    )
    task = asyncio.create_task(shipper.run())
    yield
    task.cancel()
    await asyncio.wait([task])


async def test_what_an_administrator_asks_for_is_found(
    log: Log, loki_server: servers.LokiServer, workspace: str
) -> None:
    last = await log.append(20, workspace)

    async with shipping(log, loki_server.url):
        await log.shipped(last)

    await lines_are_all_there(loki_server.url, workspace, log)
    query = f'{{tags="[\\"audit\\"]", workspace="{workspace}"}} | json | position="{last}"'
    ((_, line, labels),) = await found(loki_server.url, query, log)
    (event,) = await log.store.read(last - 1)
    assert line == audit_line(event, UTC)
    assert labels["user_name"] == "admin@company.my"
    assert labels["action"] == "update"


@pytest.mark.parametrize("more", ["/", "/loki/api/v1/push", "/loki/api/v1/push/"])
async def test_the_address_may_name_the_push_path(
    log: Log, loki_server: servers.LokiServer, workspace: str, more: str
) -> None:
    last = await log.append(3, workspace)
    async with shipping(log, loki_server.url + more):
        await log.shipped(last)
    await lines_are_all_there(loki_server.url, workspace, log)


async def test_a_loki_that_takes_no_structured_metadata_gets_the_lines_without_positions(
    log: Log, own_loki: servers.LokiServer, workspace: str, caplog: pytest.LogCaptureFixture
) -> None:
    await asyncio.to_thread(own_loki.stop)
    own_loki.configure(takes_metadata=False)
    await asyncio.to_thread(own_loki.start)
    async with shipping(log, own_loki.url):
        await log.shipped(await log.append(20, workspace))
        await log.shipped(await log.append(20, workspace))
    await lines_are_all_there(own_loki.url, workspace, log)
    assert caplog.text.count("allow_structured_metadata") == 1


async def test_labels_are_few_and_the_position_is_no_label(
    log: Log, loki_server: servers.LokiServer, workspace: str
) -> None:
    last = await log.append(20, workspace)

    async with shipping(log, loki_server.url):
        await log.shipped(last)

    async with httpx2.AsyncClient(base_url=loki_server.url, timeout=60) as http:
        answer = await http.get(
            "/loki/api/v1/series", params={"match[]": f'{{workspace="{workspace}"}}'}
        )
    (series,) = answer.json()["data"]
    assert {name: series[name] for name in ("app", "tags", "workspace")} == {
        "app": "quarterdeck",
        "tags": '["audit"]',
        "workspace": workspace,
    }
    assert series.keys() <= {"app", "tags", "workspace", "service_name"}


async def test_the_same_batch_again_leaves_no_double(
    log: Log, loki_server: servers.LokiServer, workspace: str
) -> None:
    last = await log.append(500, workspace)
    for _ in range(3):
        async with log.pool.connection() as connection:
            await connection.execute("delete from deliveries.marks")
        async with shipping(log, loki_server.url):
            await log.shipped(last)

    await lines_are_all_there(loki_server.url, workspace, log)


async def test_the_same_again_is_known_though_it_is_hours_behind_the_newest(
    log: Log, loki_server: servers.LokiServer, workspace: str
) -> None:
    long_ago = await log.append(20, workspace)
    last = await log.append(20, workspace)
    async with log.pool.connection() as connection:
        await connection.execute(
            "update log.stored_events set recorded_at = recorded_at - interval '2 hours'"
            " where notification_id <= %s",
            [long_ago],
        )
    for _ in range(2):
        async with log.pool.connection() as connection:
            await connection.execute("delete from deliveries.marks")
        async with shipping(log, loki_server.url):
            await log.shipped(last)

    assert await parked(log.pool) == []
    await lines_are_all_there(loki_server.url, workspace, log)


async def test_a_line_that_loki_refuses_is_set_aside(
    log: Log, loki_server: servers.LokiServer, workspace: str
) -> None:
    await log.append(30, workspace)
    too_long = await _append_a_long_one(log, workspace)
    last = await log.append(30, workspace)

    async with shipping(log, loki_server.url):
        await log.shipped(last)

    (aside,) = await parked(log.pool)
    assert aside.position == too_long.position
    assert "max entry size" in aside.reason.lower()
    got = await found(loki_server.url, f'{{workspace="{workspace}"}}', log)
    assert len(got) == 60


async def test_what_loki_finds_too_old_is_set_aside_and_shipped_once_loki_takes_it(
    log: Log, own_loki: servers.LokiServer, workspace: str
) -> None:
    await asyncio.to_thread(own_loki.stop)
    own_loki.configure(rejects_old=True)
    await asyncio.to_thread(own_loki.start)
    old = await log.append(40, workspace)
    last = await log.append(40, workspace)
    async with log.pool.connection() as connection:
        await connection.execute(
            "update log.stored_events set recorded_at = recorded_at - interval '10 days'"
            " where notification_id <= %s",
            [old],
        )

    async with shipping(log, own_loki.url):
        await log.shipped(last)
        aside = await parked(log.pool)
        assert sorted(each.position for each in aside) == list(range(1, old + 1))
        assert all("timestamp too old" in each.reason for each in aside)

        own_loki.configure(rejects_old=False)
        await asyncio.to_thread(own_loki.stop)
        await asyncio.to_thread(own_loki.start)
        assert await ask_again(log.pool, "loki") == old
        await log.until_parked([])

    await asyncio.to_thread(own_loki.flush)
    await lines_are_all_there(own_loki.url, workspace, log)


async def _append_a_long_one(log: Log, workspace: str) -> Recorded:
    event = ClusterRenderFailed(
        errors=(RenderError(section="s", detail="x" * 300_000),), engine="e"
    )
    appended = await log.store.append(
        Append([StreamAppend(uuid4(), 0, [event])], {"workspace": workspace})
    )
    (recorded,) = await log.store.read(appended.position - 1, 1)
    return recorded


def shipper_process(log: Log, url: str) -> "subprocess.Popen[bytes]":
    program = [sys.executable, "-m", "tests.adapters.loki.shipper_process", log.dsn, url]
    return subprocess.Popen(program)


async def test_a_shipper_killed_at_any_moment_loses_nothing_and_leaves_no_double(
    log: Log, loki_server: servers.LokiServer, workspace: str
) -> None:
    chance, last = random.Random(17), 0
    for _ in range(6):
        for _ in range(10):
            last = await log.append(100, workspace)
        process = shipper_process(log, loki_server.url)
        await log.shipped(last - chance.randrange(900))
        process.kill()
        process.wait()

    async with shipping(log, loki_server.url):
        await log.shipped(last)

    await lines_are_all_there(loki_server.url, workspace, log)


@pytest.mark.parametrize("how", ["stop", "kill"])
async def test_a_loki_that_was_away_gets_everything(
    log: Log, own_loki: servers.LokiServer, workspace: str, how: str
) -> None:
    last = await log.append(300, workspace)
    async with shipping(log, own_loki.url):
        await log.shipped(last)
        await asyncio.to_thread(own_loki.kill if how == "kill" else own_loki.stop)
        for _ in range(10):
            last = await log.append(100, workspace)
        await asyncio.to_thread(own_loki.start)
        await log.shipped(last)

    await lines_are_all_there(own_loki.url, workspace, log)

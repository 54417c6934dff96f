"""The shipper batches, waits, halves and sets aside; what Loki makes of it is for the real one."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from adapters.loki.shipper import PUSH_BYTES, LokiShipper
from adapters.postgres.marks import parked
from domain.audit import audit_line, audit_nanoseconds
from tests.adapters.loki.conftest import Answerer, Log, answer


@asynccontextmanager
async def shipping(log: Log, url: str, **options: Any) -> AsyncIterator["asyncio.Task[None]"]:
    quick = {"linger_seconds": 0.05, "first_pause_seconds": 0.02, "ask_seconds": 0.05}
    shipper = LokiShipper(
        log.stream, log.store, log.marks, url, **{"zone": UTC, **quick, **options}
    )
    task = asyncio.create_task(shipper.run())
    yield task
    task.cancel()
    await asyncio.wait([task])
    if not task.cancelled():
        task.result()


async def test_an_entry_is_the_line_at_its_own_instant_with_its_position(
    log: Log, answerer: Answerer
) -> None:
    last = await log.append(3)

    async with shipping(log, answerer.url):
        await log.shipped(last)

    assert answerer.values == [
        (audit_nanoseconds(r), audit_line(r, UTC), r.position) for r in await log.store.read()
    ]
    (push,) = answerer.pushes
    (stream,) = push["streams"]
    assert stream["stream"] == {"app": "quarterdeck", "tags": '["audit"]', "workspace": "xcjtd"}


async def test_each_workspace_is_a_stream_and_no_workspace_is_one_too(
    log: Log, answerer: Answerer
) -> None:
    await log.append(2, "a")
    last = await log.append(2, None)

    async with shipping(log, answerer.url):
        await log.shipped(last)

    assert {s["stream"]["workspace"] for push in answerer.pushes for s in push["streams"]} == {
        "a",
        "-",
    }


async def test_what_comes_within_the_wait_is_one_push(log: Log, answerer: Answerer) -> None:
    async with shipping(log, answerer.url, linger_seconds=1):
        for _ in range(20):
            last = await log.append()
        await log.shipped(last)

    assert answerer.positions == list(range(1, last + 1))
    assert len(answerer.pushes) <= 2


async def test_pushes_stay_below_their_size(log: Log, answerer: Answerer) -> None:
    for _ in range(8):
        last = await log.append(1_000, name='a "quoted" name')

    async with shipping(log, answerer.url):
        await log.shipped(last)

    assert answerer.positions == list(range(1, last + 1))
    assert max(answerer.sizes) <= PUSH_BYTES + 1_000
    assert len(answerer.pushes) >= 3


TROUBLES = {
    "empty ring": answer(500, "the ring is empty"),
    "starting": answer(503),
    "too fast": answer(429, "slow down", "Retry-After: 0.1"),
    "unknown": answer(401, "who are you"),
    "elsewhere": answer(404, "no such page"),
    "moved": answer(307, "", "Location: /elsewhere"),
    "cut off": b"",
    "not HTTP": b"not HTTP at all\r\n\r\n",
}


@pytest.mark.parametrize("trouble", TROUBLES.values(), ids=TROUBLES.keys())
async def test_trouble_that_no_line_is_the_cause_of_is_waited_for(
    log: Log, answerer: Answerer, trouble: bytes
) -> None:
    answerer.answers.extend([trouble] * 3)
    last = await log.append(5)

    async with shipping(log, answerer.url):
        await log.shipped(last)

    assert answerer.positions == [1, 2, 3, 4, 5]
    assert len(answerer.requests) == 4
    assert await parked(log.pool) == []


@pytest.mark.slow
async def test_pauses_grow(log: Log, answerer: Answerer) -> None:
    times: list[float] = []
    answerer.answers.extend([answer(503)] * 5)
    await log.append()

    async with shipping(log, answerer.url, first_pause_seconds=0.05):
        async with asyncio.timeout(30):
            while len(answerer.requests) < 6:
                if len(answerer.requests) > len(times):
                    times.append(time.monotonic())
                await asyncio.sleep(0.001)

    pauses = [after - before for before, after in pairwise(times)]
    assert pauses[-1] > 4 * 0.05 * 0.5 * 2
    assert sum(pauses[2:]) > 2 * sum(pauses[:2])


async def test_a_server_that_asks_for_time_gets_it(log: Log, answerer: Answerer) -> None:
    answerer.answers.append(answer(429, "", "Retry-After: 0.6"))
    last = await log.append()
    started = time.monotonic()

    async with shipping(log, answerer.url):
        await log.shipped(last)

    assert time.monotonic() - started >= 0.6


async def test_a_line_that_is_refused_is_set_aside_with_the_reason_and_stops_no_other(
    log: Log, answerer: Answerer
) -> None:
    await log.append(50)
    bad = await log.append(1, name="poison")
    last = await log.append(50)
    answerer.refuses = "poison"

    async with shipping(log, answerer.url):
        await log.shipped(last)

    assert answerer.positions == [n for n in range(1, last + 1) if n != bad]
    (aside,) = await parked(log.pool)
    assert (aside.reader, aside.position, aside.reason) == (
        "loki",
        bad,
        "400: line poison is bad",
    )
    # Halving, not one by one.
    assert len(answerer.requests) < 30


async def test_what_was_set_aside_is_shipped_when_it_is_asked_for(
    log: Log, answerer: Answerer, caplog: pytest.LogCaptureFixture
) -> None:
    await log.append(3)
    bad = await log.append(1, name="poison")
    last = await log.append(3)
    answerer.refuses = "poison"

    async with shipping(log, answerer.url):
        await log.shipped(last)
        assert f"position {bad} is not in Loki: 400: line poison is bad" in caplog.text
        await log.asked_again(bad)
        await log.until_parked([(bad, 2)])
        answerer.refuses = ""
        await log.asked_again(bad)
        await log.until_parked([])

    assert answerer.positions == [1, 2, 3, 5, 6, 7, bad]
    labels = [stream["stream"] for push in answerer.pushes for stream in push["streams"]]
    assert labels[-1] == {**labels[0], "late": "true"}


async def test_what_comes_late_when_it_is_asked_for_is_not_taken_for_shipped(
    log: Log, answerer: Answerer
) -> None:
    bad = await log.append(1, name="poison")
    answerer.refuses = "poison"

    async with shipping(log, answerer.url):
        await log.shipped(bad)
        answerer.answers.append(answer(400, "entry too far behind, entry timestamp is: 2025-06-18"))
        await log.asked_again(bad)
        await log.until_parked([(bad, 2)])

    (aside,) = await parked(log.pool)
    assert "too far behind" in aside.reason


async def test_lines_that_are_too_old_are_set_aside_at_once(log: Log, answerer: Answerer) -> None:
    """Loki with `reject_old_samples` takes what is not too old of a push, and refuses the push."""
    old = await log.append(60)
    last = await log.append(60)
    async with log.pool.connection() as connection:
        await connection.execute(
            "update log.stored_events set recorded_at = recorded_at - interval '30 days'"
            " where notification_id <= %s",
            [old],
        )
    oldest = datetime.now(UTC) - timedelta(days=7)
    answerer.answers.append(
        answer(
            400,
            "entry for stream '{app=\"quarterdeck\"}' has timestamp too old: 2025-01-01T00:00:00Z,"
            f" oldest acceptable timestamp is: {oldest:%Y-%m-%dT%H:%M:%SZ}\n",
        )
    )

    async with shipping(log, answerer.url):
        await log.shipped(last)

    assert answerer.positions == list(range(old + 1, last + 1))
    assert len(answerer.requests) == 2
    aside = await parked(log.pool)
    assert sorted(each.position for each in aside) == list(range(1, old + 1))
    assert all("timestamp too old" in each.reason for each in aside)


async def test_what_loki_has_already_is_not_set_aside(log: Log, answerer: Answerer) -> None:
    answerer.answers.append(answer(400, "entry too far behind, entry timestamp is: 2025-06-18"))
    last = await log.append()

    async with shipping(log, answerer.url):
        await log.shipped(last)

    assert await parked(log.pool) == []


async def test_it_waits_for_a_server_that_is_not_there(log: Log, answerer: Answerer) -> None:
    last = await log.append(3)
    server = await asyncio.start_server(Answerer().serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()

    async with shipping(log, f"http://127.0.0.1:{port}"):
        shipped = asyncio.create_task(log.shipped(last))
        done, _ = await asyncio.wait([shipped], timeout=0.3)
        assert not done
        server = await asyncio.start_server(answerer.serve, "127.0.0.1", port)
        await shipped
    server.close()

    assert answerer.positions == [1, 2, 3]


async def test_the_next_shipper_goes_on_from_the_mark(log: Log, answerer: Answerer) -> None:
    last = await log.append(3)
    async with shipping(log, answerer.url):
        await log.shipped(last)
    last = await log.append(2)

    async with shipping(log, answerer.url):
        await log.shipped(last)

    assert answerer.positions == [1, 2, 3, 4, 5]


async def test_a_tenant_is_named(log: Log, answerer: Answerer) -> None:
    last = await log.append()

    async with shipping(log, answerer.url, tenant="fleet"):
        await log.shipped(last)

    assert b"x-scope-orgid: fleet" in answerer.requests[0].lower()

"""The live feed: in order, from any position, to each what they may know, and never unbounded."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import httpx2
import orjson
import pytest

from adapters.http.edge import FeedEnded, FellBehind
from adapters.http.feed import LogFeed
from adapters.postgres.stream import LogStream
from application.workspaces import RenameWorkspace
from domain.secrets import MASK
from tests.adapters.http.house import House
from tests.adapters.http.quarterdeck import Quarterdeck
from tests.adapters.http.wiring import serving

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def events(lines: AsyncIterator[str]) -> AsyncIterator[dict[str, Any]]:
    """Server-sent events as their fields; `data` is parsed."""
    fields: dict[str, Any] = {}
    async for line in lines:
        if line:
            name, _, value = line.partition(":")
            fields[name] = value.strip()
        elif fields:
            if "data" in fields:
                yield {**fields, "data": orjson.loads(fields["data"])}
            fields = {}


class Listening:
    """A client of the feed over a real server."""

    def __init__(self, quarterdeck: Quarterdeck, token: str, query: str = "", **headers: str):
        self._quarterdeck = quarterdeck
        self._headers = {"X-Auth-Token": token, "Host": "quarterdeck.test", **headers}
        self._query = query

    async def take(self, count: int, meanwhile: Any = None) -> list[dict[str, Any]]:
        async with (
            serving(self._quarterdeck.app) as port,
            httpx2.AsyncClient(timeout=20, headers=self._headers) as client,
            client.stream("GET", f"http://127.0.0.1:{port}/api/v1/events?{self._query}") as answer,
        ):
            assert answer.status_code == 200, await answer.aread()
            assert answer.headers["Content-Type"].startswith("text/event-stream")
            if meanwhile is not None:
                await meanwhile
            found = []
            async for event in events(answer.aiter_lines()):
                found.append(event)
                if len(found) == count:
                    return found
        raise AssertionError(found)


async def test_what_happens_is_told_as_it_happens(quarterdeck: Quarterdeck, house: House) -> None:
    renamed = quarterdeck.execute(RenameWorkspace(workspace_id=house.workspace_id, name="New"))
    (event,) = await Listening(quarterdeck, house.token).take(1, renamed)
    assert event["event"] == event["data"]["topic"] == "workspace.renamed"
    assert event["id"] == str(event["data"]["position"])
    assert event["data"]["event"]["name"] == "New"
    assert event["data"]["workspace"] == house.slug


async def test_who_comes_back_misses_nothing(quarterdeck: Quarterdeck, house: House) -> None:
    await furnished(quarterdeck, house, 5)
    first, *rest = await Listening(quarterdeck, house.token, "after=0").take(6)
    again = await Listening(quarterdeck, house.token, **{"Last-Event-ID": first["id"]}).take(5)
    assert [e["id"] for e in rest] == [e["id"] for e in again]


async def test_a_workspaces_token_hears_of_its_own_workspace_alone(
    quarterdeck: Quarterdeck, house: House
) -> None:
    other = await quarterdeck.workspace()
    await furnished(quarterdeck, house, 1)
    head = await quarterdeck.hub.store.head()
    mine = [r for r in await quarterdeck.hub.store.read(0, 5000) if _is_of(r, house.workspace_id)]
    heard = await Listening(quarterdeck, house.token, "after=0").take(len(mine))
    assert {event["data"]["workspace_id"] for event in heard} == {str(house.workspace_id)}
    assert str(other) not in {event["data"]["workspace_id"] for event in heard}
    assert head >= len(mine)


async def test_topics_can_be_chosen(quarterdeck: Quarterdeck, house: House) -> None:
    query = "after=0&topics=cluster.created,task.*"
    heard = await Listening(quarterdeck, house.token, query).take(2)
    assert [event["event"] for event in heard] == ["cluster.created", "task.queued"]


async def test_secrets_are_masked(quarterdeck: Quarterdeck, house: House) -> None:
    (event,) = await Listening(quarterdeck, house.token, "after=0&topics=cluster.created").take(1)
    assert event["data"]["event"]["ssh_private_key"] == MASK


async def test_a_hash_of_a_token_is_not_told(quarterdeck: Quarterdeck, house: House) -> None:
    query = "after=0&topics=auth_token.created"
    (event,) = await Listening(quarterdeck, house.token, query).take(1)
    assert "word_hash" not in event["data"]["event"]


@pytest.mark.parametrize("last", ["x", "-1", "1.5", "9" * 30, "999999999"])
async def test_a_position_that_is_none_is_refused(
    quarterdeck: Quarterdeck, house: House, last: str
) -> None:
    async with quarterdeck.client(house.token, **{"Last-Event-ID": last}) as client:
        answer = await client.get("/api/v1/events")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["pointer"] == "Last-Event-ID"


async def test_nobody_waits_for_what_comes_after_a_position_that_is_not_there_yet(
    quarterdeck: Quarterdeck, house: House
) -> None:
    """A client of a log that was restored from a copy would hear nothing, and not know why."""
    head = await quarterdeck.hub.store.head()
    async with quarterdeck.client(house.token) as client:
        answer = await client.get(f"/api/v1/events?after={head + 1}")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["pointer"] == "?after"


async def test_who_reads_too_slowly_is_dropped_with_the_reason(
    quarterdeck: Quarterdeck, house: House
) -> None:
    stream = LogStream(quarterdeck.hub.dsn, quarterdeck.hub.store.mapper.recorded)
    feed = LogFeed(stream, quarterdeck.hub.store, lambda _: None, most_waiting=3)
    running = asyncio.create_task(feed.run())
    slow, quick = feed.subscribe(), feed.subscribe()
    begun = [asyncio.ensure_future(anext(one)) for one in (slow, quick)]
    while feed.listening < 2:
        await asyncio.sleep(0)
    await furnished(quarterdeck, house, 1)
    await asyncio.gather(*begun)
    for _ in range(5):
        await furnished(quarterdeck, house, 1)
        await anext(quick)
    with pytest.raises(FellBehind):
        async for _ in slow:
            pass
    assert feed.listening == 1
    running.cancel()


async def test_a_process_that_stops_lets_everyone_go(quarterdeck: Quarterdeck) -> None:
    feed = LogFeed(_Silent(), quarterdeck.hub.store, lambda _: None)
    running = asyncio.create_task(feed.run())
    listener = asyncio.ensure_future(anext(feed.subscribe()))
    while not feed.listening:
        await asyncio.sleep(0)
    running.cancel()
    with pytest.raises(FeedEnded):
        await listener


async def furnished(quarterdeck: Quarterdeck, house: House, count: int) -> None:
    for n in range(count):
        await quarterdeck.execute(
            RenameWorkspace(workspace_id=house.workspace_id, name=f"Name {n} {uuid4().hex}")
        )


def _is_of(recorded: Any, workspace_id: Any) -> bool:
    return bool(recorded.metadata.workspace_id == workspace_id)


class _Silent:
    """A stream of a log in which nothing happens."""

    async def follow(self, _: Any) -> AsyncIterator[Any]:
        await asyncio.Event().wait()
        yield None

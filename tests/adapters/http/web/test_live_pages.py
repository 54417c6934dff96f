"""What happens while a page is open comes to it by its stream."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from uuid import UUID

import httpx2

from adapters.http.web.cluster_live import BEAT
from application.clusters import InstallCluster
from application.ports import LogLine
from tests.adapters.http.web.fleet import (
    EXAMPLE,
    begin,
    change,
    clusters_of,
    create,
    fail,
    fill,
    template_of,
)
from tests.adapters.http.web.house import House, served
from tests.adapters.http.web.visitor import Visitor

PATIENCE_SECONDS = 10
SCALE = re.compile(r'<li class="scale".*?</li>')
ENDS = re.compile(r'datetime="([^"]*)"')


@asynccontextmanager
async def listening(
    house: House, mira: Visitor, address: str, **headers: str
) -> AsyncIterator["Listener"]:
    """The live stream of a page, over a real socket."""
    async with (
        served(house) as url,
        httpx2.AsyncClient(base_url=url, cookies=mira.client.cookies, timeout=30) as client,
        client.stream("GET", address, headers=headers) as response,
    ):
        assert response.status_code == 200
        assert response.headers["content-type"].startswith("text/event-stream")
        yield Listener(response)


class Listener:
    def __init__(self, response: httpx2.Response) -> None:
        self._lines = response.aiter_lines()
        self.heard = ""

    async def until(self, holds: Callable[[str], bool]) -> str:
        """All that was heard, once it holds."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not holds(self.heard):
                self.heard += await anext(self._lines) + "\n"
        return self.heard


async def live_address(mira: Visitor, page: str) -> str:
    html = (await mira.get(page)).html
    return html.partition('hx-sse:connect="')[2].partition('"')[0].replace("&amp;", "&")


async def test_a_changed_row_is_sent_with_the_numbers(house: House, mira: Visitor) -> None:
    workspace_id = await fill(house)
    cluster_id = (await clusters_of(house))["train-kiruna-1"]
    address = await live_address(mira, f"{EXAMPLE}/clusters")
    async with listening(house, mira, address) as listener:
        await house.do(InstallCluster(workspace_id=workspace_id, cluster_id=UUID(cluster_id)))
        heard = await listener.until(lambda it: "#rail-position" in it and f"c-{cluster_id}" in it)
    assert 'data-infra="creating"' in heard
    assert "is-fresh" in heard
    assert '<hx-partial hx-target="#tally"' in heard
    assert "\nid: " in f"\n{heard}"


async def test_the_list_of_all_workspaces_is_live_too(house: House, mira: Visitor) -> None:
    workspace_id = await fill(house)
    cluster_id = (await clusters_of(house))["train-kiruna-1"]
    address = await live_address(mira, "/clusters")
    assert address.startswith("/clusters/live?")
    async with listening(house, mira, address) as listener:
        await house.do(InstallCluster(workspace_id=workspace_id, cluster_id=UUID(cluster_id)))
        heard = await listener.until(lambda it: ">Example<" in it)
    assert f'href="{EXAMPLE}/clusters/{cluster_id}"' in heard


async def test_a_new_cluster_waits_behind_a_button(house: House, mira: Visitor) -> None:
    workspace_id = await fill(house)
    template_id, version_id = await template_of(house)
    address = await live_address(mira, f"{EXAMPLE}/clusters?q=pay")
    async with listening(house, mira, address) as listener:
        await create(house, workspace_id, template_id, version_id, "store-9", "Henrik Dahl")
        await create(house, workspace_id, template_id, version_id, "pay-9", "Henrik Dahl")
        heard = await listener.until(lambda it: "show it" in it)
    assert "1 new change, show it" in heard
    assert "store-9" not in heard


async def test_the_first_that_happens_may_be_a_new_cluster(house: House, mira: Visitor) -> None:
    workspace_id = await fill(house)
    template_id, version_id = await template_of(house)
    address = await live_address(mira, f"{EXAMPLE}/clusters")
    async with listening(house, mira, address) as listener:
        await create(house, workspace_id, template_id, version_id, "pay-9", "Henrik Dahl")
        heard = await listener.until(lambda it: "show it" in it)
    assert "1 new change, show it" in heard
    assert '<hx-partial hx-target="#n-clusters" hx-swap="innerHTML">7</hx-partial>' in heard


async def test_what_comes_to_pass_the_filter_waits_behind_the_button_too(
    house: House, mira: Visitor
) -> None:
    workspace_id = await fill(house)
    cluster_id = UUID((await clusters_of(house))["train-kiruna-1"])
    address = await live_address(mira, f"{EXAMPLE}/clusters?status=creation_failed")
    async with listening(house, mira, address) as listener:
        await fail(house, workspace_id, cluster_id)
        heard = await listener.until(lambda it: "show it" in it)
    assert "1 new change, show it" in heard


async def test_what_happened_before_the_stream_began_is_on_the_page_with_it(
    house: House, mira: Visitor
) -> None:
    workspace_id = await fill(house)
    template_id, version_id = await template_of(house)
    address = await live_address(mira, f"{EXAMPLE}/clusters")
    await create(house, workspace_id, template_id, version_id, "pay-9", "Henrik Dahl")
    await house.shown()
    async with listening(house, mira, address) as listener:
        heard = await listener.until(lambda it: "pay-9" in it)
    assert '<hx-partial hx-target="#clusters"' in heard
    assert "show it" not in heard


async def test_many_that_leave_the_filter_at_once_go_from_the_page(
    house: House, mira: Visitor
) -> None:
    workspace_id = await fill(house)
    template_id, version_id = await template_of(house)
    made = [
        await create(house, workspace_id, template_id, version_id, f"many-{n}", "Henrik Dahl")
        for n in range(12)
    ]
    await house.shown()
    address = await live_address(mira, f"{EXAMPLE}/clusters?q=many&status=new")
    async with listening(house, mira, address) as listener:
        for cluster_id in made:
            await house.do(InstallCluster(workspace_id=workspace_id, cluster_id=cluster_id))
        heard = await listener.until(lambda it: all(f"c-{each}" in it for each in made))
    assert 'data-infra="creating"' in heard


async def test_a_log_grows(house: House, mira: Visitor) -> None:
    workspace_id = await fill(house)
    cluster_id = UUID((await clusters_of(house))["train-kiruna-1"])
    task_id = await begin(house, workspace_id, cluster_id)
    await house.shown()
    address = await live_address(mira, f"{EXAMPLE}/clusters/{cluster_id}/infrastructure")
    async with listening(house, mira, address) as listener:
        line = LogLine("start-workers", "\x1b[32mworker-9: <ready>\x1b[0m", offset=999)
        await house.hub.task_logs.write(task_id, [line])
        heard = await listener.until(lambda it: "ready" in it)
    assert 'hx-target="#log" hx-swap="beforeend"' in heard
    assert '<span class="tx">worker-9: &lt;ready&gt;</span>' in heard
    assert "worker-8" not in heard


async def test_the_time_of_a_task_that_runs_goes_on(house: House, mira: Visitor) -> None:
    workspace_id = await fill(house)
    cluster_id = UUID((await clusters_of(house))["train-kiruna-1"])
    await begin(house, workspace_id, cluster_id)
    await house.shown()
    address = await live_address(mira, f"{EXAMPLE}/clusters/{cluster_id}/infrastructure")
    async with listening(house, mira, address) as listener:
        heard = await listener.until(lambda it: len(SCALE.findall(it)) == 2)
    first, second = (ENDS.findall(scale)[-1] for scale in SCALE.findall(heard))
    assert datetime.fromisoformat(second) - datetime.fromisoformat(first) >= BEAT


async def test_who_comes_back_is_told_everything(house: House, mira: Visitor) -> None:
    await fill(house)
    address = await live_address(mira, f"{EXAMPLE}/clusters")
    async with listening(house, mira, address, **{"Last-Event-ID": "3"}) as listener:
        heard = await listener.until(lambda it: "#rail-position" in it)
    assert '<hx-partial hx-target="#clusters" hx-swap="outerMorph">' in heard


async def test_what_someone_writes_is_not_pulled_away(house: House, mira: Visitor) -> None:
    workspace_id = await fill(house)
    cluster_id = UUID((await clusters_of(house))["train-kiruna-1"])
    address = await live_address(mira, f"{EXAMPLE}/clusters/{cluster_id}/configuration")
    async with listening(house, mira, address) as listener:
        await change(house, workspace_id, cluster_id, workers=4)
        heard = await listener.until(lambda it: "#stale" in it)
    assert "Asel Nurlanova changed it meanwhile." in heard
    assert "cluster-form" not in heard


async def test_a_cluster_page_follows_only_the_log_of_its_own_task(
    house: House, mira: Visitor
) -> None:
    await fill(house)
    records = await house.hub.store.read(limit=10_000)
    tasks = {r.event.cluster_id: r.stream_id for r in records if r.event.topic == "task.queued"}
    (one, task), (_, foreign), *_ = tasks.items()
    address = f"{EXAMPLE}/clusters/{one}/live?tab=infrastructure&task="
    for text in (str(foreign), "nonsense", f"{{{task}}}"):
        assert (await mira.client.get(f"{address}{text}")).status_code == 404

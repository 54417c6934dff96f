"""From a commit to the changed row in real Chromium, which watches a list of 10,000 clusters.

The commit's time is the database's own `recorded_at`, written just before it; the row's is the
browser's, told by what watches the document. Both are clocks of this machine, and that they agree
is asserted.
"""

import asyncio
import statistics
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx2
import orjson
import psycopg
from playwright.async_api import Page, async_playwright

from adapters.embedded.postgres import running_dsn
from tests.benchmarks.bench import Figure, busy_core
from tests.benchmarks.fleet import percentile, running_fleet
from tests.support import servers
from tests.support.quarterdeck import Quarterdeck

ROWS = 50
COMMANDS = 400
COMMANDS_PER_SECOND = 10
WARM_UP = 20
CLOCKS_SECONDS = 0.005
DECLARED = ("name", "cluster_template_version_id", "values", "current_revision")
SEEN = """
    window.seen = {};
    new MutationObserver(() => {
        const now = Date.now();
        for (const cell of document.querySelectorAll("#clusters .main-cell"))
            window.seen[cell.textContent.trim()] ??= now;
    }).observe(document.body, {subtree: true, childList: true, characterData: true});
"""
RECORDED = (
    "select extract(epoch from recorded_at) from log.stored_events where notification_id = %s"
)


def run() -> Iterator[Figure]:
    yield _figure("dom_p95_ms")
    with busy_core():
        yield _figure("dom_p95_ms_busy")


def _figure(name: str) -> Figure:
    with running_fleet() as program:
        taken = asyncio.run(_milliseconds(program))
    told = f"p50 {statistics.median(taken):.0f} ms, {len(taken)} commands"
    return Figure(name, percentile(taken, 95), 150, at_most=True, told=told)


async def _milliseconds(program: Quarterdeck) -> list[float]:
    token = program.token("--workspace", "fleet")
    async with (
        httpx2.AsyncClient(
            base_url=f"{program.url}/api/v1/", headers={"X-Auth-Token": token}, timeout=30
        ) as api,
        async_playwright() as playwright,
    ):
        clusters = await _clusters(api)
        browser = await playwright.chromium.launch(
            executable_path=servers.chromium(), args=list(servers.CHROMIUM_FLAGS)
        )
        page = await browser.new_page(viewport={"width": 1440, "height": 900})
        await _watch(page, program)
        positions = await _rename(api, clusters)
        last = next(reversed(positions))
        await page.wait_for_function("name => name in window.seen", arg=last)
        seen: dict[str, int] = await page.evaluate("window.seen")
        await browser.close()
    committed = _committed(program, positions)
    return [seen[name] - at for name, at in list(committed.items())[WARM_UP:]]


async def _clusters(api: httpx2.AsyncClient) -> list[dict[str, Any]]:
    """As many declared clusters as a page has rows."""
    template = orjson.loads(Path("infra/examples/template.json").read_bytes())
    made = (await api.post("cluster_templates", json=template)).raise_for_status().json()
    version = made["current_cluster_template_version_id"]
    return [
        (
            await api.post(
                "clusters",
                json={
                    "name": f"live-{n:02d}",
                    "cluster_template_version_id": version,
                    "values": {"host": "192.0.2.10"},
                },
            )
        )
        .raise_for_status()
        .json()
        for n in range(ROWS)
    ]


async def _watch(page: Page, program: Quarterdeck) -> None:
    link = next(word for word in program.errors.split() if "/sign-in?link=" in word)
    await page.goto(link)
    await page.get_by_role("button", name="Sign in with this link").click()
    await page.get_by_role("main").wait_for()
    await page.goto(f"{program.url}/workspaces/fleet/clusters?q=live-&sort=name")
    await page.locator("[data-live=on]").wait_for(state="attached")
    before = time.time()
    browsers = await page.evaluate("Date.now()") / 1000
    assert before - CLOCKS_SECONDS <= browsers <= time.time() + CLOCKS_SECONDS
    await page.evaluate(SEEN)


async def _rename(api: httpx2.AsyncClient, clusters: Sequence[dict[str, Any]]) -> dict[str, int]:
    """One cluster after the other at a steady rate; the position of each new name."""
    positions: dict[str, int] = {}

    async def rename(n: int) -> None:
        cluster = clusters[n % ROWS]
        cluster["name"] = name = f"live-{n % ROWS:02d}-{n:03d}"
        body = {key: cluster[key] for key in DECLARED}
        answer = await api.put(f"clusters/{cluster['id']}", json=body)
        assert answer.is_success, answer.text
        positions[name] = int(answer.headers["X-Position"])
        cluster["current_revision"] = answer.json()["current_revision"]

    async with asyncio.TaskGroup() as group:
        begun = time.perf_counter()
        for n in range(COMMANDS):
            await asyncio.sleep(max(0, begun + n / COMMANDS_PER_SECOND - time.perf_counter()))
            group.create_task(rename(n))
    return positions


def _committed(program: Quarterdeck, positions: Mapping[str, int]) -> dict[str, float]:
    """When each new name was recorded, in milliseconds since 1970."""
    dsn = running_dsn(program.folder / "data" / "postgres")
    assert dsn is not None
    with psycopg.connect(dsn) as connection:
        return {
            name: float(connection.execute(RECORDED, [position]).fetchone()[0]) * 1000
            for name, position in positions.items()
        }

"""The pages with keys alone, without scripts, in both widths and themes, for a screen reader."""

import json
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from tests.adapters.http.web.fleet import EXAMPLE, fill, template_of
from tests.adapters.http.web.house import House
from tests.system.windows import NARROW, WIDE, cluster_called, now, window

pytestmark = [pytest.mark.browser, pytest.mark.slow]
AXE = Path("node_modules/axe-core/axe.min.js")
MOST_SCRIPT_BYTES = 70 * 1024


async def addresses(house: House) -> list[str]:
    """One address of each kind of page."""
    template_id, _ = await template_of(house)
    changing = f"{EXAMPLE}/clusters/{await cluster_called(house, 'pay-prod-ams-1')}"
    creating = f"{EXAMPLE}/clusters/{await cluster_called(house, 'lake-hel-2')}"
    return [
        "/",
        "/audit?open=57",
        "/keys",
        "/palette?q=pay",
        "/system",
        "/tokens",
        "/workspaces/new",
        "/clusters?status=creating",
        f"{EXAMPLE}/archive",
        f"{EXAMPLE}/clusters",
        f"{EXAMPLE}/clusters/new",
        f"{EXAMPLE}/settings",
        f"{EXAMPLE}/tasks",
        f"{EXAMPLE}/templates",
        f"{EXAMPLE}/templates/{template_id}",
        f"{EXAMPLE}/templates/{template_id}/compare",
        "/workspaces/payments-eu/clusters",
        changing,
        f"{changing}/configuration?show=diff",
        f"{changing}/history?open=57",
        f"{changing}/delete",
        f"{creating}/infrastructure",
    ]


async def test_everything_is_done_by_keys_alone(house: House, chromium: Browser) -> None:
    await fill(house)
    async with window(house, chromium) as opened:
        page, press = opened.page, opened.page.keyboard.press
        await press("Tab")
        await expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
        await press("Control+k")
        await page.keyboard.type("store-oslo")
        await expect(page.get_by_role("option", name="store-oslo-014")).to_be_visible()
        await press("Enter")
        await expect(page.get_by_role("heading", name="store-oslo-014")).to_be_visible()
        await press("e")
        await expect(page.get_by_label("Greeting")).to_be_visible()
        await press("g")
        await press("c")
        await expect(page.get_by_role("heading", name="Clusters")).to_be_visible()
        await press("j")
        await press("j")
        await press("x")
        await expect(page.get_by_role("region", name="Selected clusters")).to_be_visible()
        await press("k")
        await press("Enter")
        await expect(page.get_by_role("heading", name="store-oslo-014")).to_be_visible()
        await press("?")
        await expect(page.get_by_role("dialog", name="Keyboard help")).to_be_visible()
        await press("Escape")
        await expect(page.get_by_role("dialog", name="Keyboard help")).to_be_hidden()
        await press("g")
        await press("a")
        await expect(page.get_by_role("heading", name="Audit")).to_be_visible()


async def test_without_scripts_all_is_read_and_forms_work(house: House, chromium: Browser) -> None:
    await fill(house)
    async with window(house, chromium, java_script_enabled=False) as opened:
        page = opened.page
        for address in await addresses(house):
            await opened.go(address)
            await expect(page.get_by_role("main")).to_be_visible()
        await opened.go(f"{EXAMPLE}/clusters/new")
        await page.get_by_label("Name", exact=True).fill("by-hand")
        await page.get_by_label("Port").fill("2022")
        await page.get_by_role("button", name="Save, do not install").click()
        await expect(page.get_by_role("heading", name="by-hand")).to_be_visible()
        await page.get_by_role("link", name="Configuration", exact=True).first.click()
        await expect(page.get_by_role("region", name="Rendered YAML, Installation")).to_be_visible()
        await page.get_by_role("button", name="More actions").click()
        await page.get_by_role("link", name="Delete…").click()
        await page.get_by_label("Write by-hand to confirm").fill("by-hand")
        await page.get_by_role("button", name="Delete the cluster").click()
        await expect(page.get_by_text("by-hand is in the archive.")).to_be_visible()
        await page.get_by_label("Mira Okafor, account").click()
        await page.get_by_role("button", name="Dark").click()
        await expect(page.locator("html")).to_have_attribute("data-theme", "dark")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
async def test_nobody_is_kept_out(
    house: House, chromium: Browser, theme: Any, size: dict[str, int]
) -> None:
    """No violation that axe finds, nothing wider than the window, no word against the policy."""
    await fill(house)
    axe, found = AXE.read_text(), list[str]()
    async with window(house, chromium, color_scheme=theme, viewport=size) as opened:
        page = opened.page
        for address in [*await addresses(house), f"{EXAMPLE}/clusters?at={now()}"]:
            await opened.go(address)
            await page.wait_for_load_state("load")
            found += [f"{address} {each}" for each in await _violations(page, axe)]
            overflow = await page.evaluate(
                "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            )
            if overflow > 0:
                found.append(f"{address} is {overflow} px wider than the window")
    assert not found, "\n".join(found)
    async with window(house, chromium, signs_in=False, color_scheme=theme, viewport=size) as door:
        await door.go("/sign-in")
        assert await _violations(door.page, axe) == []


async def _violations(page: Page, axe: str) -> list[str]:
    # The page's policy lets no script in but its own; the tester's tool goes past it.
    session = await page.context.new_cdp_session(page)
    await session.send("Runtime.evaluate", {"expression": axe})
    answer = await session.send(
        "Runtime.evaluate",
        {
            "expression": "axe.run(document, {resultTypes: ['violations']})"
            ".then(found => JSON.stringify(found.violations.map(v => [v.id, v.nodes.map("
            "n => n.target.join(' ') + ' ' + n.failureSummary)])))",
            "awaitPromise": True,
            "returnByValue": True,
        },
    )
    await session.detach()
    return [f"{rule}: {nodes}" for rule, nodes in json.loads(answer["result"]["value"])]


async def test_a_page_weighs_little(house: House, chromium: Browser) -> None:
    await fill(house)
    async with window(house, chromium) as opened:
        await opened.go(f"{EXAMPLE}/clusters")
        assert sum(opened.scripts.values()) <= MOST_SCRIPT_BYTES, opened.scripts
        assert not any("editor" in path for path in opened.scripts)

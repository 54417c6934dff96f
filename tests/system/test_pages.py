"""The pages in a real browser: what a person sees, presses and hears."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from playwright.async_api import Browser, Page, expect

from application.clusters import InstallCluster
from application.ports import LogLine
from tests.adapters.http.web.fleet import EXAMPLE, begin, change, create, fill, template_of
from tests.adapters.http.web.house import House
from tests.system.windows import cluster_called, window

pytestmark = [pytest.mark.browser, pytest.mark.slow]
DOM_SECONDS = 0.15
PATIENCE = 20_000
"""Milliseconds that a piece of a log may take on a full machine."""


async def test_one_signs_in_makes_a_cluster_and_installs_it(
    house: House, chromium: Browser
) -> None:
    await house.example()
    async with window(house, chromium) as opened:
        page = opened.page
        await expect(page.get_by_role("heading", name="Fleet")).to_be_visible()
        await page.get_by_role("link", name="Example", exact=True).click()
        await page.get_by_role("link", name="New cluster").click()
        await page.get_by_label("Name", exact=True).fill("store-1")
        await page.get_by_label("Port").fill("2022")
        await expect(page.locator("#rendered")).to_contain_text("sshPort: 2022")
        await page.get_by_label("Workers").fill("77")
        await expect(page.locator("#bad-workers")).to_have_text("Must be at most 5.")
        await page.get_by_label("Workers").fill("3")
        await expect(page.locator("#bad-workers")).to_have_text("")
        await page.get_by_role("button", name="Install", exact=True).click()
        await expect(page.get_by_text("Install waits")).to_be_visible()
        assert "after=" not in page.url
        await page.get_by_label("Mira Okafor, account").click()
        await page.get_by_role("button", name="Sign out").click()
        await expect(page.get_by_text("You are signed out.")).to_be_visible()


COLUMNS_END_TOGETHER = """() => {
    const ends = [...document.querySelectorAll("table.grid tr")]
        .map(row => [...row.cells].filter(cell => cell.offsetParent).pop())
        .map(cell => Math.round(cell.getBoundingClientRect().right));
    return new Set(ends).size === 1;
}"""


async def test_a_changed_row_comes_by_itself_and_soon(house: House, chromium: Browser) -> None:
    workspace_id = await fill(house)
    cluster_id = await cluster_called(house, "train-kiruna-1")
    template_id, version_id = await template_of(house)
    async with window(house, chromium) as opened:
        page = opened.page
        await opened.go(f"{EXAMPLE}/clusters")
        row = page.locator(f"#c-{cluster_id}")
        await row.get_by_role("checkbox").check()
        await expect(page.locator("[data-live=on]")).to_have_count(1)
        await house.do(InstallCluster(workspace_id=workspace_id, cluster_id=cluster_id))
        await expect(row).to_contain_text("Creating")
        await expect(row.get_by_role("checkbox")).to_be_checked()
        await expect(page.get_by_role("region", name="Selected clusters")).to_contain_text(
            "1 selected"
        )
        await create(house, workspace_id, template_id, version_id, "zulu-1", "Henrik Dahl")
        await expect(page.get_by_role("link", name="zulu-1")).to_have_count(0)
        news = page.get_by_role("link", name="1 new change, show it")
        await expect(news).to_be_visible()
        for width in (1440, 1000):
            await page.set_viewport_size({"width": width, "height": 900})
            assert await page.evaluate(COLUMNS_END_TOGETHER)
        await news.click()
        await expect(page.get_by_role("link", name="zulu-1")).to_be_visible()


async def test_the_filter_follows_the_letters(house: House, chromium: Browser) -> None:
    await fill(house)
    async with window(house, chromium) as opened:
        page = opened.page
        await opened.go(f"{EXAMPLE}/clusters")
        await page.keyboard.press("/")
        await page.keyboard.type("pay-prod")
        await expect(page.locator("table.grid-clusters .main-cell")).to_have_count(2)
        await expect(page.get_by_label("Add a filter")).to_be_focused()
        await page.wait_for_url("**q=pay-prod**")
        await page.get_by_label("Add a filter").fill("creation failed")
        await page.keyboard.press("Enter")
        await expect(page.get_by_text("Status is Creation failed")).to_be_visible()
        await expect(page.locator("table.grid-clusters .main-cell")).to_have_count(1)
        await page.get_by_label("Remove the filter on Creation failed").click()
        await expect(page.locator("table.grid-clusters .main-cell")).to_have_count(6)


async def test_the_log_is_followed_and_searched(house: House, chromium: Browser) -> None:
    workspace_id = await fill(house)
    cluster_id = await cluster_called(house, "train-kiruna-1")
    task_id = await begin(house, workspace_id, cluster_id)
    await house.shown()
    async with window(house, chromium) as opened:
        page = opened.page
        await opened.go(f"{EXAMPLE}/clusters/{cluster_id}/infrastructure")
        await expect(page.locator("[data-live=on]")).to_have_count(1)
        lines = [LogLine("start-workers", f"line {n}", offset=1000 + n) for n in range(200)]
        await house.hub.task_logs.write(task_id, lines)
        await expect(page.locator("#log")).to_contain_text("line 199")
        await expect(page.locator("#log-count")).to_have_text("214 lines")
        is_at_end = "log => log.scrollTop + log.clientHeight >= log.scrollHeight - 2"
        assert await page.locator("#log").evaluate(is_at_end)
        await page.get_by_label("Search the log").fill("line 42")
        await expect(page.locator("#log li:not([hidden])")).to_have_count(1)


async def test_a_long_log_comes_as_one_scrolls(house: House, chromium: Browser) -> None:
    workspace_id = await fill(house)
    cluster_id = await cluster_called(house, "train-kiruna-1")
    task_id = await begin(house, workspace_id, cluster_id)
    lines = [LogLine("start-workers", f"line {n}", offset=1000 + n) for n in range(1, 2000)]
    await house.hub.task_logs.write(task_id, lines)
    await house.shown()
    async with window(house, chromium) as opened:
        page = opened.page
        address = f"{EXAMPLE}/clusters/{cluster_id}/infrastructure"
        await opened.go(address)
        shown = page.locator("#log li[id]")
        await expect(shown).to_have_count(500, timeout=PATIENCE)
        await page.locator("#log").focus()
        await page.keyboard.press("Home")
        await expect(shown).to_have_count(1000, timeout=PATIENCE)
        await expect(page.get_by_role("button", name="Follow")).to_have_attribute(
            "aria-pressed", "false"
        )
        first = await page.locator("#L1514").bounding_box()
        assert first is not None
        assert first["y"] > 0, "what was read stays where it was"
        await page.get_by_label("Search the log").fill("line 7")
        found = page.locator("#log li:not([hidden])[id]")
        await expect(found).to_have_count(100, timeout=PATIENCE)
        await page.locator("#log").focus()
        await page.keyboard.press("Home")
        await expect(found).to_have_count(111, timeout=PATIENCE)
        await expect(page.locator("#L1")).to_be_attached(timeout=PATIENCE)
        await opened.go(f"{address}?from=0#L300")
        await expect(page.locator("#L300")).to_be_in_viewport()
        await page.locator("#L310 a").click()
        assert page.url.endswith("from=0#L310")
        await page.locator("#L500").scroll_into_view_if_needed()
        await expect(page.locator("#L1000")).to_be_attached(timeout=PATIENCE)


async def test_a_row_of_the_history_opens_into_before_and_after(
    house: House, chromium: Browser
) -> None:
    await fill(house)
    cluster_id = await cluster_called(house, "pay-prod-ams-1")
    async with window(house, chromium) as opened:
        page = opened.page
        await opened.go(f"{EXAMPLE}/clusters/{cluster_id}/history")
        await page.keyboard.press("j")
        await page.keyboard.press("j")
        await page.keyboard.press("Enter")
        row = page.locator("details.event[open]")
        await expect(row).to_have_count(1)
        await expect(row.locator("del")).to_have_text("Hello from pay-prod-ams-1")
        await expect(row.locator("ins")).to_have_text("Hello again")
        await page.keyboard.press("Enter")
        await expect(row).to_have_count(0)


async def test_the_hand_of_the_rail_shows_the_past(house: House, chromium: Browser) -> None:
    workspace_id = await fill(house)
    cluster_id = await cluster_called(house, "train-kiruna-1")
    before = datetime.now(UTC)
    await change(house, workspace_id, cluster_id, greeting="Changed since")
    await house.shown()
    async with window(house, chromium) as opened:
        page = opened.page
        home = f"{EXAMPLE}/clusters/{cluster_id}"
        at = before.isoformat().replace("+00:00", "Z")
        await opened.go(f"{home}?at={at}")
        await expect(page.get_by_text("You are looking at")).to_be_visible()
        await expect(page.locator("#cluster-body")).not_to_contain_text("Changed since")
        await expect(page.get_by_role("button", name="Check now")).to_have_count(0)
        await page.get_by_role("link", name="Configuration", exact=True).first.click()
        await expect(page.get_by_label("Greeting")).to_be_disabled()
        await page.keyboard.press("]")
        await expect(page.get_by_label("Greeting")).to_have_value("Changed since")
        await page.keyboard.press("Escape")
        await expect(page.get_by_text("You are looking at")).to_have_count(0)
        await expect(page.get_by_label("Greeting")).to_be_enabled()
        await page.keyboard.press("t")
        await expect(page.get_by_label("Instant shown")).to_be_focused()
        for _ in range(3):
            await page.keyboard.press("ArrowLeft")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("heading", name="Nothing is here")).to_be_visible()
        await page.get_by_role("link", name="Return to now").click()
        await expect(page.get_by_label("Greeting")).to_be_visible()
        opened.wrong = [it for it in opened.wrong if "404" not in it]


async def test_an_instant_is_written_in_the_readers_own_zone(
    house: House, chromium: Browser
) -> None:
    await fill(house)
    async with window(house, chromium, timezone_id="Asia/Tokyo") as opened:
        page = opened.page
        await opened.go(f"{EXAMPLE}/clusters")
        await page.get_by_label("Length of the rail").click()
        field = page.get_by_label("Look at an instant")
        await expect(page.locator("label[for=look-at]")).to_contain_text("Asia/Tokyo")
        await field.fill("2026-01-02T12:00:00")
        await page.get_by_role("button", name="Look").click()
        await page.wait_for_url("**at=2026-01-02T03*")
        opened.wrong = [it for it in opened.wrong if "404" not in it]


async def test_a_template_is_edited_where_its_faults_are(house: House, chromium: Browser) -> None:
    await fill(house)
    template_id, _ = await template_of(house)
    async with window(house, chromium) as opened:
        page = opened.page
        await opened.go(f"{EXAMPLE}/templates/{template_id}")
        await page.get_by_label("Values to render with").select_option(label="pay-prod-fra-1")
        await expect(page.locator("#tried")).to_contain_text("sshPort: 2222")
        await page.get_by_role("link", name="SSH parameters").first.click()
        editor = page.get_by_role("textbox", name="Source of SSH parameters")
        await editor.click()
        await page.keyboard.press("Control+End")
        await page.keyboard.type("broken: {{ .nothing.at.all }")
        fault = page.locator("[data-fault]")
        await expect(fault).to_contain_text("SSH parameters, line 9")
        await expect(page.locator(".cm-lint-marker-error")).to_have_count(1)
        await page.keyboard.press("Control+z")
        await expect(fault).to_have_count(0)
        await page.keyboard.type("# said")
        await page.get_by_placeholder("What is new in version 3").fill("A comment")
        await page.get_by_role("button", name="Publish version 3").click()
        await expect(page.get_by_text("Version 3 is published.")).to_be_visible()
        await page.get_by_role("link", name="Compare versions").click()
        await expect(page.locator(".diff .add")).to_contain_text("# said")


async def test_from_commit_to_changed_row(house: House, chromium: Browser) -> None:
    """The figure `dom_p95_ms`, in its short form: twenty changes, one after the other."""
    workspace_id = await fill(house)
    template_id, version_id = await template_of(house)
    ids = [
        await create(house, workspace_id, template_id, version_id, f"a-{n}", "Henrik Dahl")
        for n in range(20)
    ]
    await house.shown()
    async with window(house, chromium) as opened:
        page = opened.page
        await opened.go(f"{EXAMPLE}/clusters?sort=name")
        await expect(page.locator("[data-live=on]")).to_have_count(1)
        taken = [await _seconds_to_row(page, house, workspace_id, cluster_id) for cluster_id in ids]
    taken.sort()
    assert taken[len(taken) // 2] < DOM_SECONDS, taken


async def _seconds_to_row(page: Page, house: House, workspace_id: UUID, cluster_id: UUID) -> float:
    """The browser itself says when the row has changed; both clocks are this machine's."""
    row = page.locator(f"#c-{cluster_id}")
    await row.evaluate(
        """row => { window.changed = new Promise(done => new MutationObserver((_, watch) => {
             if (!row.textContent.includes("Creating")) return;
             watch.disconnect(); done(performance.timeOrigin + performance.now());
           }).observe(row, {childList: true, subtree: true, characterData: true})); }"""
    )
    await house.do(InstallCluster(workspace_id=workspace_id, cluster_id=cluster_id))
    committed = datetime.now(UTC).timestamp()
    return float(await page.evaluate("window.changed")) / 1000 - committed

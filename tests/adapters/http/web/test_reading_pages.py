"""Every page can be read, now and as it was, and every link of it leads somewhere."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from html import escape, unescape
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

from starlette.routing import Match

from adapters.http.web.routes import PAGES
from application.ports import LogLine
from tests.adapters.http.web.fleet import EXAMPLE, begin, clusters_of, create, fill, template_of
from tests.adapters.http.web.house import House
from tests.adapters.http.web.visitor import Page, Visitor

ELSEWHERE = ("/static/", "/documentation", "/livez", "/readyz", "/metrics", "/api/")
ENOUGH = 220


def shape(address: str) -> str:
    """An address without what makes no other page: ids, cursors, instants."""
    parts = urlsplit(address)
    path = "/".join("{}" if _is_id(part) else part for part in parts.path.split("/"))
    return f"{path}?{'&'.join(sorted(parse_qs(parts.query)))}"


def _is_id(part: str) -> bool:
    return len(part) == 36 or part.isdecimal()


def is_past(address: str) -> bool:
    return "at" in parse_qs(urlsplit(address).query)


async def crawl(mira: Visitor, start: str) -> dict[str, Page]:
    """One page of each shape that can be come to from there."""
    seen: dict[str, Page] = {}
    waiting = [start]
    while waiting and len(seen) < ENOUGH:
        address = waiting.pop(0)
        if shape(address) in seen or address.startswith(ELSEWHERE):
            continue
        page = await mira.get(address)
        seen[shape(address)] = page
        assert page.status == 200, f"{address}: {page.status} {page.words[:400]}"
        if page.response.headers["content-type"].startswith("text/html"):
            waiting.extend(link for link in page.inner_links() if is_past(link) == is_past(start))
    return seen


def forms_of(pages: Iterable[Page]) -> set[tuple[str, str]]:
    return {
        (form.method.upper(), urlsplit(form.action).path) for page in pages for form in page.forms
    }


async def test_every_link_leads_to_a_page_and_every_form_to_a_route(
    house: House, mira: Visitor
) -> None:
    await fill(house)
    pages = await crawl(mira, "/")
    for method, path in forms_of(pages.values()):
        scope = {"type": "http", "method": method, "path": path, "root_path": "", "headers": []}
        found = [r for r in house.app.routes if r.matches(scope)[0] is Match.FULL]  # type: ignore[attr-defined]
        assert found, f"{method} {path}"
        assert found[0].name != "nowhere", f"{method} {path}"
    for address, page in pages.items():
        twice = {each for each in page.ids if page.ids.count(each) > 1}
        assert not twice, f"{address}: {twice}"
    shapes = {urlsplit(address).path for address in pages}
    for expected in ("/", "/audit", "/system", "/tokens", "/workspaces/example/clusters/{}"):
        assert expected in shapes


async def test_the_past_passes_through_every_link_and_offers_no_control(
    house: House, mira: Visitor
) -> None:
    await fill(house)
    at = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    for address, page in (await crawl(mira, f"/?at={at}")).items():
        if not page.response.headers["content-type"].startswith("text/html"):
            continue
        assert "read only" in page.words, address
        posts = {form.action for form in page.forms if form.method == "post" and form.buttons}
        assert posts <= {"/preferences", "/sign-out"}, f"{address}: {posts}"
        out = {each for each in page.inner_links() if not is_past(each)}
        out = {each for each in out if not each.startswith(ELSEWHERE)}
        returns = {each for each in out if f'href="{escape(each)}" data-now' in page.html}
        assert out == returns, f"{address} leads out of the past"


async def test_the_past_cannot_be_changed(house: House, mira: Visitor) -> None:
    await fill(house)
    at = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    before = await house.hub.store.head()
    for page in PAGES:
        if page.changes and "{" not in page.path:
            response = await mira.post(f"{page.path}?at={at}", {"name": "Another"})
            assert response.status_code == 400, page.path
    assert await house.hub.store.head() == before


async def test_an_empty_house_shows_its_first_lines_and_the_first_command(
    house: House, mira: Visitor
) -> None:
    page = await mira.get("/")
    assert "your first workspace" in page.words
    assert "signed in" in page.words
    assert "curl" in page.words
    assert "Load the example" not in page.words


async def test_the_clusters_of_all_workspaces_in_one_list(house: House, mira: Visitor) -> None:
    await fill(house)
    page = await mira.get("/clusters?q=pay")
    assert "pay-prod-fra-1" in page.words
    assert "store-oslo-014" not in page.words
    assert 'name="id"' not in page.html
    lines = (await mira.get("/clusters.csv?q=pay")).html.splitlines()
    assert lines[0].startswith("id,workspace,name,status,")
    assert sorted(line.split(",")[1] for line in lines[1:]) == ["example", "example"]


async def test_the_numbers_stay_when_one_of_them_is_chosen(house: House, mira: Visitor) -> None:
    await fill(house)
    page = await mira.get("/clusters?status=creating")
    assert "1 of 6" in page.words
    assert "creation failed" in page.words
    assert "lake-hel-2" in page.words
    assert "pay-prod-fra-1" not in page.words


async def test_a_long_list_is_turned_to_and_fro_with_true_numbers(
    house: House, mira: Visitor
) -> None:
    workspace_id = await fill(house)
    template_id, version_id = await template_of(house)
    for n in range(50):
        await create(house, workspace_id, template_id, version_id, f"z-{n:02d}", "Henrik Dahl")
    await house.shown()
    first = await mira.get(f"{EXAMPLE}/clusters?sort=name")
    assert "1–50 of 56" in first.words
    assert turns(first) == {"next"}
    await create(house, workspace_id, template_id, version_id, "a-new-one", "Henrik Dahl")
    await house.shown()
    second = await mira.get(link_of(first, "next"))
    assert "52–57 of 57" in second.words
    assert turns(second) == {"first", "prev"}
    back = await mira.get(link_of(second, "prev"))
    assert "2–51 of 57" in back.words
    assert turns(back) == {"first", "prev", "next"}
    begin = await mira.get(link_of(back, "first"))
    assert "1–50 of 57" in begin.words
    assert "a-new-one" in begin.words


def turns(page: Page) -> set[str]:
    """The pages of a list to which there is a way."""
    return set(re.findall(r'data-page="(\w+)"', page.html))


def link_of(page: Page, name: str) -> str:
    found = re.search(rf'<a [^>]*href="([^"]*)" data-page="{name}"', page.html)
    assert found is not None
    return unescape(found[1])


async def test_a_long_log_is_read_piece_by_piece_and_taken_along_whole(
    house: House, mira: Visitor
) -> None:
    workspace_id = await fill(house)
    cluster_id = (await clusters_of(house))["train-kiruna-1"]
    task_id = await begin(house, workspace_id, UUID(cluster_id))
    lines = [LogLine("start-workers", f"line {n}", offset=1000 + n) for n in range(1, 1187)]
    await house.hub.task_logs.write(task_id, lines)
    await house.shown()
    page = await mira.get(f"{EXAMPLE}/clusters/{cluster_id}/infrastructure")
    assert "1,200 lines" in page.words
    assert numbers(page) == (701, 1200)
    assert "Later lines" not in page.words
    page = await mira.get(more(page, "Earlier lines"))
    assert numbers(page) == (201, 700)
    page = await mira.get(more(page, "Earlier lines"))
    assert numbers(page) == (1, 500)
    assert "Earlier lines" not in page.words
    assert "Phase connect" in page.words
    page = await mira.get(more(page, "Later lines"))
    assert numbers(page) == (501, 1000)
    assert "is-phase" not in page.html
    log = f"{EXAMPLE}/tasks/{task_id}/log"
    assert numbers(await mira.get(f"{log}?before=301")) == (1, 300)
    assert numbers(await mira.get(f"{log}?from=1000")) == (1001, 1200)
    assert numbers(await mira.get(f"{log}?from=1200")) == (0, 0)
    text = (await mira.get(f"{log}.txt")).html.splitlines()
    assert len(text) == 1200
    assert text[-1].endswith(" start-workers line 1186")


def numbers(page: Page) -> tuple[int, int]:
    """The first and the last line of a log that a page shows, all between them being there."""
    found = [int(number) for number in re.findall(r'id="L(\d+)"', page.html)]
    assert found == list(range(found[0], found[-1] + 1)) if found else True
    return (found[0], found[-1]) if found else (0, 0)


def more(page: Page, word: str) -> str:
    found = re.search(rf'href="([^"]*)"[^>]*>{word}<', page.html)
    assert found is not None
    return unescape(found[1])


async def test_what_is_not_there_is_a_page_too(house: House, mira: Visitor) -> None:
    for address in (
        "/nowhere",
        "/workspaces/none/clusters",
        "/workspaces/none/clusters/x",
        "/audit/999999",
    ):
        page = await mira.get(address)
        assert page.status == 404
        assert "Back to the fleet" in page.words
        assert page.response.headers["x-request-id"] in page.html


async def test_a_workspace_token_sees_only_its_own_workspace(house: House, mira: Visitor) -> None:
    from application.auth_tokens import CreateAuthToken

    workspace_id = await fill(house)
    made = await house.do(CreateAuthToken(name="ci", workspace_id=workspace_id))
    headers = {"X-Auth-Token": made.result.token}
    client = mira.client
    client.cookies.clear()
    own = await client.get("/workspaces/example/clusters", headers=headers)
    assert own.status_code == 200
    other = await client.get("/workspaces/payments-eu/clusters", headers=headers)
    assert other.status_code == 403
    audit = await client.get("/audit", headers=headers)
    assert "Payments EU" not in audit.text

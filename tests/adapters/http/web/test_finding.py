"""Finding things: lists by column, order and filter, the audit by who, what, when and where."""

import csv
import json
import re
from datetime import UTC, datetime, timedelta
from io import StringIO
from urllib.parse import urlencode
from uuid import UUID

from application.clusters import CheckCluster
from application.tasks import ClaimTask, FailTask
from tests.adapters.http.web.fleet import EXAMPLE, MANAGER, clusters_of, create, fill, template_of
from tests.adapters.http.web.house import House
from tests.adapters.http.web.visitor import Page, Visitor

LIST = f"{EXAMPLE}/clusters"


def names(page: Page) -> list[str]:
    return re.findall(r'<td class="main-cell"><a [^>]*>([^<]*)</a>', page.html)


def positions(page: Page) -> list[int]:
    return [int(position) for position in re.findall(r'<tbody id="a-(\d+)">', page.html)]


async def test_the_columns_of_the_list_are_chosen_and_stay(house: House, mira: Visitor) -> None:
    await fill(house)
    usual = ["Name", "Infrastructure", "Template", "Last change", "When", "Age"]
    assert (await mira.get(LIST)).heads == usual
    chosen = {"columns": ["name", "revision", "task"], "back": LIST}
    answer = await mira.post("/preferences", chosen)
    assert answer.headers["location"] == LIST
    page = await mira.get(LIST)
    assert page.heads == ["Name", "Infrastructure", "Revision", "Task"]
    assert 'value="revision" checked' in page.html
    assert 'value="template" checked' not in page.html


async def test_the_list_is_sorted_by_its_heads(house: House, mira: Visitor) -> None:
    await fill(house)
    by_name = names(await mira.get(f"{LIST}?sort=name"))
    assert by_name == sorted(by_name)
    assert names(await mira.get(f"{LIST}?sort=-name")) == by_name[::-1]
    newest = names(await mira.get(f"{LIST}?sort=-created"))
    assert newest[:2] == ["train-kiruna-1", "lake-hel-2"]
    urgent = names(await mira.get(LIST))
    assert urgent[0] == "store-oslo-014"
    page = await mira.get(f"{LIST}?sort=name")
    assert 'aria-sort="ascending"' in page.html
    assert any(link.endswith("sort=-name") for link in page.links)


async def test_a_cluster_that_could_not_be_looked_at_says_so(house: House, mira: Visitor) -> None:
    workspace_id = await fill(house)
    cluster_id = UUID((await clusters_of(house))["pay-prod-fra-1"])
    asked = await house.do(CheckCluster(workspace_id=workspace_id, cluster_id=cluster_id))
    task_id = UUID(str(asked.result))
    await house.manage(ClaimTask(task_id=task_id, manager=MANAGER))
    await house.manage(FailTask(task_id=task_id, manager=MANAGER, reason="127.0.0.1 is away."))
    await house.shown()
    page = await mira.get(f"{LIST}/{cluster_id}")
    assert "How it stands is not known. 127.0.0.1 is away." in page.words
    assert "note-wait" in page.html


async def test_the_audit_is_filtered_and_taken_along_as_it_is_shown(
    house: House, mira: Visitor
) -> None:
    await fill(house)
    failed = UUID((await clusters_of(house))["store-oslo-014"])
    whole = positions(await mira.get("/audit"))
    assert whole == sorted(whole, reverse=True)
    now = datetime.now(UTC)
    past, future = (
        (now + timedelta(hours=hours)).isoformat(timespec="seconds").replace("+00:00", "Z")
        for hours in (-1, 1)
    )
    shown = {}
    for search in (
        {"who": "Henrik Dahl"},
        {"kind": "Cluster", "action": "create"},
        {"workspace": "payments-eu"},
        {"failures": "1"},
        {"subject": str(failed), "kind": "Cluster"},
        {"since": past, "until": future, "who": "Asel Nurlanova"},
    ):
        query = urlencode(search)
        shown[query] = found = positions(await mira.get(f"/audit?{query}"))
        assert 0 < len(found) < len(whole), query
        lines = (await mira.get(f"/audit.jsonl?{query}")).html.splitlines()
        assert [json.loads(line)["position"] for line in lines] == found, query
        table = list(csv.DictReader(StringIO((await mira.get(f"/audit.csv?{query}")).html)))
        assert [int(row["position"]) for row in table] == found, query
    assert len(set(map(tuple, shown.values()))) == len(shown)
    assert positions(await mira.get(f"/audit?{urlencode({'since': future})}")) == []
    assert positions(await mira.get(f"/audit?{urlencode({'until': past})}")) == []


async def test_settings_are_called_by_what_they_are_of(house: House, mira: Visitor) -> None:
    await fill(house)
    page = await mira.get("/audit?kind=ClusterSettings")
    assert "pay-prod-fra-1 ClusterSettings" in page.words


async def test_clusters_by_the_thousand_are_read_page_by_page(house: House, mira: Visitor) -> None:
    workspace_id = await house.example()
    template_id, version_id = await template_of(house)
    for n in range(60):
        await create(house, workspace_id, template_id, version_id, f"store-{n:03}", "Henrik Dahl")
    await house.shown()
    first = await mira.get(f"{EXAMPLE}/clusters?sort=name")
    assert "1–50 of 61" in first.words
    following = next(link for link in first.links if "cursor=" in link)
    second = await mira.get(following)
    assert "51–61 of 61" in second.words
    assert "store-059" in second.words
    filtered = await mira.get(f"{EXAMPLE}/clusters?q=store-05")
    assert "10 of 61" in filtered.words
    as_status = await mira.get(f"{EXAMPLE}/clusters?q=In+sync")
    assert str(as_status.response.url).endswith("status=in_sync")
    csv = await mira.get(f"{EXAMPLE}/clusters.csv?q=store-05")
    assert len(csv.html.splitlines()) == 11

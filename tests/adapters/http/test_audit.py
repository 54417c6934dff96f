"""The audit over the API: who did what, to what, when; as JSON, CSV and JSON lines."""

import csv
import io

import orjson
import pytest

from adapters.http.api.audit import COLUMNS, EXPORT_PAGE, as_csv
from application.workspaces import RenameWorkspace
from tests.adapters.http.house import House
from tests.adapters.http.quarterdeck import Quarterdeck

pytestmark = pytest.mark.asyncio(loop_scope="module")
AUDIT = "/api/v1/audit"


async def test_the_newest_act_comes_first(quarterdeck: Quarterdeck, house: House) -> None:
    position = await renamed(quarterdeck, house, "Newest")
    async with quarterdeck.client(house.token) as client:
        rows = (await client.get(AUDIT, params={"after": position})).json()
    assert rows[0]["position"] == position
    assert rows[0]["audited_changes"]["name"][1] == "Newest"
    positions = [row["position"] for row in rows]
    assert positions == sorted(positions, reverse=True)


async def test_a_workspaces_token_sees_its_own_workspace_alone(
    quarterdeck: Quarterdeck, house: House
) -> None:
    async with quarterdeck.client(house.token) as client:
        rows = (await client.get(AUDIT, params={"limit": 1000})).json()
    assert {row["workspace_slug"] for row in rows} == {house.slug}


async def test_an_administrator_sees_all_or_one(quarterdeck: Quarterdeck, house: House) -> None:
    await quarterdeck.workspace()
    async with quarterdeck.client(Cookie=f"qd={await quarterdeck.session()}") as client:
        after = await quarterdeck.hub.store.head()
        everything = (await client.get(AUDIT, params={"after": after, "limit": 1000})).json()
        one = (await client.get(AUDIT, params={"workspace": house.slug})).json()
    assert len({row["workspace_slug"] for row in everything}) > 1
    assert {row["workspace_slug"] for row in one} == {house.slug}


@pytest.mark.parametrize(
    ("query", "kinds"),
    [
        ({"what": "Cluster"}, {"Cluster"}),
        ({"action": "create", "what": "Task"}, {"Task"}),
        ({"topic": "workspace.created"}, {"Workspace"}),
        ({"who": "nobody at all"}, set()),
        ({"since": "2999-01-01T00:00:00Z"}, set()),
        ({"until": "2000-01-01T00:00:00Z"}, set()),
    ],
)
async def test_acts_can_be_chosen(
    quarterdeck: Quarterdeck, house: House, query: dict[str, str], kinds: set[str]
) -> None:
    async with quarterdeck.client(house.token) as client:
        rows = (await client.get(AUDIT, params=query)).json()
    assert {row["auditable_type"] for row in rows} == kinds


async def test_a_subject_comes_with_what_belongs_to_it(
    quarterdeck: Quarterdeck, house: House
) -> None:
    async with quarterdeck.client(house.token) as client:
        rows = (await client.get(AUDIT, params={"subject": str(house.cluster_id)})).json()
    assert {row["auditable_type"] for row in rows} == {"Cluster", "ClusterSettings", "Task"}


@pytest.mark.parametrize("kind", ["text/csv", "application/x-ndjson"])
async def test_an_export_is_all_of_it(quarterdeck: Quarterdeck, house: House, kind: str) -> None:
    async with quarterdeck.client(house.token, Accept=kind) as client:
        answer = await client.get(AUDIT)
        rows = (await client.get(AUDIT, headers={"Accept": "*/*"}, params={"limit": 1000})).json()
    assert answer.headers["Content-Type"].startswith(kind)
    assert "attachment" in answer.headers["Content-Disposition"]
    if kind == "text/csv":
        exported = [int(row["position"]) for row in csv.DictReader(io.StringIO(answer.text))]
    else:
        exported = [orjson.loads(line)["position"] for line in answer.text.splitlines()]
    assert exported == [row["position"] for row in rows]


@pytest.mark.slow
async def test_an_export_goes_on_beyond_its_first_page(
    quarterdeck: Quarterdeck, house: House
) -> None:
    for n in range(EXPORT_PAGE + 5):
        position = await renamed(quarterdeck, house, f"Name {n}")
    async with quarterdeck.client(house.token, Accept="application/x-ndjson") as client:
        lines = (await client.get(AUDIT, params={"after": position})).text.splitlines()
    positions = [orjson.loads(line)["position"] for line in lines]
    assert len(positions) == len(set(positions)) > EXPORT_PAGE


async def test_a_formula_is_disarmed_in_a_spreadsheet() -> None:
    row = {**dict.fromkeys(COLUMNS), "name": '=HYPERLINK("http://evil")', "user_name": "a,b\n"}
    (shown,) = csv.DictReader(io.StringIO(as_csv([row], is_first=True).decode()))
    assert shown["name"].startswith("'=")
    assert shown["user_name"] == "a,b\n"


async def test_no_secret_is_told(quarterdeck: Quarterdeck, house: House) -> None:
    async with quarterdeck.client(house.token) as client:
        text = (await client.get(AUDIT, params={"limit": 1000})).text
    assert "PRIVATE KEY" not in text
    assert "word_hash" not in text


async def renamed(quarterdeck: Quarterdeck, house: House, name: str) -> int:
    command = RenameWorkspace(workspace_id=house.workspace_id, name=name)
    return (await quarterdeck.execute(command)).position

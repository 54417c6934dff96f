"""Cluster templates over the API."""

import pytest

from tests.adapters.http.house import House
from tests.adapters.http.quarterdeck import Quarterdeck

pytestmark = pytest.mark.asyncio(loop_scope="module")

PARAMS = [{"key": "region", "title": "Region", "type": "string"}]
SECTIONS = [{"name": "Kubernetes", "format": "yaml", "source": "region: {{ .region }}\n"}]


async def test_a_template_comes_back_as_it_was_sent(quarterdeck: Quarterdeck, house: House) -> None:
    body = {"name": "t1", "comment": "first", "params": PARAMS, "sections": SECTIONS}
    async with quarterdeck.client(house.token) as client:
        made = await client.post("/api/v1/cluster_templates", json=body)
        assert made.status_code == 201, made.text
        read = await client.get(made.headers["Location"])
    assert read.json() == made.json()
    assert {name: read.json()[name] for name in body} == body
    (version,) = read.json()["cluster_template_versions"]
    assert version["version"] == "1"
    assert version["id"] == read.json()["current_cluster_template_version_id"]


async def test_sent_back_unchanged_it_makes_no_version(
    quarterdeck: Quarterdeck, house: House
) -> None:
    address = f"/api/v1/cluster_templates/{house.template_id}"
    async with quarterdeck.client(house.token) as client:
        read = (await client.get(address)).json()
        again = await client.put(address, json=read)
    assert again.status_code == 200, again.text
    assert again.json() == read


async def test_an_edit_is_a_new_version_and_the_old_one_can_be_read(
    quarterdeck: Quarterdeck, house: House
) -> None:
    address = f"/api/v1/cluster_templates/{house.template_id}"
    async with quarterdeck.client(house.token) as client:
        read = (await client.get(address)).json()
        sections = [{**read["sections"][0], "source": "region: elsewhere\n"}]
        changed = await client.put(address, json={**read, "sections": sections})
        versions = changed.json()["cluster_template_versions"]
        assert [version["version"] for version in versions] == ["1", "2"]
        assert (await client.get(f"{address}/versions")).json() == versions
        first = await client.get(f"{address}/versions/{house.version_id}")
        stale = await client.put(address, json={**read, "name": "other"})
    assert first.json()["sections"] == read["sections"]
    assert stale.json()["error"] == "revision_conflict"


async def test_a_withdrawn_version_is_not_used_until_it_is_given_back(
    quarterdeck: Quarterdeck, house: House
) -> None:
    address = f"/api/v1/cluster_templates/{house.template_id}/versions/{house.version_id}"
    body = {"name": "c1", "cluster_template_version_id": str(house.version_id)}
    async with quarterdeck.client(house.token) as client:
        withdrawn = await client.post(f"{address}/withdraw")
        assert withdrawn.json()["cluster_template_versions"][0]["is_withdrawn"]
        refused = await client.post("/api/v1/clusters", json=body)
        await client.post(f"{address}/withdraw", json={"withdrawn": False})
        made = await client.post("/api/v1/clusters", json=body)
    assert refused.json()["error"] == "version_withdrawn"
    assert refused.json()["errors"][0]["pointer"] == "/cluster_template_version_id"
    assert made.status_code == 201


async def test_a_deleted_template_is_in_the_archive_and_gives_its_name_back(
    quarterdeck: Quarterdeck, house: House
) -> None:
    async with quarterdeck.client(house.token) as client:
        made = await client.post("/api/v1/cluster_templates", json={"name": "t1"})
        gone = await client.delete(made.headers["Location"])
        again = await client.post("/api/v1/cluster_templates", json={"name": "t1"})
        living = await client.get("/api/v1/cluster_templates?without_archived=true")
    assert gone.json()["archived_at"] is not None
    assert again.status_code == 201
    assert made.json()["id"] not in [template["id"] for template in living.json()]


async def test_wrong_parameters_are_told_with_their_place(
    quarterdeck: Quarterdeck, house: House
) -> None:
    body = {"name": "t1", "params": [{"key": "a", "title": "A", "type": "colour"}]}
    async with quarterdeck.client(house.token) as client:
        answer = await client.post("/api/v1/cluster_templates", json=body)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/params/0/type"

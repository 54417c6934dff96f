"""Workspaces over the API."""

from uuid import uuid4

import pytest

from tests.adapters.http.quarterdeck import Quarterdeck

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_global_token_makes_and_lists_workspaces(quarterdeck: Quarterdeck) -> None:
    async with quarterdeck.client(await quarterdeck.token()) as client:
        name = f"Team {uuid4().hex[:8]}"
        made = await client.post("/api/v1/workspaces", json={"name": name})
        assert made.status_code == 201
        position = made.headers["X-Position"]
        listed = await client.get("/api/v1/workspaces", params={"after": position})
    assert made.json() in listed.json()
    assert made.json()["slug"] == name.lower().replace(" ", "-")
    assert made.headers["Location"] == f"/api/v1/workspaces/{made.json()['id']}"


async def test_the_answer_to_a_command_is_what_the_query_shows(quarterdeck: Quarterdeck) -> None:
    async with quarterdeck.client(await quarterdeck.token()) as client:
        made = (await client.post("/api/v1/workspaces", json={"name": uuid4().hex})).json()
        settings = {
            "change_mode": "manual",
            "check_interval": 15,
            "install_on_create": True,
        }
        address = f"/api/v1/workspaces/{made['id']}"
        changed = await client.put(address, json={"name": "Pay", "settings": settings})
        read = await client.get(address, params={"after": changed.headers["X-Position"]})
    assert changed.json() == read.json()
    assert read.json()["settings"] == settings
    assert read.json()["created_at"] == made["created_at"] < read.json()["updated_at"]


async def test_what_was_read_can_be_sent_back(quarterdeck: Quarterdeck) -> None:
    async with quarterdeck.client(await quarterdeck.token()) as client:
        made = await client.post("/api/v1/workspaces", json={"name": uuid4().hex})
        address = made.headers["Location"]
        again = await client.put(address, json=made.json())
        assert again.status_code == 200
        assert again.json() == made.json()
        assert again.headers["X-Position"] == made.headers["X-Position"]


async def test_a_slug_belongs_to_one_workspace(quarterdeck: Quarterdeck) -> None:
    async with quarterdeck.client(await quarterdeck.token()) as client:
        slug = f"w{uuid4().hex[:12]}"
        await client.post("/api/v1/workspaces", json={"name": "A", "slug": slug})
        again = await client.post("/api/v1/workspaces", json={"name": "B", "slug": slug})
    assert again.status_code == 409
    assert again.json()["error"] == "taken"
    assert again.json()["errors"][0]["pointer"] == "/slug"


async def test_a_workspace_that_is_none_is_not_found(quarterdeck: Quarterdeck) -> None:
    async with quarterdeck.client(await quarterdeck.token()) as client:
        for method in ("GET", "PUT"):
            answer = await client.request(
                method,
                f"/api/v1/workspaces/{uuid4()}",
                json={"name": "a"} if method == "PUT" else None,
            )
            assert answer.status_code == 404


async def test_the_past_shows_workspaces_as_they_were(quarterdeck: Quarterdeck) -> None:
    async with quarterdeck.client(await quarterdeck.token()) as client:
        made = await client.post("/api/v1/workspaces", json={"name": "Old"})
        before = made.json()["updated_at"]
        renamed = await client.put(made.headers["Location"], json={"name": "New"})
        then = await client.get("/api/v1/workspaces", params={"at": before})
        now = await client.get(
            "/api/v1/workspaces", params={"after": renamed.headers["X-Position"]}
        )
    shown = [{w["id"]: w["name"] for w in at.json()}[made.json()["id"]] for at in (then, now)]
    assert shown == ["Old", "New"]


async def test_what_was_just_made_is_found_by_its_id(quarterdeck: Quarterdeck) -> None:
    async with quarterdeck.client(await quarterdeck.token()) as client:
        for n in range(20):
            made = await client.post("/api/v1/workspaces", json={"name": f"W{n}"})
            read = await client.get(made.headers["Location"])
            assert read.json() == made.json()

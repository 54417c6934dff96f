"""Workspaces over the API."""

from tests.adapters.http.quarterdeck import Quarterdeck


async def test_a_global_token_makes_and_lists_workspaces(quarterdeck: Quarterdeck) -> None:
    async with quarterdeck.client(await quarterdeck.token()) as client:
        made = await client.post("/api/v1/workspaces", json={"name": "Payments"})
        assert made.status_code == 201
        position = made.headers["X-Position"]
        listed = await client.get("/api/v1/workspaces", params={"after": position})
    assert listed.json() == [made.json()]
    assert made.json()["slug"] == "payments"
    assert made.headers["Location"] == f"/api/v1/workspaces/{made.json()['id']}"

"""A request that is sent again with its Idempotency-Key takes effect once."""

import asyncio
from uuid import uuid4

import pytest

from tests.adapters.http.house import House
from tests.adapters.http.quarterdeck import Quarterdeck

pytestmark = pytest.mark.asyncio(loop_scope="module")

WORKSPACES = "/api/v1/workspaces"


async def test_sent_twice_it_is_done_once_and_answered_alike(quarterdeck: Quarterdeck) -> None:
    key = {"Idempotency-Key": uuid4().hex}
    async with quarterdeck.client(await quarterdeck.token(), **key) as client:
        first = await client.post(WORKSPACES, json={"name": "A"})
        again = await client.post(WORKSPACES, json={"name": "A"})
    assert first.status_code == again.status_code == 201
    assert first.json() == again.json()
    assert first.headers["X-Position"] == again.headers["X-Position"]
    assert again.headers["Idempotent-Replayed"] == "true"


async def test_sent_many_times_at_once_it_is_done_once(quarterdeck: Quarterdeck) -> None:
    token, before = await quarterdeck.token(), await quarterdeck.hub.store.head()
    async with quarterdeck.client(token, **{"Idempotency-Key": "k"}) as client:
        answers = await asyncio.gather(
            *(client.post(WORKSPACES, json={"name": "A"}) for _ in range(20))
        )
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert await quarterdeck.hub.store.head() == before + 1


async def test_a_key_belongs_to_one_request(quarterdeck: Quarterdeck) -> None:
    async with quarterdeck.client(await quarterdeck.token(), **{"Idempotency-Key": "k"}) as client:
        await client.post(WORKSPACES, json={"name": "A"})
        other = await client.post(WORKSPACES, json={"name": "B"})
    assert other.status_code == 422
    assert other.json()["error"] == "idempotency_key_reused"


async def test_a_key_belongs_to_the_one_who_sent_it(quarterdeck: Quarterdeck) -> None:
    made = set()
    for _ in range(2):
        async with quarterdeck.client(
            await quarterdeck.token(), **{"Idempotency-Key": "k"}
        ) as client:
            made.add((await client.post(WORKSPACES, json={"name": "A", "slug": None})).text)
    assert len(made) == 2


async def test_what_was_done_stays_so_though_it_would_be_refused_now(
    quarterdeck: Quarterdeck, house: House
) -> None:
    async with quarterdeck.client(house.token, **{"Idempotency-Key": "k"}) as client:
        address = f"/api/v1/tasks/{house.task_id}/cancel"
        assert (await client.post(address)).status_code == 202
        again = await client.post(address)
    assert again.status_code == 202
    assert again.json()["status"] == "cancelled"


async def test_a_token_is_shown_to_its_first_request_only(quarterdeck: Quarterdeck) -> None:
    headers = {"Cookie": f"qd={await quarterdeck.session()}", "Idempotency-Key": "k"}
    async with quarterdeck.client(**headers) as client:
        first = await client.post("/api/v1/auth_tokens", json={"name": "ci"})
        again = await client.post("/api/v1/auth_tokens", json={"name": "ci"})
    assert first.json()["token"].startswith("qdt_")
    assert again.json()["token"] is None
    assert {**first.json(), "token": None} == again.json()

"""Auth tokens over the API: administrators make, list and revoke them."""

from collections.abc import AsyncIterator

import httpx2
import pytest
import pytest_asyncio

from tests.adapters.http.house import House
from tests.adapters.http.quarterdeck import Quarterdeck

pytestmark = pytest.mark.asyncio(loop_scope="module")
TOKENS = "/api/v1/auth_tokens"


@pytest_asyncio.fixture(loop_scope="module")
async def administrator(quarterdeck: Quarterdeck) -> AsyncIterator[httpx2.AsyncClient]:
    async with quarterdeck.client(Cookie=f"qd={await quarterdeck.session()}") as client:
        yield client


async def test_a_token_is_shown_once_and_lets_in(
    quarterdeck: Quarterdeck, house: House, administrator: httpx2.AsyncClient
) -> None:
    made = await administrator.post(f"{TOKENS}?workspace={house.slug}", json={"name": "ci"})
    assert made.status_code == 201
    token = made.json()["token"]
    after = made.headers["X-Position"]
    listed = await administrator.get(f"{TOKENS}?workspace={house.slug}&after={after}")
    shown = {row["id"]: row for row in listed.json()}[made.json()["id"]]
    assert shown == {k: v for k, v in made.json().items() if k != "token"}
    assert token not in listed.text
    async with quarterdeck.client(token) as client:
        assert (await client.get("/api/v1/clusters")).status_code == 200


async def test_a_revoked_token_is_told_with_its_end(
    administrator: httpx2.AsyncClient,
) -> None:
    made = await administrator.post(TOKENS, json={"name": "ci", "read_only": True})
    gone = await administrator.delete(f"{TOKENS}/{made.json()['id']}")
    assert gone.json()["revoked_at"] is not None
    left = await administrator.get(f"{TOKENS}?after={gone.headers['X-Position']}")
    all_ = await administrator.get(f"{TOKENS}?with_revoked=true")
    assert made.json()["id"] not in [row["id"] for row in left.json()]
    assert made.json()["id"] in [row["id"] for row in all_.json()]


@pytest.mark.parametrize(
    "expires_at", ["yesterday", "2025-01-01T00:00:00", "2025-01-01", 1_900_000_000]
)
async def test_an_end_is_an_instant_with_its_zone(
    administrator: httpx2.AsyncClient, expires_at: str | int
) -> None:
    answer = await administrator.post(TOKENS, json={"name": "ci", "expires_at": expires_at})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/expires_at"


async def test_a_token_makes_no_tokens(quarterdeck: Quarterdeck, house: House) -> None:
    for token in (house.token, await quarterdeck.token()):
        async with quarterdeck.client(token) as client:
            assert (await client.post(TOKENS, json={"name": "ci"})).status_code == 403
            assert (await client.get(TOKENS)).status_code == 403

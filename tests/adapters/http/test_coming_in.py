"""Who may come in, by which door, and what is recorded of them."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from application.auth_tokens import CreateAuthToken, RevokeAuthToken
from application.credentials import Credential
from application.sign_in import SignOut
from tests.adapters.http.house import House
from tests.adapters.http.quarterdeck import Quarterdeck, open_quarterdeck

pytestmark = pytest.mark.asyncio(loop_scope="module")

WORKSPACES = "/api/v1/workspaces"


async def test_a_token_comes_in_by_either_header(quarterdeck: Quarterdeck) -> None:
    token = await quarterdeck.token()
    async with quarterdeck.client() as client:
        for headers in ({"X-Auth-Token": token}, {"Authorization": f"Bearer {token}"}):
            assert (await client.get(WORKSPACES, headers=headers)).status_code == 200


@pytest.mark.parametrize(
    "token",
    [
        "",
        "nonsense",
        "qdt_",
        "qdt_" + "!" * 64,
        "qdt_" + "A" * 64,
        "qdt_" + "é" * 64,
        "qds_" + "A" * 64,
        Credential(UUID(int=7), bytes(range(32))).write("qdt"),
    ],
)
async def test_a_token_that_is_none_stays_outside(quarterdeck: Quarterdeck, token: str) -> None:
    async with quarterdeck.client() as client:
        headers = [(b"X-Auth-Token", token.encode())]
        answer = await client.get(WORKSPACES, headers=headers)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert answer.json()["error"] == "unauthenticated"


async def test_the_id_of_something_else_is_no_token(quarterdeck: Quarterdeck, house: House) -> None:
    async with quarterdeck.client() as client:
        for id_ in house.ids.values():
            headers = {"X-Auth-Token": Credential.make(id_).write("qdt")}
            assert (await client.get(WORKSPACES, headers=headers)).status_code == 401


async def test_a_revoked_token_stays_outside(quarterdeck: Quarterdeck) -> None:
    made = (await quarterdeck.execute(CreateAuthToken(name="t"))).result
    async with quarterdeck.client(made.token) as client:
        assert (await client.get(WORKSPACES)).status_code == 200
        await quarterdeck.execute(RevokeAuthToken(auth_token_id=made.id))
        assert (await client.get(WORKSPACES)).status_code == 401


async def test_a_token_stays_outside_once_it_has_run_out(quarterdeck: Quarterdeck) -> None:
    soon = datetime.now(UTC) + timedelta(milliseconds=50)
    made = (await quarterdeck.execute(CreateAuthToken(name="t", expires_at=soon))).result
    while quarterdeck.hub.clock.now() <= soon:
        await quarterdeck.hub.store.head()
    async with quarterdeck.client(made.token) as client:
        assert (await client.get(WORKSPACES)).status_code == 401


async def test_a_token_without_the_right_is_told_which_one(
    quarterdeck: Quarterdeck, house: House
) -> None:
    reader = await quarterdeck.token(house.workspace_id, read_only=True)
    async with quarterdeck.client(reader) as client:
        answer = await client.post(f"/api/v1/clusters/{house.cluster_id}/install")
    assert answer.status_code == 403
    assert "clusters:write" in answer.json()["detail"]


async def test_a_right_is_asked_before_the_body_is_read(
    quarterdeck: Quarterdeck, house: House
) -> None:
    reader = await quarterdeck.token(house.workspace_id, read_only=True)
    async with quarterdeck.client(reader) as client:
        answer = await client.post("/api/v1/clusters", content=b"not json")
    assert answer.status_code == 403


async def test_a_session_comes_in_by_its_cookie_until_it_ends(quarterdeck: Quarterdeck) -> None:
    cookie = await quarterdeck.session()
    session = Credential.read("qds", cookie)
    assert session is not None
    async with quarterdeck.client(Cookie=f"qd={cookie}") as client:
        assert (await client.get(WORKSPACES)).status_code == 200
        await quarterdeck.execute(SignOut(session_id=session.id))
        assert (await client.get(WORKSPACES)).status_code == 401


async def test_an_administrator_says_which_workspace(
    quarterdeck: Quarterdeck, house: House
) -> None:
    async with quarterdeck.client(Cookie=f"qd={await quarterdeck.session()}") as client:
        unsaid = await client.get("/api/v1/clusters")
        said = await client.get(f"/api/v1/clusters?workspace={house.slug}")
        wrong = await client.get("/api/v1/clusters?workspace=there-is-none")
        by_id = await client.get(f"/api/v1/clusters/{house.cluster_id}")
    assert unsaid.json()["errors"][0]["pointer"] == "?workspace"
    assert [cluster["name"] for cluster in said.json()] == ["first"]
    assert wrong.status_code == 404
    assert by_id.status_code == 200


async def test_what_is_done_is_recorded_with_who_and_whence(quarterdeck: Quarterdeck) -> None:
    request_id, parent = uuid4().hex, "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    headers = {"X-Request-Id": request_id, "traceparent": parent}
    async with quarterdeck.client(await quarterdeck.token(), **headers) as client:
        made = await client.post(WORKSPACES, json={"name": uuid4().hex})
    assert made.headers["X-Request-Id"] == request_id
    (recorded,) = await quarterdeck.hub.store.read(int(made.headers["X-Position"]) - 1, 1)
    metadata = recorded.metadata
    assert (metadata.actor.type, metadata.actor.name) == ("AuthToken", "test")
    assert metadata.remote_address == "127.0.0.1"
    assert metadata.request_id == request_id
    assert metadata.correlation_id is not None
    assert metadata.correlation_id.hex == request_id
    assert metadata.traceparent == parent
    assert metadata.pid is not None


@pytest.mark.parametrize("given", ["", "x", "a" * 33, "<script>", "ABCDEF01" * 4 + "\n"])
async def test_a_request_id_that_is_none_is_replaced(quarterdeck: Quarterdeck, given: str) -> None:
    async with quarterdeck.client() as client:
        headers = [(b"X-Request-Id", given.strip("\n").encode() + b"z")]
        answer = await client.get("/livez", headers=headers)
    assert len(answer.headers["X-Request-Id"]) == 32
    assert int(answer.headers["X-Request-Id"], 16)


async def test_a_forwarded_address_is_believed_only_from_a_trusted_proxy(
    database: str, tmp_path: Any
) -> None:
    forwarded = {"X-Forwarded-For": "203.0.113.9, 10.0.0.7"}
    async with open_quarterdeck(
        database, tmp_path, trusted_proxies=["127.0.0.0/8", "10.0.0.0/8"]
    ) as quarterdeck:
        assert await _address(quarterdeck, forwarded) == "203.0.113.9"
        assert await _address(quarterdeck, {"X-Forwarded-For": "nonsense"}) == "127.0.0.1"
        assert await _address(quarterdeck, {}) == "127.0.0.1"


async def test_without_trusted_proxies_nobody_is_believed(quarterdeck: Quarterdeck) -> None:
    assert await _address(quarterdeck, {"X-Forwarded-For": "203.0.113.9"}) == "127.0.0.1"


async def _address(quarterdeck: Quarterdeck, headers: dict[str, str]) -> str | None:
    async with quarterdeck.client(await quarterdeck.token(), **headers) as client:
        made = await client.post(WORKSPACES, json={"name": uuid4().hex})
    (recorded,) = await quarterdeck.hub.store.read(int(made.headers["X-Position"]) - 1, 1)
    return recorded.metadata.remote_address

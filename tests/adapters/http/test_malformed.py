"""Malformed input, on every operation that takes a body: a 4xx that says what and where."""

import asyncio
import gzip
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio

from adapters.http.api.table import PREFIX, TABLE
from adapters.http.bodies import MAX_DEPTH
from adapters.http.routing import Route
from tests.adapters.http.house import House
from tests.adapters.http.quarterdeck import Quarterdeck, open_quarterdeck

pytestmark = pytest.mark.asyncio(loop_scope="module")

TAKING = [route for route in TABLE.routes if route.takes is not None and route.method != "DELETE"]
BROKEN: dict[str, tuple[bytes, int, str]] = {
    "broken": (b'{"name": "a",\n "comment": }', 400, "line 2, column 13"),
    "cut off": (b'{"name": "a', 400, "line 1"),
    "no object": (b'["a"]', 400, "must be a JSON object"),
    "a number that is none": (b'{"name": NaN}', 400, "line 1, column 10"),
    "an infinite number": (b'{"name": 1e999}', 400, "line 1"),
    "invalid UTF-8": (b'{"name": "\xff\xfe"}', 400, "UTF-8"),
    "a lone surrogate": (b'{"name": "\\ud800"}', 400, "line 1"),
    "a byte order mark": (b'\xef\xbb\xbf{"name": "a"}', 400, "line 1"),
    "UTF-16 with its mark": ('{"name": "a"}'.encode("utf-16"), 400, "UTF-8"),
    "UTF-16 without": ('{"name": "a"}'.encode("utf-16-be"), 400, "line 1"),
    "NUL in a text": (b'{"name": "a\\u0000b"}', 400, "/name"),
    "NUL in a key": (b'{"values": {"a\\u0000": 1}}', 400, "/values"),
    "a key twice": (b'{"name": "a", "name": "b"}', 400, "/name"),
    "a key twice, deep": (b'{"values": {"a": [{"b/c": 1, "b/c": 2}]}}', 400, "/values/a/0/b~1c"),
    "too deep": (b'{"values": ' + b"[" * 60 + b"]" * 60 + b"}", 400, f"{MAX_DEPTH} levels"),
    "a misspelt field": (b'{"nmae": "a"}', 422, "/nmae"),
}


def names(route: Route) -> str:
    return f"{route.method} {route.path}"


@pytest_asyncio.fixture(loop_scope="module")
async def administrator(quarterdeck: Quarterdeck) -> AsyncIterator[Any]:
    cookie = {"Cookie": f"qd={await quarterdeck.session()}"}
    async with quarterdeck.client(None, **cookie) as client:
        yield client


def address(route: Route, house: House) -> str:
    path = route.path
    for name in route.names:
        path = path.replace(f"{{{name}}}", str(house.ids.get(name, uuid4())))
    return (
        f"{PREFIX}{path}?workspace={house.slug}" if route.within.name != "NONE" else PREFIX + path
    )


@pytest.mark.slow
async def test_every_malformed_body_is_refused_everywhere_and_changes_nothing(
    quarterdeck: Quarterdeck, house: House, administrator: Any
) -> None:
    before = await quarterdeck.hub.store.head()
    json = {"Content-Type": "application/json"}
    for route in TAKING:
        for name, (body, status, said) in BROKEN.items():
            answer = await administrator.request(
                route.method, address(route, house), content=body, headers=json
            )
            told = f"{names(route)}, {name}: {answer.text}"
            assert answer.status_code == status, told
            assert answer.headers["Content-Type"] == "application/problem+json", told
            problem = answer.json()
            places = [fault["pointer"] for fault in problem.get("errors", [])]
            assert said in problem["detail"] or said in places, told
    assert await quarterdeck.hub.store.head() == before


async def test_a_misspelt_field_is_refused_with_what_was_meant(quarterdeck: Quarterdeck) -> None:
    async with quarterdeck.client(await quarterdeck.token()) as client:
        answer = await client.post("/api/v1/workspaces", json={"nam": "Payments"})
    assert answer.status_code == 422
    assert {"pointer": "/name", "detail": "This field is required."} in answer.json()["errors"]
    assert {
        "pointer": "/nam",
        "detail": 'There is no such field. Did you mean "name"?',
    } in answer.json()["errors"]


async def test_a_body_over_the_limit_is_refused_before_it_is_read(
    quarterdeck: Quarterdeck,
) -> None:
    async with quarterdeck.client(await quarterdeck.token()) as client:
        answer = await client.post("/api/v1/workspaces", json={"name": "a" * (1 << 20)})
    assert answer.status_code == 413
    assert answer.json()["error"] == "body_too_large"


async def test_a_body_that_does_not_say_its_length_is_bounded_too(
    quarterdeck: Quarterdeck,
) -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b" " * 65_536

    async with quarterdeck.client(await quarterdeck.token()) as client:
        answer = await client.post(
            "/api/v1/workspaces",
            content=endless(),
            headers={"Content-Type": "application/json"},
        )
    assert answer.status_code == 413


async def test_a_body_that_does_not_come_ends_with_408(database: str, tmp_path: Any) -> None:
    async def never() -> AsyncIterator[bytes]:
        yield b'{"name": '
        await asyncio.Event().wait()

    async with (
        open_quarterdeck(database, tmp_path, request_seconds=0.2) as quarterdeck,
        quarterdeck.client(await quarterdeck.token()) as client,
    ):
        answer = await client.post(
            "/api/v1/workspaces", content=never(), headers={"Content-Type": "application/json"}
        )
    assert answer.status_code == 408
    assert answer.json()["error"] == "body_too_slow"


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin-1"]
)
async def test_what_is_not_json_is_refused(quarterdeck: Quarterdeck, kind: str) -> None:
    async with quarterdeck.client(await quarterdeck.token()) as client:
        answer = await client.post(
            "/api/v1/workspaces", content=b'{"name": "a"}', headers={"Content-Type": kind}
        )
    assert answer.status_code == 415


async def test_a_body_that_is_encoded_is_refused(quarterdeck: Quarterdeck) -> None:
    async with quarterdeck.client(await quarterdeck.token()) as client:
        answer = await client.post(
            "/api/v1/workspaces",
            content=gzip.compress(b'{"name": "a"}'),
            headers={"Content-Type": "application/json", "Content-Encoding": "gzip"},
        )
    assert answer.status_code == 415
    assert "not encoded as gzip" in answer.json()["detail"]
    assert answer.headers["Accept-Encoding"] == "identity"


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("at=yesterday", "?at"),
        ("at=2025-13-01T00:00:00Z", "?at"),
        ("at=2999-01-01T00:00:00Z", "?at"),
        ("at=0001-01-01T00:00:00%2B14:00", "?at"),
        ("after=-1", "?after"),
        ("after=9223372036854775807", "?after"),
        ("after=1&after=2", "?after"),
        ("limit=0", "?limit"),
        ("limit=1001", "?limit"),
        ("cursor=nonsense", "?cursor"),
        ("cursor=WyJhIiwgImIiXQ", "?cursor"),
        ("search=a%00b", "?search"),
        ("search=%ff", "?search"),
        ("without_archive=true", "?without_archive"),
        ("sort=colour", "?sort"),
    ],
)
async def test_a_bad_parameter_is_refused_and_named(
    quarterdeck: Quarterdeck, house: House, query: str, pointer: str
) -> None:
    async with quarterdeck.client(house.token) as client:
        answer = await client.get(f"/api/v1/clusters?{query}")
    assert answer.status_code == 400, answer.text
    assert [fault["pointer"] for fault in answer.json()["errors"]] == [pointer]


@pytest.mark.parametrize("key", ["", "a" * 256, "tab\there", "ümlaut"])
async def test_a_bad_idempotency_key_is_refused(quarterdeck: Quarterdeck, key: str) -> None:
    async with quarterdeck.client(await quarterdeck.token()) as client:
        answer = await client.post(
            "/api/v1/workspaces",
            json={"name": "a"},
            headers=[(b"Idempotency-Key", key.encode())],
        )
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["pointer"] == "Idempotency-Key"


@pytest.mark.parametrize("text", ["1", "not-a-uuid-but-thirty-six-characters", "%00", "..%2f.."])
async def test_an_id_that_is_no_uuid_is_not_found(
    quarterdeck: Quarterdeck, house: House, text: str
) -> None:
    async with quarterdeck.client(house.token) as client:
        answer = await client.get(f"/api/v1/clusters/{text}")
    assert answer.status_code == 404


async def test_an_address_that_is_none_is_not_found(quarterdeck: Quarterdeck) -> None:
    async with quarterdeck.client() as client:
        answer = await client.get("/api/v1/clutsers")
    assert answer.status_code == 404
    assert answer.json()["error"] == "not_found"


async def test_a_method_that_an_address_has_not_is_told_which_it_has(
    quarterdeck: Quarterdeck,
) -> None:
    async with quarterdeck.client() as client:
        answer = await client.patch("/api/v1/workspaces", json={})
    assert answer.status_code == 405
    assert answer.headers["Allow"] == "GET, HEAD, POST"


async def test_the_id_of_another_kind_of_thing_is_not_found(
    quarterdeck: Quarterdeck, house: House
) -> None:
    async with quarterdeck.client(house.token) as client:
        for id_ in (house.template_id, house.task_id, house.workspace_id):
            read = await client.get(f"/api/v1/clusters/{id_}")
            installed = await client.post(f"/api/v1/clusters/{id_}/install")
            assert (read.status_code, installed.status_code) == (404, 404)

"""Stolen, malformed, endless and slow, on every operation: a 4xx, and nothing has changed."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import httpx2
import pytest
import pytest_asyncio

from adapters.http.api.table import PREFIX, TABLE
from adapters.http.routing import Route, Within
from application.auth_tokens import CreateAuthToken, RevokeAuthToken
from application.credentials import Credential
from application.sign_in import SignOut
from tests.adapters.http.house import House, furnish
from tests.adapters.http.quarterdeck import Quarterdeck, open_quarterdeck

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.slow]

ROUTES = TABLE.routes
COMMANDS = [route for route in ROUTES if route.takes is not None]
WITH_IDS = [route for route in ROUTES if route.names]
JSON = {"Content-Type": "application/json"}
MEGABYTE = 1 << 20
NO_ID = ("1", "x" * 36, "%00", "%ff%fe", "..%2f..", "0" * 5_000)
BAD_QUERIES = {"nonsense=1": "?nonsense", "a%00=1": "?a\0", "%ff=1": "?\udcff"}


def address(route: Route, house: House, **ids: str) -> str:
    """Where a route is for the things of a house, and in its workspace."""
    path = route.path
    for name in route.names:
        path = path.replace(f"{{{name}}}", ids.get(name) or str(house.ids.get(name, uuid4())))
    return f"{PREFIX}{path}" + (f"?workspace={house.slug}" if is_in_a_workspace(route) else "")


def is_in_a_workspace(route: Route) -> bool:
    return route.within is not Within.NONE


def told(route: Route, answer: httpx2.Response, more: object = "") -> str:
    return f"{route.method} {route.path} {more}: {answer.status_code} {answer.text[:500]}"


def must_be_a_problem(route: Route, answer: httpx2.Response, statuses: Iterable[int]) -> None:
    assert answer.status_code in statuses, told(route, answer)
    assert answer.headers["Content-Type"] == "application/problem+json", told(route, answer)
    assert answer.json()["status"] == answer.status_code, told(route, answer)
    assert answer.json()["detail"], told(route, answer)


@dataclass(frozen=True)
class Inside:
    """An administrator's session in a house."""

    quarterdeck: Quarterdeck
    house: House
    client: httpx2.AsyncClient

    async def send(self, route: Route, address_: str = "", **request: object) -> httpx2.Response:
        where = address_ or address(route, self.house)
        return await self.client.request(route.method, where, **request)  # type: ignore[arg-type]


@pytest_asyncio.fixture(loop_scope="module")
async def inside(quarterdeck: Quarterdeck, house: House) -> AsyncIterator[Inside]:
    """With what it was before, so that nothing may have changed afterwards."""
    async with quarterdeck.client(Cookie=f"qd={await quarterdeck.session()}") as client:
        before = await quarterdeck.hub.store.head()
        yield Inside(quarterdeck, house, client)
        assert await quarterdeck.hub.store.head() == before


async def test_a_body_that_is_too_large_is_refused_everywhere(inside: Inside) -> None:
    for route in COMMANDS:
        body = b'{"name": "' + b"a" * MEGABYTE + b'"}'
        answer = await inside.send(route, content=body, headers=JSON)
        must_be_a_problem(route, answer, [413])


async def test_a_body_without_an_end_is_refused_everywhere(inside: Inside) -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b" " * 65_536

    for route in COMMANDS:
        answer = await inside.send(route, content=endless(), headers=JSON)
        must_be_a_problem(route, answer, [413])


async def test_a_body_that_is_not_json_by_its_own_word_is_refused_everywhere(
    inside: Inside,
) -> None:
    for route in COMMANDS:
        for kind in ("text/yaml", "application/x-www-form-urlencoded", "multipart/form-data"):
            answer = await inside.send(route, content=b"{}", headers={"Content-Type": kind})
            must_be_a_problem(route, answer, [415])


async def test_a_body_that_never_comes_is_ended_everywhere(database: str, tmp_path: Path) -> None:
    async def never() -> AsyncIterator[bytes]:
        yield b'{"name": '
        await asyncio.Event().wait()

    async with open_quarterdeck(database, tmp_path, request_seconds=0.5) as quarterdeck:
        house = await furnish(quarterdeck)
        before = await quarterdeck.hub.store.head()
        cookie = f"qd={await quarterdeck.session()}"
        signed_in = await quarterdeck.hub.store.head()
        async with quarterdeck.client(Cookie=cookie) as client:
            for route in COMMANDS:
                answer = await client.request(
                    route.method, address(route, house), content=never(), headers=JSON
                )
                must_be_a_problem(route, answer, [408])
        assert await quarterdeck.hub.store.head() == signed_in > before


async def test_an_id_that_is_none_is_not_found_anywhere(inside: Inside) -> None:
    for route in WITH_IDS:
        for name in route.names:
            for text in NO_ID:
                where = address(route, inside.house, **{name: text})
                answer = await inside.send(route, where)
                assert answer.status_code in (404, 405), told(route, answer, repr(text))


async def test_an_unknown_id_is_not_found_anywhere(inside: Inside) -> None:
    for route in WITH_IDS:
        where = address(route, inside.house, **{name: str(uuid4()) for name in route.names})
        answer = await inside.send(route, where, content=b"{}", headers=JSON)
        must_be_a_problem(route, answer, [404, 422])


async def test_a_parameter_that_nobody_knows_is_refused_everywhere(inside: Inside) -> None:
    for route in ROUTES:
        for query in BAD_QUERIES:
            where = address(route, inside.house)
            answer = await inside.send(route, f"{where}{'&' if '?' in where else '?'}{query}")
            must_be_a_problem(route, answer, [400])


async def test_an_idempotency_key_that_is_none_is_refused_everywhere(inside: Inside) -> None:
    for route in COMMANDS:
        for key in (b"", b"a" * 256, b"tab\there", b"\xff"):
            answer = await inside.send(route, headers=[(b"Idempotency-Key", key)])
            must_be_a_problem(route, answer, [400, 422])


Stolen = Callable[[Quarterdeck, House], Awaitable[dict[str, str]]]


async def nobodys(quarterdeck: Quarterdeck, _: House) -> dict[str, str]:
    return {}


async def made_up(quarterdeck: Quarterdeck, house: House) -> dict[str, str]:
    return {"X-Auth-Token": Credential.make(house.cluster_id).write("qdt")}


async def revoked(quarterdeck: Quarterdeck, house: House) -> dict[str, str]:
    made = (await quarterdeck.execute(CreateAuthToken(name="stolen"))).result
    await quarterdeck.execute(RevokeAuthToken(auth_token_id=made.id))
    return {"X-Auth-Token": made.token}


async def signed_out(quarterdeck: Quarterdeck, house: House) -> dict[str, str]:
    cookie = await quarterdeck.session()
    session = Credential.read("qds", cookie)
    assert session is not None
    await quarterdeck.execute(SignOut(session_id=session.id))
    return {"Cookie": f"qd={cookie}"}


async def of_another_workspace(quarterdeck: Quarterdeck, house: House) -> dict[str, str]:
    return {"X-Auth-Token": await quarterdeck.token(await quarterdeck.workspace())}


async def by_a_foreign_page(quarterdeck: Quarterdeck, house: House) -> dict[str, str]:
    return {"Cookie": f"qd={await quarterdeck.session()}", "Origin": "https://evil.example"}


async def read_only(quarterdeck: Quarterdeck, house: House) -> dict[str, str]:
    return {"X-Auth-Token": await quarterdeck.token(house.workspace_id, read_only=True)}


async def read_only_everywhere(quarterdeck: Quarterdeck, house: House) -> dict[str, str]:
    return {"X-Auth-Token": await quarterdeck.token(read_only=True)}


@pytest.mark.parametrize(
    ("stolen", "routes", "statuses"),
    [
        (nobodys, ROUTES, [401]),
        (made_up, ROUTES, [401]),
        (revoked, ROUTES, [401]),
        (signed_out, ROUTES, [401]),
        (of_another_workspace, ROUTES, [403]),
        (by_a_foreign_page, COMMANDS, [403]),
        (read_only, COMMANDS, [403]),
        (read_only_everywhere, COMMANDS, [403]),
    ],
)
async def test_who_has_no_right_gets_nowhere(
    quarterdeck: Quarterdeck,
    house: House,
    stolen: Stolen,
    routes: Iterable[Route],
    statuses: list[int],
) -> None:
    headers = await stolen(quarterdeck, house)
    before = await quarterdeck.hub.store.head()
    async with quarterdeck.client(**headers) as client:
        for route in routes:
            answer = await client.request(route.method, address(route, house))
            must_be_a_problem(route, answer, statuses)
    assert await quarterdeck.hub.store.head() == before

"""The gate: whose name is answered, whose page may use a session, and what every answer says."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from adapters.http.app import build
from adapters.observability.metrics import PrometheusMeasures
from tests.adapters.http.quarterdeck import Quarterdeck, open_quarterdeck

pytestmark = pytest.mark.asyncio(loop_scope="module")

WORKSPACES = "/api/v1/workspaces"
CALLER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
OURS = "00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01"


@pytest.mark.parametrize("host", ["evil.example", "quarterdeck.test.evil.example", ""])
async def test_another_name_is_not_answered_to(quarterdeck: Quarterdeck, host: str) -> None:
    async with quarterdeck.client() as client:
        answer = await client.get(WORKSPACES, headers={"Host": host})
    assert answer.status_code == 421
    assert answer.json()["error"] == "wrong_host"


@pytest.mark.parametrize(
    "host",
    ["[", "[::1", "quarterdeck.test:80@evil.example", "quarterdeck.test/x", "quarterdeck.test:a"],
)
async def test_a_host_that_is_no_name_is_refused(quarterdeck: Quarterdeck, host: str) -> None:
    async with quarterdeck.client() as client:
        answer = await client.get(WORKSPACES, headers={"Host": host})
    assert answer.status_code == 400
    assert answer.json()["detail"].startswith("Host: ")


async def test_names_can_be_added(database: str, tmp_path: Any) -> None:
    async with (
        open_quarterdeck(database, tmp_path, allowed_hosts=["other.test"]) as quarterdeck,
        quarterdeck.client() as client,
    ):
        for host in ("other.test:8443", "QUARTERDECK.test"):
            assert (await client.get(WORKSPACES, headers={"Host": host})).status_code == 401


async def test_probes_are_answered_under_any_name(quarterdeck: Quarterdeck) -> None:
    async with quarterdeck.client() as client:
        for probe in ("/livez", "/readyz", "/metrics"):
            answer = await client.get(probe, headers={"Host": "10.1.2.3:8080"})
            assert answer.status_code == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 201),
        ({"Sec-Fetch-Site": "same-origin"}, 201),
        ({"Sec-Fetch-Site": "none"}, 201),
        ({"Origin": "http://quarterdeck.test"}, 201),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "http://quarterdeck.test.evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://["}, 403),
    ],
)
async def test_a_foreign_page_cannot_use_a_session(
    quarterdeck: Quarterdeck, headers: dict[str, str], status: int
) -> None:
    cookie = {"Cookie": f"qd={await quarterdeck.session()}"}
    async with quarterdeck.client(**cookie, **headers) as client:
        answer = await client.post(WORKSPACES, json={"name": "A"})
    assert answer.status_code == status


async def test_a_token_in_a_header_needs_no_origin(quarterdeck: Quarterdeck) -> None:
    headers = {"Origin": "http://tool.example", "Sec-Fetch-Site": "cross-site"}
    async with quarterdeck.client(await quarterdeck.token(), **headers) as client:
        assert (await client.post(WORKSPACES, json={"name": "A"})).status_code == 201


async def test_every_answer_keeps_browsers_from_misusing_it(quarterdeck: Quarterdeck) -> None:
    async with quarterdeck.client() as client:
        for path in ("/livez", WORKSPACES, "/nowhere", "/documentation", "/static/quarterdeck.css"):
            headers = (await client.get(path)).headers
            assert headers["X-Content-Type-Options"] == "nosniff"
            assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
            assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
            assert headers["Referrer-Policy"] == "same-origin"
            assert "Strict-Transport-Security" not in headers


async def test_https_is_demanded_where_it_is_spoken(database: str, tmp_path: Any) -> None:
    async with (
        open_quarterdeck(database, tmp_path, public_url="https://quarterdeck.test") as quarterdeck,
        quarterdeck.client(Cookie=f"__Host-qd={await quarterdeck.session()}") as client,
    ):
        answer = await client.get(WORKSPACES)
    assert answer.status_code == 200
    assert "max-age=" in answer.headers["Strict-Transport-Security"]


async def test_a_nonce_is_used_once(quarterdeck: Quarterdeck) -> None:
    async with quarterdeck.client() as client:
        policies = {
            (await client.get("/documentation")).headers["Content-Security-Policy"]
            for _ in range(2)
        }
    assert len(policies) == 2


async def test_the_documentation_tells_every_operation_and_every_error(
    quarterdeck: Quarterdeck,
) -> None:
    async with quarterdeck.client() as client:
        page = await client.get("/documentation")
        document = await client.get("/api/v1/openapi.json")
    assert page.status_code == document.status_code == 200
    for operations in document.json()["paths"].values():
        for operation in operations.values():
            assert f'id="{operation["operationId"]}"' in page.text
    for error in document.json()["x-errors"]:
        assert f'id="{error["error"]}"' in page.text


async def test_a_browser_gets_a_page_where_a_program_gets_problem_json(
    quarterdeck: Quarterdeck,
) -> None:
    async with quarterdeck.client() as client:
        page = await client.get("/", headers={"Host": "evil.example", "Accept": "text/html"})
        problem = await client.get("/", headers={"Host": "evil.example"})
    assert page.headers["Content-Type"].startswith("text/html")
    assert problem.headers["Content-Type"] == "application/problem+json"


async def test_requests_and_commands_are_counted_by_route_and_name(
    quarterdeck: Quarterdeck,
) -> None:
    measured = replace(
        quarterdeck, app=build(replace(quarterdeck.edge, measures=PrometheusMeasures()))
    )
    async with measured.client(await quarterdeck.token()) as client:
        made = await client.post(WORKSPACES, json={"name": "A"})
        await client.get(made.headers["Location"])
        numbers = (await client.get("/metrics")).text
    assert (
        'quarterdeck_http_request_seconds_count{method="GET",route="/workspaces/{workspace_id}",'
        'status="200"} 1.0'
    ) in numbers
    assert (
        'quarterdeck_command_seconds_count{command="CreateWorkspace",outcome="done"} 1.0'
    ) in numbers


async def test_a_command_carries_the_span_it_was_asked_in(quarterdeck: Quarterdeck) -> None:
    traced = replace(quarterdeck, app=build(replace(quarterdeck.edge, tracer=_Tracer())))
    async with traced.client(await quarterdeck.token(), traceparent=CALLER) as client:
        made = await client.post(WORKSPACES, json={"name": "A"})
    (recorded,) = await quarterdeck.hub.store.read(int(made.headers["X-Position"]) - 1, 1)
    assert recorded.metadata.traceparent == OURS


class _Tracer:
    """Continues the caller's trace in a span of its own."""

    @contextmanager
    def span(
        self, name: str, traceparent: str | None, attributes: dict[str, str | int]
    ) -> Iterator[str | None]:
        assert (name, traceparent) == ("POST", CALLER)
        assert attributes == {"http.path": WORKSPACES}
        yield OURS

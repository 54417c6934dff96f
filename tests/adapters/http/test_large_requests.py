"""One request costs the others little: what it holds is counted before it is looked at, and what is
wrong with it is told in few words."""

import asyncio
import gc
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from time import thread_time
from typing import Any
from urllib.parse import quote

import pytest
import pytest_asyncio

from adapters.http.bodies import MAX_VALUES
from adapters.http.request_targets import MAX_PARAMETERS, MAX_TARGET_BYTES
from adapters.running import COLLECT_AFTER
from domain.cluster_templates import MAX_SECTIONS
from domain.model import MAX_FAULTS
from tests.adapters.http.hostile import MAX_REFUSAL_BYTES
from tests.adapters.http.house import House
from tests.adapters.http.quarterdeck import Quarterdeck
from tests.adapters.http.raw_client import Answer, RawClient
from tests.adapters.http.wiring import serving

pytestmark = pytest.mark.asyncio(loop_scope="module")

HELD_SECONDS = 0.1
"""Processor time that the loop may spend on one thing, while nobody else is served."""
MIB = 1 << 20
TEMPLATES, CLUSTERS = "/api/v1/cluster_templates", "/api/v1/clusters"


def filled(head: bytes, piece: bytes, tail: bytes, size: int = MIB) -> bytes:
    """A body of a size that repeats a piece, with commas between."""
    count = (size - len(head) - len(tail)) // (len(piece) + 1)
    return head + b",".join([piece] * count) + tail


def numbered(head: str, piece: str, tail: str, count: int) -> bytes:
    """A body that holds a piece so many times, each with its number in the place of #."""
    return (head + ",".join(piece.replace("#", str(n)) for n in range(count)) + tail).encode()


PARAMETER = '{"key":"p#","title":"P","type":"string"'
BODIES: dict[str, tuple[str, bytes, int]] = {
    "200,000 empty sections": (
        TEMPLATES,
        numbered('{"name":"x","sections":[', "{}", "]}", 200_000),
        413,
    ),
    "20,000 named empty sections": (
        TEMPLATES,
        numbered('{"name":"x","sections":[', '{"name":"s#","source":""}', "]}", 20_000),
        413,
    ),
    "2,000 named empty sections": (
        TEMPLATES,
        numbered('{"name":"x","sections":[', '{"name":"s#","source":""}', "]}", 2_000),
        422,
    ),
    "75,000 unknown fields": (CLUSTERS, numbered("{", '"f#":1', "}", 75_000), 413),
    "9,000 unknown fields": (CLUSTERS, numbered("{", '"f#":1', "}", 9_000), 422),
    "9,000 unknown fields of a section": (
        TEMPLATES,
        numbered('{"name":"x","sections":[{', '"f#":1', "}]}", 9_000),
        422,
    ),
    "unknown fields with long names": (
        CLUSTERS,
        numbered("{", f'"{"n" * 10_000}#":1', "}", 100),
        422,
    ),
    "unknown fields with names of control characters": (
        CLUSTERS,
        numbered("{", '"' + "\\u0001" * 300 + '#":1', "}", 400),
        422,
    ),
    "one unknown field with an endless name": (CLUSTERS, b'{"%s":1}' % (b"n" * (MIB - 20)), 422),
    "9,000 unknown values": (
        CLUSTERS,
        numbered('{"name":"x","cluster_template_version_id":"$","values":{', '"v#":1', "}}", 9_000),
        422,
    ),
    "a list of lists": (TEMPLATES, filled(b'{"name":"x","params":[', b"[]", b"]}"), 413),
    "lists of numbers": (TEMPLATES, filled(b'{"name":"x","params":[[', b"1", b"]]}"), 413),
    "objects with one key": (TEMPLATES, filled(b'{"name":"x","params":[', b'{"":0}', b"]}"), 413),
    "4,000 empty parameters": (
        TEMPLATES,
        numbered('{"name":"x","params":[', "{}", "]}", 4_000),
        422,
    ),
    "200 empty parameters": (TEMPLATES, numbered('{"name":"x","params":[', "{}", "]}", 200), 422),
    "a parameter with 9,000 unknown properties": (
        TEMPLATES,
        numbered('{"name":"x","params":[{', '"f#":1', "}]}", 9_000),
        422,
    ),
    "a parameter with 9,000 choices": (
        TEMPLATES,
        numbered(f'{{"name":"x","params":[{PARAMETER},"enum":[', '"#"', "]}]}", 9_000),
        422,
    ),
    "parameters with long choices and a default that is none of them": (
        TEMPLATES,
        numbered(
            '{"name":"x","params":[',
            PARAMETER
            + ',"default":"x","enum":['
            + ",".join([f'"{"c" * 4000}{n}"' for n in range(20)])
            + "]}",
            "]}",
            12,
        ),
        422,
    ),
    "a key twice, far behind": (
        CLUSTERS,
        numbered("{", '"f#":{}', ',"f3000":1}', 4_000),
        400,
    ),
    "colons in a text": (CLUSTERS, b'{"name":"%s"}' % (b'\\":' * (MIB // 3 - 10)), 422),
    "deep": (CLUSTERS, b'{"values":' + b"[" * (MIB - 20), 413),
    "deep and wide": (
        TEMPLATES,
        filled(b'{"name":"x","params":[', b"[" * 60 + b"]" * 60, b"]}"),
        413,
    ),
    "floats": (TEMPLATES, filled(b'{"name":"x","params":[', b"1.7976931348623157e308", b"]}"), 413),
    "escapes": (CLUSTERS, b'{"name":"%s"}' % (b"\\u20ac" * (MIB // 6 - 10)), 422),
    "not JSON at its end": (CLUSTERS, filled(b'{"name":[', b"{}", b"]"), 413),
    "NUL far behind": (
        CLUSTERS,
        numbered('{"values":{', '"f#":"x"', ',"n":"\\u0000"}}', 9_000),
        400,
    ),
    "a full template": (
        TEMPLATES,
        numbered(
            '{"name":"full","sections":[',
            '{"name":"s#","source":"' + "a: {{ 1 }}\\n" * 1_500 + '"}',
            "]}",
            MAX_SECTIONS,
        ),
        201,
    ),
}


class Held:
    """The most processor time that the loop's thread spent between two of its turns."""

    seconds = 0.0

    async def watch(self) -> None:
        last = thread_time()
        while True:
            await asyncio.sleep(0)
            now = thread_time()
            self.seconds = max(self.seconds, now - last)
            last = now


@asynccontextmanager
async def watched() -> AsyncIterator[Held]:
    held = Held()
    task = asyncio.create_task(held.watch(), name="watch the loop")
    try:
        yield held
    finally:
        task.cancel()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(quarterdeck: Quarterdeck) -> AsyncIterator[int]:
    """Its port; the collector is set as in a process of Quarterdeck."""
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)
    async with serving(quarterdeck.app) as port:
        yield port
    gc.set_threshold(*before)
    gc.unfreeze()


def must_be_short(answer: Answer) -> dict[str, Any]:
    assert len(answer.body) <= MAX_REFUSAL_BYTES
    problem: dict[str, Any] = json.loads(answer.body)
    assert len(problem["detail"]) <= 1_000
    assert len(problem.get("errors", ())) <= MAX_FAULTS
    return problem


@pytest.mark.parametrize("name", BODIES)
async def test_a_body_with_very_much_in_it_holds_nobody_up_and_is_answered_briefly(
    quarterdeck: Quarterdeck, house: House, server: int, name: str
) -> None:
    path, body, status = BODIES[name]
    body = body.replace(b"$", str(house.version_id).encode())
    lines = [(b"X-Auth-Token", house.token.encode()), (b"Content-Type", b"application/json")]
    async with RawClient(server, "quarterdeck.test") as client, watched() as held:
        answer = await client.ask("POST", path.encode(), lines, body)
    assert answer.status == status, answer.text[:500]
    if status >= 400:
        must_be_short(answer)
    assert held.seconds < HELD_SECONDS, held.seconds


async def test_the_first_faults_are_told_and_how_many_more_there_are(
    quarterdeck: Quarterdeck, house: House
) -> None:
    async with quarterdeck.client(house.token) as client:
        fields = {f"f{n}": 1 for n in range(1_000)}
        answer = await client.post(CLUSTERS, json=fields)
        few = await client.post(CLUSTERS, json={"f": 1})
    told = answer.json()
    # The name and the version of the template are missing too.
    assert (len(told["errors"]), told["more_errors"]) == (MAX_FAULTS, 1_002 - MAX_FAULTS)
    assert "more_errors" not in few.json()


async def test_a_body_may_hold_many_values_up_to_the_bound(
    quarterdeck: Quarterdeck, house: House
) -> None:
    text = "[{" * 10_000 + '\\"\\\\,' * 10_000
    for count, status in ((MAX_VALUES - 3, 422), (MAX_VALUES - 2, 413)):
        body = {"name": "x", "comment": text, "params": [0] * count}
        async with quarterdeck.client(house.token) as client:
            answer = await client.post(TEMPLATES, json=body)
        assert answer.status_code == status, answer.text[:300]


def queries() -> Iterator[tuple[str, str, int]]:
    """Queries with very much in them, and what they are answered with."""
    yield "many unknown", "&".join(f"f{n}=1" for n in range(900)), 400
    yield "8,000 unknown", "&".join(f"f{n}=1" for n in range(8_000)), 414
    yield "many of one", "&".join(["status=ready"] * (MAX_PARAMETERS + 1)), 400
    yield "separators", "&" * 8_000, 400
    yield "a long one", f"search={'a' * MAX_TARGET_BYTES}", 414
    yield "a long escaped one", f"search={quote('€') * 3_000}", 414


@pytest.mark.parametrize(("name", "query", "status"), list(queries()))
@pytest.mark.parametrize("path", [CLUSTERS, "/", "/sign-in", "/workspaces/x/clusters"])
async def test_an_address_with_very_much_in_it_is_refused_briefly(
    quarterdeck: Quarterdeck,
    house: House,
    server: int,
    path: str,
    name: str,
    query: str,
    status: int,
) -> None:
    lines = [(b"X-Auth-Token", house.token.encode())]
    async with RawClient(server, "quarterdeck.test") as client, watched() as held:
        answer = await client.ask("GET", f"{path}?{query}".encode(), lines)
    assert answer.status == status, answer.text[:300]
    must_be_short(answer)
    assert held.seconds < HELD_SECONDS, held.seconds


async def test_a_hundred_parameters_and_eight_kilobytes_are_taken(
    quarterdeck: Quarterdeck, house: House
) -> None:
    async with quarterdeck.client() as client:
        many = await client.get("/sign-in?" + "&".join(["next=/"] * MAX_PARAMETERS))
        long = await client.get("/sign-in?next=/" + "a" * 8_000)
    assert (many.status_code, long.status_code) == (200, 200)


@pytest.mark.parametrize(
    "line",
    [
        (b"Cookie", b"a=;" * 20_000),
        (b"Cookie", b"".join(b"a%d=b;" % n for n in range(6_000))),
        (b"X-Forwarded-For", b"127.0.0.1," * 6_000),
        (b"Accept", b"text/html," * 6_000),
        (b"If-None-Match", b'"a",' * 15_000),
        (b"Idempotency-Key", b"a" * 60_000),
    ],
)
@pytest.mark.parametrize("path", [CLUSTERS, "/", "/sign-in"])
async def test_a_header_with_very_much_in_it_holds_nobody_up(
    quarterdeck: Quarterdeck, house: House, server: int, line: tuple[bytes, bytes], path: str
) -> None:
    lines = [(b"X-Auth-Token", house.token.encode()), line]
    async with RawClient(server, "quarterdeck.test") as client, watched() as held:
        answer = await client.ask("GET", path.encode(), lines)
    assert answer.status < 500
    assert held.seconds < HELD_SECONDS, held.seconds


async def test_very_many_header_lines_hold_nobody_up(
    quarterdeck: Quarterdeck, house: House, server: int
) -> None:
    lines = [(b"X-Auth-Token", house.token.encode()), *[(b"A", b"b")] * 9_000]
    async with RawClient(server, "quarterdeck.test") as client, watched() as held:
        answer = await client.ask("GET", CLUSTERS.encode(), lines)
    assert answer.status == 200
    assert held.seconds < HELD_SECONDS, held.seconds

"""A header that comes on several lines is one list, or is refused where it says one thing."""

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest
import pytest_asyncio

from adapters.http.header_lines import SINGLE
from tests.adapters.http.quarterdeck import Quarterdeck, open_quarterdeck
from tests.adapters.http.raw_client import Answer, RawClient
from tests.adapters.http.wiring import serving

pytestmark = pytest.mark.asyncio(loop_scope="module")

HOST = (b"Host", b"quarterdeck.test")
JSON = (b"Content-Type", b"application/json")
WORKSPACES = b"/api/v1/workspaces"
Line = tuple[bytes, bytes]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def behind(
    module_database: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[Quarterdeck, RawClient, Line]]:
    """A Quarterdeck behind a proxy of this machine, a raw client, and its token."""
    folder: Path = tmp_path_factory.mktemp("data")
    async with (
        open_quarterdeck(module_database, folder, trusted_proxies=["127.0.0.0/8"]) as quarterdeck,
        serving(quarterdeck.app) as port,
        RawClient(port, "quarterdeck.test") as client,
    ):
        yield quarterdeck, client, (b"X-Auth-Token", (await quarterdeck.token()).encode())


async def make(client: RawClient, *lines: Line) -> Answer:
    """The answer to a new workspace."""
    return await client.ask("POST", WORKSPACES, lines, b'{"name":"%s"}' % uuid4().hex.encode())


async def test_forwarded_addresses_on_several_lines_are_one_list(
    behind: tuple[Quarterdeck, RawClient, Line],
) -> None:
    quarterdeck, client, token = behind
    forwarded = (b"X-Forwarded-For", b"198.51.100.66"), (b"x-forwarded-for", b"203.0.113.7:51008,")
    answer = await make(client, token, JSON, *forwarded)
    assert answer.status == 201, answer.text
    (recorded,) = await quarterdeck.hub.store.read(int(answer.headers["x-position"]) - 1, 1)
    assert recorded.metadata.remote_address == "203.0.113.7"


@pytest.mark.parametrize("name", sorted(SINGLE - {b"content-length"}))
async def test_a_header_that_says_one_thing_is_refused_when_it_comes_twice(
    behind: tuple[Quarterdeck, RawClient, Line], name: bytes
) -> None:
    quarterdeck, client, token = behind
    before = await quarterdeck.hub.store.head()
    value = {b"host": HOST[1], b"content-type": JSON[1], b"x-auth-token": token[1]}.get(name, b"1")
    others = [line for line in (HOST, JSON, token) if line[0].lower() != name]
    answer = await make(client, *others, (name, value), (name, value))
    assert answer.status == 400, answer.text
    assert answer.text.count("only once")
    assert await quarterdeck.hub.store.head() == before


async def test_two_lengths_of_a_body_are_refused(
    behind: tuple[Quarterdeck, RawClient, Line],
) -> None:
    _, client, token = behind
    length = (b"Content-Length", b"14")
    assert (await make(client, token, JSON, length, length)).status == 400


async def test_two_tokens_are_refused_and_the_same_one_is_not(
    behind: tuple[Quarterdeck, RawClient, Line],
) -> None:
    quarterdeck, client, token = behind
    other = (await quarterdeck.token()).encode()
    for bearer, status in ((other, 400), (token[1], 200)):
        lines = (token, (b"Authorization", b"Bearer " + bearer))
        assert (await client.ask("GET", WORKSPACES, lines)).status == status
    # What a proxy asks for its own sake is another thing.
    lines = (token, (b"Authorization", b"Basic dTpw"))
    assert (await client.ask("GET", WORKSPACES, lines)).status == 200


async def test_cookies_on_several_lines_are_one_list_and_two_sessions_are_refused(
    behind: tuple[Quarterdeck, RawClient, Line],
) -> None:
    quarterdeck, client, _ = behind
    ours, other = [f"qd={await quarterdeck.session()}".encode() for _ in range(2)]
    for cookies, status in (
        ((b"theme=dark", ours), 200),
        ((ours, b"theme=dark"), 200),
        ((ours, ours), 200),
        ((ours, other), 400),
        ((ours + b"; " + other,), 400),
        ((b"qd=; " + ours,), 400),
    ):
        answer = await client.ask("GET", WORKSPACES, [(b"Cookie", each) for each in cookies])
        assert answer.status == status, (cookies, answer.text)


async def test_other_lists_are_joined(behind: tuple[Quarterdeck, RawClient, Line]) -> None:
    _, client, token = behind
    made = await make(client, token, JSON)
    address = made.headers["location"].encode()
    tag = (await client.ask("GET", address, [token])).headers["etag"].encode()
    lines = (token, (b"If-None-Match", tag), (b"If-None-Match", b'"other"'))
    assert (await client.ask("GET", address, lines)).status == 304

"""Malformed forms, wherever one is taken: a page that says 4xx, and nothing has changed."""

from collections.abc import Iterator
from urllib.parse import urlencode
from uuid import uuid4

import pytest

from adapters.http.web.forms import MAX_FIELDS
from adapters.http.web.routes import PAGES
from application.auth_tokens import CreateAuthToken
from tests.adapters.http.web.house import House
from tests.adapters.http.web.visitor import Visitor

pytestmark = pytest.mark.slow

FORM = "application/x-www-form-urlencoded"
MEGABYTE = 1 << 20
WORDS = ("name", "slug", "title", "comment", "source", "link", "back", "search", "revision")
BOMBS = {
    "billion-laughs": "a: &a [x,x]\n" + "".join(f"b{n}: &b{n} [*a,*a]\n" for n in range(20)),
    "deep-lists": "[" * 200_000,
    "many-nulls": "[" + "~," * 120_000 + "]",
    "long-tag": "a: !<" + "x" * 200_000,
    "object": "a: !!python/object/apply:os.system [id]",
    "twins": "a: 1\na: 2\n",
}
TAKING = ("/sign-in", "/preferences", *(p.path for p in PAGES if p.method == "POST"))
BODIES: dict[str, tuple[bytes, str, int]] = {
    "invalid UTF-8": (b"name=%ff%fe&source=%ff", FORM, 400),
    "bytes that are no ASCII": (b"name=\xff\xfe", FORM, 400),
    "NUL in a value": (urlencode(dict.fromkeys(WORDS, "a\0b")).encode(), FORM, 400),
    "NUL in a name": (b"na%00me=a", FORM, 400),
    "too many fields": (b"a=1&" * (MAX_FIELDS + 1), FORM, 400),
    "too large": (b"name=" + b"a" * MEGABYTE, FORM, 413),
    "JSON": (b'{"name": "a"}', "application/json", 415),
    "parts": (b"--x\r\n\r\n--x--", "multipart/form-data; boundary=x", 415),
}


@pytest.fixture
async def places(house: House) -> dict[str, str]:
    """What stands for the names in the addresses: things that are there."""
    await house.example()
    records = await house.hub.store.read(limit=1000)
    ids = {recorded.event.topic: recorded.stream_id for recorded in records}
    return {
        "workspace": "example",
        "cluster_id": str(ids["cluster.created"]),
        "template_id": str(ids["cluster_template.created"]),
        "task_id": str(uuid4()),
        "token_id": str(uuid4()),
    }


def addresses(places: dict[str, str]) -> Iterator[str]:
    for path in TAKING:
        yield path.format_map(places)


async def test_every_malformed_form_is_refused_everywhere(
    house: House, mira: Visitor, places: dict[str, str]
) -> None:
    before = await house.hub.store.head()
    for address in addresses(places):
        for name, (body, kind, status) in BODIES.items():
            headers = {"Content-Type": kind, "Accept": "text/html"}
            answer = await mira.client.post(address, content=body, headers=headers)
            told = f"{address}, {name}: {answer.status_code} {answer.text[:300]}"
            assert answer.status_code == status, told
            assert answer.headers["Content-Type"].startswith("text/html"), told
    assert await house.hub.store.head() == before


async def test_a_template_that_is_a_bomb_goes_off_nowhere(
    house: House, mira: Visitor, places: dict[str, str]
) -> None:
    """YAML is read where it is rendered: a bomb is told with its line, and never installed."""
    workspace_id = await house.hub.store.holder("workspace:example")
    made = await house.do(CreateAuthToken(name="bombs", workspace_id=workspace_id))
    api = {"X-Auth-Token": made.result.token}
    for name, bomb in BOMBS.items():
        sections = [{"name": "Resources", "source": bomb}]
        template = {"name": name, "params": [], "sections": sections}
        kept = await mira.client.post("/api/v1/cluster_templates", json=template, headers=api)
        assert kept.status_code == 201, kept.text[:300]
        cluster = {
            "name": name,
            "cluster_template_version_id": kept.json()["current_cluster_template_version_id"],
        }
        declared = await mira.client.post("/api/v1/clusters", json=cluster, headers=api)
        assert declared.status_code == 201, declared.text[:300]
        assert declared.json()["status"] == "configuration_error", name
        (error,) = declared.json()["render_errors"]
        assert error["line"] >= 1, error
        assert len(error["detail"]) < 300, error
        installed = await mira.client.post(
            f"/api/v1/clusters/{declared.json()['id']}/install", headers=api
        )
        assert installed.status_code == 409, installed.text

"""A form with very much in it costs the others little, and what is wrong is told briefly."""

import json
from urllib.parse import quote_plus

import pytest

from adapters.http.web.forms import MAX_FIELDS
from tests.adapters.http.test_large_requests import watched
from tests.adapters.http.web.house import House
from tests.adapters.http.web.visitor import Visitor

pytestmark = pytest.mark.slow

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
HELD_SECONDS = 0.2
"""Of the loop's processor time; the page that comes back is made of templates."""


def parameters(text: str) -> bytes:
    return f"name=x&section.0.name=A&section.0.source=a&params={quote_plus(text)}".encode()


BODIES = {
    "many unknown fields": "&".join(f"f{n}=1" for n in range(MAX_FIELDS)).encode(),
    "many unknown values": "&".join(f"values.v{n}=1" for n in range(MAX_FIELDS)).encode(),
    "many sections": "&".join(f"section.{n}.name=s" for n in range(MAX_FIELDS)).encode(),
    "a field with an endless name": b"values." + b"n" * 900_000 + b"=1",
    "separators": b"&" * 900_000,
    "many parameters": parameters(json.dumps([{"key": f"k{n}"} for n in range(5_000)])),
    "a parameter with many properties": parameters(
        json.dumps([{f"p{n}": 1 for n in range(9_000)}])
    ),
    "numbers of many digits": parameters(
        f"- {{key: a, title: A, type: number, default: {'9' * 9000}}}"
    ),
}


@pytest.mark.parametrize("name", BODIES)
async def test_a_form_with_very_much_in_it_is_refused_briefly(
    house: House, mira: Visitor, name: str
) -> None:
    await house.example()
    body = BODIES[name]
    for address in (
        "/workspaces/example/templates",
        "/workspaces/example/clusters",
        "/preferences",
    ):
        async with watched() as held:
            answer = await mira.client.post(address, content=body, headers=FORM)
        assert answer.status_code < 500, answer.text[:300]
        echo = len(body) if name.endswith(("parameters", "properties", "digits")) else 0
        assert len(answer.content) <= 128 * 1024 + 12 * echo, (address, len(answer.content))
        assert held.seconds < HELD_SECONDS, (address, held.seconds)

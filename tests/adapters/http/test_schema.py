"""The OpenAPI document is true: what schemathesis tries is answered as it says, and never a 5xx."""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from adapters.http.api.table import PREFIX, TABLE
from adapters.http.edge import Site
from adapters.http.openapi import document
from tests.adapters.http.house import furnish
from tests.adapters.http.quarterdeck import fresh_database, open_quarterdeck
from tests.adapters.http.wiring import serving
from tests.support.servers import PostgresServer

pytestmark = pytest.mark.slow
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
schema = schemathesis.openapi.from_dict(document(TABLE, PREFIX, Site()))
tried = settings(
    max_examples=15,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@dataclass(frozen=True)
class Server:
    """A Quarterdeck in a thread of its own, furnished; `ids` are of things that are there."""

    url: str
    workspace_token: str
    global_token: str
    session: str
    ids: dict[str, UUID]

    def headers(self, path: str) -> dict[str, str]:
        if path.startswith("/auth_tokens"):
            return {"Cookie": f"qd={self.session}", "Sec-Fetch-Site": "same-origin"}
        is_global = path.startswith(("/workspaces", "/system"))
        return {"X-Auth-Token": self.global_token if is_global else self.workspace_token}


@pytest.fixture(scope="module")
def server(
    postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("quarterdeck")
    with fresh_database(postgres_server) as database, _running(database, folder) as running:
        yield running


@contextmanager
def _running(database: str, folder: Path) -> Iterator[Server]:
    ready: Future[Server] = Future()
    ended = threading.Event()

    async def serve() -> None:
        async with (
            open_quarterdeck(database, folder, allowed_hosts=["127.0.0.1"]) as quarterdeck,
            serving(quarterdeck.app) as port,
        ):
            house = await furnish(quarterdeck)
            ready.set_result(
                Server(
                    f"http://127.0.0.1:{port}{PREFIX}",
                    house.token,
                    await quarterdeck.token(),
                    await quarterdeck.session(),
                    house.ids,
                )
            )
            await asyncio.to_thread(ended.wait)

    thread = threading.Thread(target=asyncio.run, args=[serve()], name="server")
    thread.start()
    try:
        yield ready.result(30)
    finally:
        ended.set()
        thread.join()


def test_every_shape_has_a_name_of_its_own() -> None:
    """Or what makes typed clients of the document makes two of one name, and gives up."""
    shapes = document(TABLE, PREFIX, Site())["components"]["schemas"]
    titles = [shape.get("title", name) for name, shape in shapes.items()]
    assert sorted(titles) == sorted(shapes)


@schema.parametrize()
@tried
def test_whatever_is_sent_is_answered_as_documented(
    case: schemathesis.Case, server: Server
) -> None:
    for name, text in (case.path_parameters or {}).items():
        # Half of the ids name something that is there.
        if name in server.ids and str(text)[:1] in "01234567":
            case.path_parameters[name] = str(server.ids[name])
    headers = server.headers(case.path)
    if case.path == "/events":
        _begins_as_documented(case, server, headers)
    else:
        case.call_and_validate(base_url=server.url, headers=headers, checks=CHECKS)


def _begins_as_documented(case: schemathesis.Case, server: Server, headers: dict[str, str]) -> None:
    """A stream without an end is looked at until it begins."""
    request = case.as_transport_kwargs(base_url=server.url, headers=headers)
    with requests.request(**request, stream=True, timeout=10) as response:
        assert response.status_code in (200, 400, 403, 404, 405)
        if response.status_code == 200:
            assert response.headers["Content-Type"].startswith("text/event-stream")

"""When something is away or broken: a 503 with Retry-After, and reads go on where they can."""

import asyncio
import logging
from collections.abc import AsyncIterator, Hashable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
import pytest_asyncio

from adapters.http.app import build
from adapters.http.edge import Reads
from projections.reader import Reader
from tests.adapters.http.quarterdeck import Quarterdeck, open_quarterdeck
from tests.support import servers

pytestmark = pytest.mark.asyncio(loop_scope="module")

WORKSPACES = "/api/v1/workspaces"


@pytest_asyncio.fixture(loop_scope="module")
async def own(server_folder: Path, tmp_path: Path) -> AsyncIterator[tuple[Quarterdeck, Any]]:
    """A Quarterdeck over a PostgreSQL that the test may stop."""
    with servers.postgres(server_folder / f"postgres-{tmp_path.name}") as server:
        async with open_quarterdeck(server.dsn, tmp_path) as quarterdeck:
            yield quarterdeck, server


@pytest.mark.slow
async def test_a_database_that_is_gone_is_a_503_and_all_is_well_when_it_is_back(
    own: tuple[Quarterdeck, Any],
) -> None:
    quarterdeck, server = own
    async with quarterdeck.client(await quarterdeck.token()) as client:
        assert (await client.post(WORKSPACES, json={"name": "A"})).status_code == 201
        await asyncio.to_thread(server.stop)
        refused = await client.post(WORKSPACES, json={"name": "B"})
        assert refused.status_code == 503
        assert int(refused.headers["Retry-After"]) > 0
        assert refused.json()["error"] == "unavailable"
        assert (await client.get(WORKSPACES)).status_code == 503
        assert (await client.get("/livez")).status_code == 200
        await asyncio.to_thread(server.start)
        answers = [await client.post(WORKSPACES, json={"name": "B"}) for _ in range(3)]
        assert answers[-1].status_code == 201


@pytest.mark.slow
async def test_a_database_that_takes_no_writes_still_shows_what_is_there(
    quarterdeck: Quarterdeck, module_database: str
) -> None:
    async with quarterdeck.client(await quarterdeck.token()) as client:
        made = await client.post(WORKSPACES, json={"name": "A"})
        assert (await client.get(made.headers["Location"])).status_code == 200
        _set(module_database, "default_transaction_read_only = on")
        refused = await client.post(WORKSPACES, json={"name": "B"})
        assert refused.status_code == 503
        assert "Retry-After" in refused.headers
        assert (await client.get(made.headers["Location"])).json() == made.json()
        _set(module_database, "default_transaction_read_only = off")
        assert (await client.post(WORKSPACES, json={"name": "B"})).status_code == 201


async def test_a_command_is_answered_though_nothing_shows_it_yet(
    quarterdeck: Quarterdeck,
) -> None:
    workspace_id = await quarterdeck.workspace()
    app = build(replace(quarterdeck.edge, reads=_Behind()))
    behind = replace(quarterdeck, app=app)
    async with behind.client(await quarterdeck.token(workspace_id)) as client:
        made = await client.post("/api/v1/cluster_templates", json={"name": "t1"})
        read = await client.get(f"/api/v1/cluster_templates/{made.json()['id']}")
    assert made.status_code == 202
    assert made.json()["position"] == int(made.headers["X-Position"])
    assert read.status_code == 503
    assert read.json()["error"] == "not_yet"
    assert read.headers["Retry-After"] == "1"


async def test_a_defect_is_loud_in_the_log_and_tells_the_client_nothing(
    quarterdeck: Quarterdeck, caplog: pytest.LogCaptureFixture
) -> None:
    app = build(replace(quarterdeck.edge, reads=_Broken()))
    broken = replace(quarterdeck, app=app)
    async with broken.client(await quarterdeck.token()) as client:
        answer = await client.get(WORKSPACES)
    assert answer.status_code == 500
    assert answer.json()["error"] == "internal_error"
    assert "hunter2" not in answer.text
    (told,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert told.exc_info is not None
    assert "hunter2" in str(told.exc_info[1])


async def test_an_answer_that_takes_too_long_ends_with_504(database: str, tmp_path: Path) -> None:
    async with open_quarterdeck(database, tmp_path, request_seconds=0.1) as quarterdeck:
        stuck = replace(quarterdeck, app=build(replace(quarterdeck.edge, reads=_Stuck())))
        async with stuck.client(await quarterdeck.token()) as client:
            answer = await client.get(WORKSPACES)
    assert answer.status_code == 504
    assert answer.json()["error"] == "took_too_long"


async def test_a_process_that_cannot_serve_says_why(quarterdeck: Quarterdeck) -> None:
    async def reasons() -> list[str]:
        return ["The database cannot be reached."]

    waiting = replace(quarterdeck, app=build(replace(quarterdeck.edge, readiness=reasons)))
    async with waiting.client() as client:
        answer = await client.get("/readyz")
    assert answer.status_code == 503
    assert answer.text == "The database cannot be reached.\n"
    assert answer.headers["Retry-After"] == "1"


def _set(dsn: str, what: str) -> None:
    """Set it for new sessions of the database, and end the old ones."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("set default_transaction_read_only = off")
        connection.execute(f"alter database {connection.info.dbname} set {what}".encode())
        connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where datname = current_database() and pid <> pg_backend_pid()"
        )


class _Behind(Reads):
    async def reader(
        self, *, at: datetime | None = None, after: int | None = None, tenant: Hashable = None
    ) -> Reader:
        raise TimeoutError


class _Broken(Reads):
    async def reader(
        self, *, at: datetime | None = None, after: int | None = None, tenant: Hashable = None
    ) -> Reader:
        raise ZeroDivisionError("the password is hunter2")


class _Stuck(Reads):
    async def reader(
        self, *, at: datetime | None = None, after: int | None = None, tenant: Hashable = None
    ) -> Reader:
        await asyncio.Event().wait()
        raise AssertionError

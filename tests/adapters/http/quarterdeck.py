"""A whole Quarterdeck for the tests of HTTP: the real bus, log and read models on PostgreSQL."""

import asyncio
import re
import secrets
import socket
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
import psycopg
import uvicorn
from psycopg.conninfo import make_conninfo
from starlette.applications import Starlette
from starlette.types import ASGIApp

from adapters.bootstrap import Hub, open_hub, write_keys
from adapters.crypto.key_ring import KeyRing
from adapters.embedded.postgres import EmbeddedPostgres
from adapters.http.app import build
from adapters.http.edge import Edge, Site
from adapters.http.feed import LogFeed
from adapters.postgres.migrations import migrate
from adapters.postgres.projector import Projector
from adapters.postgres.read_models import install
from adapters.postgres.rebuild import Rebuilder
from adapters.postgres.routine_checks import PostgresRoutineChecks
from adapters.postgres.stream import LogStream
from adapters.postgres.system import PostgresSystem
from adapters.processes.reads import open_reads
from adapters.settings import Settings
from adapters.ssh.keys import AsyncsshKeyPairs
from application.auth_tokens import CreateAuthToken
from application.commands import Command, Outcome
from application.permissions import QUARTERDECK, Principal
from application.ports import RenderFault, Rendering, SectionSource
from application.sign_in import IssueSignInLink, UseSignInLink
from application.work import Context
from application.workspaces import CreateWorkspace
from projections import PROJECTIONS

VARIABLE = re.compile(r"{{\s*\.(\w+)\s*}}")


class PlainRenderer:
    """ports.Renderer that knows `{{ .name }}` and nothing else of Go's templates."""

    async def render(
        self, sections: Sequence[SectionSource], values: Mapping[str, Any]
    ) -> Rendering:
        faults = [
            RenderFault(section.name, f"There is no {name}.", 1, 1)
            for section in sections
            for name in VARIABLE.findall(section.source)
            if name not in values
        ]
        if faults:
            return Rendering({}, {}, faults, "plain 1")
        texts = {
            section.name: VARIABLE.sub(lambda m: str(values[m[1]]), section.source)
            for section in sections
        }
        return Rendering(texts, {name: [text] for name, text in texts.items()}, [], "plain 1")


@dataclass
class Quarterdeck:
    """The application, what it stands on, and clients that come in with a token."""

    hub: Hub
    edge: Edge
    app: Starlette

    def client(self, token: str | None = None, **headers: str) -> httpx2.AsyncClient:
        given = {**({"X-Auth-Token": token} if token else {}), **headers}
        return httpx2.AsyncClient(
            transport=httpx2.ASGITransport(self.app, raise_app_exceptions=False),
            base_url=self.edge.site.public_url,
            headers=given,
        )

    async def execute(self, command: Command, principal: Principal = QUARTERDECK) -> Outcome:
        return await self.hub.bus.execute(command, Context(principal))

    async def token(self, workspace_id: Any = None, *, read_only: bool = False) -> str:
        command = CreateAuthToken(name="test", workspace_id=workspace_id, read_only=read_only)
        token: str = (await self.execute(command)).result.token
        return token

    async def workspace(self, name: str | None = None) -> Any:
        return (await self.execute(CreateWorkspace(name=name or uuid4().hex))).result

    async def session(self) -> str:
        """The cookie of a signed-in administrator."""
        link = (await self.execute(IssueSignInLink(user_name="admin"))).result
        cookie: str = (await self.execute(UseSignInLink(link=link))).result.cookie
        return cookie


@contextmanager
def fresh_database(server: EmbeddedPostgres) -> Iterator[str]:
    """An empty database, for longer than one test."""
    name = f"http_{secrets.token_hex(6)}"
    with psycopg.connect(server.dsn, autocommit=True) as connection:
        connection.execute(f"create database {name}".encode())
    yield make_conninfo(server.dsn, dbname=name)
    with psycopg.connect(server.dsn, autocommit=True) as connection:
        connection.execute(f"drop database {name} with (force)".encode())


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def serving(app: ASGIApp) -> AsyncIterator[int]:
    """The port of a real server on loopback, in the loop of the test."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = _Server(
            uvicorn.Config(
                app,
                log_config=None,
                lifespan="off",
                http="httptools",
                ws="none",
                timeout_graceful_shutdown=2,
            )
        )
        task = asyncio.create_task(server.serve(sockets=[listener]), name="uvicorn")
        while not server.started:
            await asyncio.sleep(0)
        try:
            yield listener.getsockname()[1]
        finally:
            server.should_exit = True
            await task


@asynccontextmanager
async def open_quarterdeck(dsn: str, folder: Path, **site: Any) -> AsyncIterator[Quarterdeck]:
    """Everything over one fresh database; the projector and the feed run beside."""
    settings = Settings(data=folder)
    write_keys(settings, KeyRing.generate())
    await migrate(dsn)
    await install(dsn, PROJECTIONS)
    async with (
        open_hub(settings, dsn, PlainRenderer(), AsyncsshKeyPairs()) as hub,
        open_reads(hub) as reads,
        asyncio.TaskGroup() as group,
    ):
        decode = hub.store.mapper.recorded
        stream = LogStream(dsn, decode, poll_seconds=0.2)
        feed = LogFeed(stream, hub.store, lambda r: hub.cache.seen(r.stream_id, r.version))
        projector = Projector(
            dsn, PROJECTIONS, LogStream(dsn, decode, poll_seconds=0.2), Rebuilder(dsn, decode)
        )
        edge = Edge(
            bus=hub.bus,
            cache=hub.cache,
            clock=hub.clock,
            reads=reads,
            log=hub.store,
            documents=hub.documents,
            task_logs=hub.task_logs,
            renderer=hub.bus.world.renderer,
            events=feed,
            system=PostgresSystem(dsn, hub.pool, reads.now, decode, PROJECTIONS),
            last_looks=PostgresRoutineChecks(hub.pool).last,
            site=Site(**{"public_url": "http://quarterdeck.test", **site}),
        )
        beside = [
            group.create_task(part, name=name)
            for name, part in (
                ("projector", projector.run()),
                ("visibility", reads.visibility.run()),
                ("feed", feed.run()),
            )
        ]
        try:
            yield Quarterdeck(hub, edge, build(edge))
        finally:
            for task in beside:
                task.cancel()

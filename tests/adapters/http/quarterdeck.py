"""A whole Quarterdeck for the tests of HTTP: the real bus, log and read models on PostgreSQL."""

import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
import psycopg
from psycopg.conninfo import make_conninfo
from starlette.applications import Starlette

from adapters.bootstrap import Hub
from adapters.http.app import build
from adapters.http.edge import Edge, Site
from adapters.memory.renderer import PlainRenderer
from adapters.settings import Settings
from application.auth_tokens import CreateAuthToken
from application.commands import Command, Outcome
from application.permissions import QUARTERDECK, Principal
from application.sign_in import IssueSignInLink, UseSignInLink
from application.work import Context
from application.workspaces import CreateWorkspace
from tests.adapters.http.wiring import open_edge, open_new
from tests.support.servers import PostgresServer


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
def fresh_database(server: PostgresServer) -> Iterator[str]:
    """An empty database, for longer than one test."""
    name = f"http_{secrets.token_hex(6)}"
    with psycopg.connect(server.dsn, autocommit=True) as connection:
        connection.execute(f"create database {name}".encode())
    yield make_conninfo(server.dsn, dbname=name)
    with psycopg.connect(server.dsn, autocommit=True) as connection:
        connection.execute(f"drop database {name} with (force)".encode())


@asynccontextmanager
async def open_quarterdeck(dsn: str, folder: Path, **site: Any) -> AsyncIterator[Quarterdeck]:
    """Everything over one fresh database; the projector and the feed run beside."""
    async with (
        open_new(Settings(data=folder), dsn, PlainRenderer()) as (hub, reads),
        open_edge(hub, reads, Site(**{"public_url": "http://quarterdeck.test", **site})) as edge,
    ):
        yield Quarterdeck(hub, edge, build(edge))

"""The pages over the real thing: PostgreSQL, bus, projector, renderer, feed, in this process."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from pydantic import SecretStr
from starlette.types import ASGIApp

from adapters.bootstrap import Hub
from adapters.gotpl.renderer import SubprocessRenderer
from adapters.http.app import build
from adapters.http.edge import Site
from adapters.processes.reads import ReadModels
from adapters.settings import Settings
from application.commands import Command, Outcome
from application.example import load_example
from application.permissions import QUARTERDECK, Principal, Role
from application.sign_in import IssueSignInLink, user_id_of
from application.work import Context
from domain.model import Actor
from tests.adapters.http.wiring import open_edge, open_new, serving
from tests.support.servers.processes import free_port

MIRA = "Mira Okafor"


@dataclass(slots=True)
class House:
    """A running Quarterdeck without a manager: tasks wait until the test tells how they go."""

    hub: Hub
    reads: ReadModels
    app: ASGIApp
    url: str

    async def do(self, command: Command, *, who: str = MIRA) -> Outcome:
        """Carry out a command as a person."""
        context = Context(person(who), {"remote_address": "10.0.0.7"})
        return await self.hub.bus.execute(command, context)

    async def manage(self, command: Command) -> Outcome:
        """Carry out a command as the cluster manager."""
        return await self.hub.bus.execute(command, Context(QUARTERDECK))

    async def shown(self) -> None:
        """Wait until pages show all that was done."""
        await self.reads.reader(after=await self.hub.store.head())

    async def link(self, who: str = MIRA) -> str:
        """A sign-in link's word."""
        outcome = await self.hub.bus.execute(IssueSignInLink(user_name=who), Context(QUARTERDECK))
        return str(outcome.result)

    async def example(self) -> UUID:
        """The example's workspace."""
        workspace_id = await load_example(self.hub.bus, Context(person(MIRA)), 2222)
        await self.shown()
        return workspace_id


def person(name: str) -> Principal:
    return Principal(Actor(type="User", id=user_id_of(name), name=name), Role.ADMINISTRATOR)


@asynccontextmanager
async def open_house(dsn: str, folder: Path, **parts: Any) -> AsyncIterator[House]:
    """Everything over an empty database; `parts` are fields of the edge."""
    settings = Settings(data=folder, database_url=SecretStr(dsn), port=free_port())
    site = Site(public_url=settings.url, version="1.0.0", time_zone="Europe/Oslo")
    async with (
        SubprocessRenderer() as renderer,
        open_new(settings, dsn, renderer) as (hub, reads),
        open_edge(hub, reads, site, **parts) as edge,
    ):
        yield House(hub, reads, build(edge), settings.url)


@asynccontextmanager
async def served(house: House) -> AsyncIterator[str]:
    """The house on its port; the address."""
    async with serving(house.app, house.hub.settings.port):
        yield house.url

"""The pages over the real thing: PostgreSQL, bus, projector, renderer, feed, in this process."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import uvicorn
from pydantic import SecretStr
from starlette.types import ASGIApp

from adapters.bootstrap import Hub, open_hub, write_keys
from adapters.crypto.key_ring import KeyRing
from adapters.gotpl.renderer import SubprocessRenderer
from adapters.http.app import build
from adapters.http.edge import Edge, Site
from adapters.http.feed import LogFeed
from adapters.postgres.migrations import migrate
from adapters.postgres.projector import Projector
from adapters.postgres.read_models import install
from adapters.postgres.rebuild import Rebuilder
from adapters.postgres.stream import LogStream
from adapters.postgres.system import PostgresSystem
from adapters.processes.reads import ReadModels, open_reads
from adapters.settings import Settings
from adapters.ssh.keys import AsyncsshKeyPairs
from application.commands import Command, Outcome
from application.example import load_example
from application.permissions import QUARTERDECK, Principal, Role
from application.sign_in import IssueSignInLink, user_id_of
from application.work import Context
from domain.model import Actor
from projections import PROJECTIONS
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
        context = Context(person(who), remote_address="10.0.0.7")
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
async def open_house(dsn: str, folder: Path, **changes: Any) -> AsyncIterator[House]:
    """Everything over an empty database; `changes` are fields of the edge."""
    port = free_port()
    settings = Settings(data=folder, database_url=SecretStr(dsn), port=port)
    write_keys(settings, KeyRing.generate())
    await migrate(dsn)
    await install(dsn, PROJECTIONS)
    async with AsyncExitStack() as stack:
        renderer = await stack.enter_async_context(SubprocessRenderer())
        hub = await stack.enter_async_context(open_hub(settings, dsn, renderer, AsyncsshKeyPairs()))
        reads = await stack.enter_async_context(open_reads(hub))
        decode = hub.store.mapper.recorded
        projector = Projector(
            dsn, PROJECTIONS, LogStream(dsn, decode), Rebuilder(dsn, decode), source="log"
        )
        feed = LogFeed(LogStream(dsn, decode), hub.store, _seen(hub))
        for name, part in {
            "projector": projector.run(),
            "feed": feed.run(),
            "visibility": reads.visibility.run(),
        }.items():
            await stack.enter_async_context(_running(name, part))
        site = Site(public_url=settings.url, version="1.0.0", time_zone="Europe/Oslo")
        edge = Edge(
            bus=hub.bus,
            cache=hub.cache,
            clock=hub.clock,
            reads=reads,
            log=hub.store,
            documents=hub.documents,
            task_logs=hub.task_logs,
            renderer=renderer,
            events=feed,
            site=site,
            erasures=lambda: hub.vault.forgotten,
            system=PostgresSystem(dsn, hub.pool, reads.now, decode, PROJECTIONS),
            **changes,
        )
        yield House(hub, reads, build(edge), settings.url)


def _seen(hub: Hub) -> Callable[[Any], None]:
    return lambda recorded: hub.cache.seen(recorded.stream_id, recorded.version)


@asynccontextmanager
async def _running(name: str, part: Coroutine[Any, Any, Any]) -> AsyncIterator[None]:
    task = asyncio.create_task(part, name=name)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def served(house: House) -> AsyncIterator[str]:
    """The house on its port; the address."""
    config = uvicorn.Config(
        house.app,
        host="127.0.0.1",
        port=int(house.url.rpartition(":")[2]),
        log_config=None,
        access_log=False,
        lifespan="off",
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
    task = asyncio.create_task(server.serve(), name="uvicorn")
    while not server.started:
        await asyncio.sleep(0.01)
    try:
        yield house.url
    finally:
        server.should_exit = True
        await task

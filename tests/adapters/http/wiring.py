"""What the HTTP adapter stands on in its tests: the real bus, log and read models on PostgreSQL."""

import asyncio
import socket
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from starlette.types import ASGIApp

from adapters.bootstrap import Hub, open_hub, write_keys
from adapters.crypto.key_ring import KeyRing
from adapters.http.edge import Edge, Site
from adapters.http.feed import LogFeed
from adapters.postgres.migrations import migrate
from adapters.postgres.projector import Projector
from adapters.postgres.read_models import install
from adapters.postgres.rebuild import Rebuilder
from adapters.postgres.routine_checks import PostgresRoutineChecks
from adapters.postgres.stream import LogStream
from adapters.postgres.system import PostgresSystem
from adapters.processes.reads import ReadModels, open_reads
from adapters.processes.serving import serve_http
from adapters.settings import Settings
from adapters.ssh.keys import AsyncsshKeyPairs
from application.ports import Renderer
from projections import PROJECTIONS

POLL_SECONDS = 0.2


@asynccontextmanager
async def open_new(
    settings: Settings, dsn: str, renderer: Renderer
) -> AsyncIterator[tuple[Hub, ReadModels]]:
    """A hub with keys of its own and the read models over a database that was empty."""
    write_keys(settings, KeyRing.generate())
    await migrate(dsn)
    await install(dsn, PROJECTIONS)
    async with (
        open_hub(settings, dsn, renderer, AsyncsshKeyPairs()) as hub,
        open_reads(hub) as reads,
    ):
        yield hub, reads


@asynccontextmanager
async def open_edge(hub: Hub, reads: ReadModels, site: Site, **parts: Any) -> AsyncIterator[Edge]:
    """An edge with a projector and a feed that run; `parts` are more of its fields."""
    decode = hub.store.mapper.recorded
    stream = LogStream(hub.dsn, decode, poll_seconds=POLL_SECONDS)
    feed = LogFeed(stream, hub.store, lambda r: hub.cache.seen(r.stream_id, r.version))
    projector = Projector(
        hub.dsn,
        PROJECTIONS,
        LogStream(hub.dsn, decode, poll_seconds=POLL_SECONDS),
        Rebuilder(hub.dsn, decode),
    )
    async with _beside(
        projector=projector.run(), visibility=reads.visibility.run(), feed=feed.run()
    ):
        yield Edge(
            bus=hub.bus,
            cache=hub.cache,
            clock=hub.clock,
            reads=reads,
            log=hub.store,
            documents=hub.documents,
            task_logs=hub.task_logs,
            renderer=hub.bus.world.renderer,
            events=feed,
            site=site,
            system=PostgresSystem(hub.dsn, hub.pool, reads.now, decode, PROJECTIONS),
            last_looks=PostgresRoutineChecks(hub.pool).last,
            erasures=lambda: hub.vault.forgotten,
            **parts,
        )


@asynccontextmanager
async def _beside(**parts: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(part, name=name) for name, part in parts.items()]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()


@asynccontextmanager
async def serving(app: ASGIApp, port: int = 0) -> AsyncIterator[int]:
    """The port of a real server on loopback, a free one for 0, in the loop of the test."""
    with socket.create_server(("127.0.0.1", port)) as listener:
        task = asyncio.create_task(serve_http(app, listener, grace_seconds=2), name="http")
        try:
            yield listener.getsockname()[1]
        finally:
            task.cancel()
            await asyncio.wait([task])

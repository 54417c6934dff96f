"""The web UI and the API as a process: `quarterdeck api`."""

import socket
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from importlib.metadata import version

from starlette.types import ASGIApp

from adapters.bootstrap import Hub, open_database, open_hub
from adapters.gotpl.renderer import SubprocessRenderer
from adapters.http.app import build
from adapters.http.edge import Edge, Example, NoTracer, Site
from adapters.http.feed import LogFeed
from adapters.observability import logs
from adapters.observability.metrics import PrometheusMeasures
from adapters.observability.tracing import open_tracer
from adapters.postgres.read_models import install
from adapters.postgres.routine_checks import PostgresRoutineChecks
from adapters.postgres.stream import LogStream
from adapters.postgres.system import PostgresSystem
from adapters.processes.erasing import forget_erased
from adapters.processes.lifetime import Lifetime
from adapters.processes.measuring import measure_readers, measure_writes
from adapters.processes.presence import tell_presence
from adapters.processes.probing import readiness
from adapters.processes.reads import ReadModels, open_reads
from adapters.processes.serving import bind, serve_http
from adapters.settings import Settings
from adapters.ssh.keys import AsyncsshKeyPairs
from application.ports import Renderer
from domain.model import Recorded
from projections import PROJECTIONS, RETIRED


async def serve(settings: Settings) -> None:
    """Answer browsers and programs until a signal comes."""
    logs.configure(settings.log_format, settings.log_level, process="api")
    with bind(settings.host, settings.port) as listener:
        async with (
            open_database(settings) as dsn,
            SubprocessRenderer() as renderer,
            open_hub(settings, dsn, renderer, AsyncsshKeyPairs()) as hub,
            open_reads(hub) as reads,
            Lifetime() as life,
        ):
            await install(dsn, PROJECTIONS, RETIRED)
            async with web(hub, reads, renderer, life, PrometheusMeasures()) as app:
                life.start("http", serve_http(app, listener))
                tell_presence(hub, life, "api", lambda: settings.url)
                await life.until_stopped()


@asynccontextmanager
async def web(
    hub: Hub,
    reads: ReadModels,
    renderer: Renderer,
    life: Lifetime,
    measures: PrometheusMeasures,
    *,
    notice: Sequence[Callable[[Recorded], None]] = (),
    example: Example | None = None,
) -> AsyncIterator[ASGIApp]:
    """The application, with its tail of the log; `notice` hears every event too."""

    def seen(recorded: Recorded) -> None:
        hub.cache.seen(recorded.stream_id, recorded.version)
        for listener in notice:
            listener(recorded)

    feed = LogFeed(LogStream(hub.dsn, hub.store.mapper.recorded), hub.store, seen, lost=hub.forget)
    life.start("feed", feed.run())
    life.start("visibility", reads.visibility.run())
    life.start("erased keys", forget_erased(hub))
    decode = hub.store.mapper.recorded
    system = PostgresSystem(hub.dsn, hub.pool, reads.now, decode, PROJECTIONS)
    measure_writes(measures, hub)
    measure_readers(measures, hub, system)
    tracer, end_tracing = open_tracer("api") or (NoTracer(), _nothing)
    try:
        yield build(
            Edge(
                bus=hub.bus,
                cache=hub.cache,
                clock=hub.clock,
                reads=reads,
                log=hub.store,
                documents=hub.documents,
                task_logs=hub.task_logs,
                renderer=renderer,
                events=feed,
                site=_site(hub.settings),
                measures=measures,
                tracer=tracer,
                readiness=readiness(hub, reads),
                last_looks=PostgresRoutineChecks(hub.pool).last,
                example=example,
                erasures=lambda: hub.vault.forgotten,
                system=system,
            )
        )
    finally:
        end_tracing()


def _nothing() -> None:
    """There is no tracing to end."""


def _site(settings: Settings) -> Site:
    return Site(
        public_url=settings.url,
        allowed_hosts=settings.allowed_hosts.split(),
        trusted_proxies=settings.trusted_proxies.split(),
        instance=socket.gethostname(),
        version=version("quarterdeck"),
        time_zone=settings.time_zone,
    )

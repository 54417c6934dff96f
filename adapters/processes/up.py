"""Everything in one process, for one machine: `quarterdeck up`."""

import sys

from adapters.bootstrap import (
    Hub,
    database_folder,
    keys_file,
    open_database,
    open_hub,
)
from adapters.gotpl.renderer import SubprocessRenderer
from adapters.observability import logs
from adapters.observability.metrics import PrometheusMeasures
from adapters.operations.administration import make_keys_once
from adapters.operations.example import Example, example_obstacle
from adapters.postgres.read_models import install
from adapters.processes.api import web
from adapters.processes.example_host import ExampleHost
from adapters.processes.lifetime import Lifetime
from adapters.processes.manager import cluster_manager, start_looking
from adapters.processes.measuring import measure_tasks
from adapters.processes.presence import tell_presence
from adapters.processes.projector import start_auditing, start_forgetting, start_projecting
from adapters.processes.reads import open_reads
from adapters.processes.relay import start_relaying
from adapters.processes.serving import bind, serve_http
from adapters.settings import Settings
from adapters.ssh.keys import AsyncsshKeyPairs
from application.sign_in import IssueSignInLink
from application.work import of_its_own_accord
from projections import PROJECTIONS, RETIRED


async def serve(settings: Settings) -> None:
    """Serve until a signal comes; the data is there again at the next start."""
    logs.configure(settings.log_format, settings.log_level, process="up")
    with bind(settings.host, settings.port) as listener:
        keys_are_new = make_keys_once(settings) is not None
        async with (
            open_database(settings, alone=True) as dsn,
            SubprocessRenderer() as renderer,
            open_hub(settings, dsn, renderer, AsyncsshKeyPairs()) as hub,
            open_reads(hub) as reads,
            Lifetime() as life,
        ):
            await install(dsn, PROJECTIONS, RETIRED)
            start_projecting(hub, life)
            start_auditing(hub, life)
            start_relaying(hub, life)
            start_forgetting(hub, life)
            example = Example(hub, await example_obstacle(settings))
            manager = cluster_manager(hub, reads.now)
            host = ExampleHost(example, settings.data)
            life.start("manager", manager.run())
            start_looking(hub, life, manager.tools, reads.now)
            life.start("example host", host.run())
            notice, measures = (manager.notice, host.notice), PrometheusMeasures()
            measure_tasks(measures, manager)
            async with web(
                hub, reads, renderer, life, measures, notice=notice, example=example
            ) as app:
                life.start("http", serve_http(app, listener))
                tell_presence(hub, life, "up", lambda: f"{manager.running} tasks")
                await _welcome(hub, keys_are_new=keys_are_new)
                await life.until_stopped()


async def _welcome(hub: Hub, *, keys_are_new: bool) -> None:
    """Tell where everything is; the link signs the administrator in once."""
    settings = hub.settings
    link = await hub.bus.execute(
        IssueSignInLink(user_name=settings.administrator), of_its_own_accord()
    )
    where = settings.database_url and "the database that is set"
    lines = [
        f"Quarterdeck is at  {settings.url}",
        f"Sign in once with  {settings.url}/sign-in?link={link.result}",
        f"The data lies in   {where or database_folder(settings.data)}",
    ]
    if settings.keys is None:
        urge = "Save these keys:  " if keys_are_new else "The keys are in   "
        lines.append(f"{urge} {keys_file(settings).absolute()}")
    print("\n".join(["", *lines, ""]), file=sys.stderr, flush=True)

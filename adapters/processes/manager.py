"""The cluster manager as a process: `quarterdeck manager`."""

from collections.abc import Sequence
from uuid import UUID

from adapters.bootstrap import Hub, open_database, open_hub
from adapters.gotpl.renderer import SubprocessRenderer
from adapters.observability import logs
from adapters.postgres.read_models import install
from adapters.postgres.reader import PostgresReader, open_reader
from adapters.processes.lifetime import Lifetime
from adapters.processes.presence import tell_presence
from adapters.processes.tail import follow_log
from adapters.settings import Settings
from adapters.ssh.installer import SSHInstaller
from adapters.ssh.keys import AsyncsshKeyPairs
from adapters.yaml.reading import read_yaml
from application.cluster_manager import ClusterManager, Tools
from projections import PROJECTIONS
from projections.tasks import unfinished_tasks


async def serve(settings: Settings) -> None:
    """Claim tasks and carry them out until a signal comes."""
    logs.configure(settings.log_format, settings.log_level, process="manager")
    async with (
        open_database(settings) as dsn,
        SubprocessRenderer(workers=1) as renderer,
        open_hub(settings, dsn, renderer, AsyncsshKeyPairs()) as hub,
        open_reader(dsn, connections=2) as reader,
        Lifetime() as life,
    ):
        await install(dsn, PROJECTIONS)
        manager = cluster_manager(hub, reader)
        life.start("tail", follow_log(hub, manager.notice))
        life.start("manager", manager.run())
        tell_presence(hub, life, "manager", lambda: f"{manager.running} of {manager.slots} tasks")
        await life.until_stopped()


def cluster_manager(hub: Hub, reader: PostgresReader) -> ClusterManager:
    """The manager of this process, over SSH."""
    tools = Tools(
        bus=hub.bus,
        cache=hub.cache,
        documents=hub.documents,
        vault=hub.vault,
        installer=SSHInstaller(),
        task_logs=hub.task_logs,
        leases=hub.leases,
        queue=_ReadModelQueue(reader),
        read_yaml=read_yaml,
    )
    settings = hub.settings
    return ClusterManager(
        settings.process_name, tools, slots=settings.slots, lease_seconds=settings.lease_seconds
    )


class _ReadModelQueue:
    """The tasks that are not over, as the read model shows them."""

    def __init__(self, reader: PostgresReader) -> None:
        self._reader = reader

    async def unfinished(self) -> Sequence[UUID]:
        return await unfinished_tasks(self._reader)

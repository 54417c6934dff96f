"""The cluster manager as a process: `quarterdeck manager`."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from adapters.bootstrap import Hub, open_database, open_hub
from adapters.gotpl.renderer import SubprocessRenderer
from adapters.observability import logs
from adapters.observability.metrics import PrometheusMeasures
from adapters.postgres.read_models import install
from adapters.postgres.reader import PostgresReader, open_reader
from adapters.postgres.routine_checks import PostgresRoutineChecks
from adapters.processes.erasing import forget_erased
from adapters.processes.lifetime import Lifetime
from adapters.processes.measuring import measure_tasks, measure_writes
from adapters.processes.presence import tell_presence
from adapters.processes.probing import answer_probes
from adapters.processes.tail import follow_log
from adapters.settings import Settings
from adapters.ssh.installer import SSHInstaller
from adapters.ssh.keys import AsyncsshKeyPairs
from adapters.yaml.reading import read_yaml
from application.cluster_manager import ClusterManager
from application.operation_requests import Tools
from application.ports import Clock
from application.routine_checks import Plan, RoutineChecker
from projections import PROJECTIONS, RETIRED
from projections.cluster_detail import installed_clusters
from projections.reader import Reader
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
        await install(dsn, PROJECTIONS, RETIRED)
        manager = cluster_manager(hub, reader)
        life.start("erased keys", forget_erased(hub))
        life.start("tail", follow_log(hub, manager.notice))
        life.start("manager", manager.run())
        start_looking(hub, life, manager.tools, reader)
        answer_probes(hub, life, _measures(hub, manager))
        tell_presence(hub, life, "manager", lambda: f"{manager.running} of {manager.slots} tasks")
        await life.until_stopped()


def _measures(hub: Hub, manager: ClusterManager) -> PrometheusMeasures:
    measures = PrometheusMeasures()
    measure_writes(measures, hub)
    measure_tasks(measures, manager)
    return measures


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


def start_looking(hub: Hub, life: Lifetime, tools: Tools, reader: Reader) -> None:
    """Check installed clusters by themselves, each at its interval."""
    checker = routine_checker(hub, tools, reader, hub.clock)
    life.start("routine checks", checker.run())


def routine_checker(hub: Hub, tools: Tools, reader: Reader, clock: Clock) -> RoutineChecker:
    """The routine checks of this process, over one database."""
    return RoutineChecker(tools, clock, PostgresRoutineChecks(hub.pool), _ReadModelFleet(reader))


class _ReadModelFleet:
    """routine_checks.Fleet, as the read models show it."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def plans(self) -> Sequence[Plan]:
        return [
            Plan(
                UUID(row["id"]),
                timedelta(minutes=row["check_interval"]),
                datetime.fromisoformat(row["seen_at"]),
            )
            for row in await installed_clusters(self._reader)
        ]


class _ReadModelQueue:
    """The tasks that are not over, as the read model shows them."""

    def __init__(self, reader: PostgresReader) -> None:
        self._reader = reader

    async def unfinished(self) -> Sequence[UUID]:
        return await unfinished_tasks(self._reader)

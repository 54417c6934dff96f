"""The projector as a process: `quarterdeck projector`."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from adapters.audit.output import standard_output
from adapters.audit.printer import AuditPrinter
from adapters.bootstrap import Hub, open_database, open_hub
from adapters.gotpl.renderer import SubprocessRenderer
from adapters.kafka.cluster import Cluster
from adapters.kafka.stream import HistoryIsCut, KafkaStream
from adapters.loki.shipper import LokiShipper
from adapters.observability import logs
from adapters.observability.metrics import PrometheusMeasures
from adapters.postgres.leadership import lead_and_work
from adapters.postgres.lost_events import HaltAtLostEvents, LostEvents
from adapters.postgres.marks import PostgresMarks
from adapters.postgres.projector import Projector
from adapters.postgres.read_models import install
from adapters.postgres.rebuild import Rebuilder
from adapters.postgres.stream import LogStream
from adapters.processes.lifetime import Lifetime
from adapters.processes.presence import tell_presence
from adapters.processes.probing import answer_probes
from adapters.settings import BadSettings, Settings
from adapters.ssh.keys import AsyncsshKeyPairs
from application.ports import Stream, Unavailable
from projections import PROJECTIONS, RETIRED

GROUP = PROJECTOR = "projector"
PRINTER = "audit printer"
SHIPPER = "loki"
READERS = (PROJECTOR, PRINTER, SHIPPER)
FORGET_SECONDS = 3600.0
logger = logging.getLogger(__name__)


async def serve(settings: Settings) -> None:
    """Keep the read models and tell the audit until a signal comes."""
    logs.configure(settings.log_format, settings.log_level, process="projector")
    async with (
        open_database(settings) as dsn,
        SubprocessRenderer(workers=1) as renderer,
        open_hub(settings, dsn, renderer, AsyncsshKeyPairs()) as hub,
        Lifetime() as life,
    ):
        await install(dsn, PROJECTIONS, RETIRED)
        start_projecting(hub, life)
        start_auditing(hub, life)
        start_forgetting(hub, life)
        answer_probes(hub, life, PrometheusMeasures(), READERS)
        tell_presence(hub, life, "projector", lambda: "from Kafka" if settings.kafka else "")
        await life.until_stopped()


def start_projecting(hub: Hub, life: Lifetime) -> None:
    """The read models, from Kafka when there is one, else from the log itself."""
    decode = hub.store.mapper.recorded
    kafka = hub.settings.kafka
    stream: Stream = (
        KafkaStream(Cluster(kafka), GROUP, decode)
        if kafka
        else LogStream(hub.dsn, decode, group=GROUP)
    )
    projector = Projector(
        hub.dsn,
        PROJECTIONS,
        stream,
        Rebuilder(hub.dsn, decode),
        source=f"kafka:{Cluster(kafka).topic}" if kafka else "log",
        cut=HistoryIsCut,
    )
    halting = HaltAtLostEvents(LostEvents(hub.pool), PROJECTOR, projector.run)
    life.start(PROJECTOR, halting.run())


def start_forgetting(hub: Hub, life: Lifetime) -> None:
    """Lines of task logs are samples: what is older than is kept goes, day by day."""

    async def forget() -> None:
        while True:
            try:
                await hub.task_logs.drop_old()
            except Unavailable as error:
                logger.warning("Old lines of task logs stay for now: %s", error.detail)
            await asyncio.sleep(FORGET_SECONDS)

    life.start("forget old task logs", forget())


def start_auditing(hub: Hub, life: Lifetime) -> None:
    """Audit lines on standard output and to Loki, each by whoever leads."""
    decode, settings = hub.store.mapper.recorded, hub.settings
    zone = time_zone(settings)
    output = standard_output()
    if output is not None:
        stream = LogStream(hub.dsn, decode)
        printer = AuditPrinter(
            stream,
            hub.store,
            PostgresMarks(hub.pool, PRINTER),
            output,
            zone=zone,
            form=settings.audit_format,
        )
        _deliver(hub, life, PRINTER, stream, printer.run)
    if settings.loki_url is not None:
        stream = LogStream(hub.dsn, decode)
        shipper = LokiShipper(
            stream,
            hub.store,
            PostgresMarks(hub.pool, SHIPPER),
            settings.loki_url,
            zone=zone,
        )
        _deliver(hub, life, SHIPPER, stream, shipper.run)


def _deliver(
    hub: Hub,
    life: Lifetime,
    reader: str,
    stream: LogStream,
    work: Callable[[], Awaitable[None]],
) -> None:
    """By whoever leads, and not past events that were lost."""
    halting = HaltAtLostEvents(LostEvents(hub.pool), reader, work, stream.forget)
    life.start(reader, lead_and_work(hub.dsn, reader, halting.run))


def time_zone(settings: Settings) -> tzinfo:
    """The zone of the settings. Raises BadSettings when there is none of that name."""
    try:
        return ZoneInfo(settings.time_zone)
    except (ZoneInfoNotFoundError, ValueError):
        raise BadSettings(
            f"QUARTERDECK_TIME_ZONE: there is no time zone {settings.time_zone}."
        ) from None

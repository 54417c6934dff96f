"""The projector as a process: `quarterdeck projector`."""

from adapters.bootstrap import Hub, open_database, open_hub
from adapters.gotpl.renderer import SubprocessRenderer
from adapters.kafka.cluster import Cluster
from adapters.kafka.stream import KafkaStream
from adapters.observability import logs
from adapters.postgres.projector import Projector
from adapters.postgres.read_models import install
from adapters.postgres.rebuild import Rebuilder
from adapters.postgres.stream import LogStream
from adapters.processes.lifetime import Lifetime
from adapters.settings import Settings
from adapters.ssh.keys import AsyncsshKeyPairs
from application.ports import Stream
from projections import PROJECTIONS

GROUP = "projector"


async def serve(settings: Settings) -> None:
    """Keep the read models and tell the audit until a signal comes."""
    logs.configure(settings.log_format, settings.log_level, process="projector")
    async with (
        open_database(settings) as dsn,
        SubprocessRenderer(workers=1) as renderer,
        open_hub(settings, dsn, renderer, AsyncsshKeyPairs()) as hub,
        Lifetime() as life,
    ):
        await install(dsn, PROJECTIONS)
        start_projecting(hub, life)
        start_auditing(hub, life)
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
        source="kafka" if kafka else "log",
    )
    life.start("projector", projector.run())


def start_auditing(hub: Hub, life: Lifetime) -> None:
    """Audit lines on standard output and to Loki, each by whoever leads."""

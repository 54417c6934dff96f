"""The relay as a process: `quarterdeck relay`."""

from adapters.bootstrap import CannotStart, Hub, open_database, open_hub
from adapters.gotpl.renderer import SubprocessRenderer
from adapters.kafka.cluster import Cluster
from adapters.kafka.messages import Stored
from adapters.kafka.relay import Relay
from adapters.observability import logs
from adapters.observability.metrics import PrometheusMeasures
from adapters.postgres.leadership import lead_and_work
from adapters.postgres.lost_events import HaltAtLostEvents, LostEvents
from adapters.postgres.marks import PostgresMarks
from adapters.postgres.stream import LogStream
from adapters.processes.lifetime import Lifetime
from adapters.processes.presence import tell_presence
from adapters.processes.probing import answer_probes
from adapters.settings import Settings
from adapters.ssh.keys import AsyncsshKeyPairs

NAME = "relay"


async def serve(settings: Settings) -> None:
    """Publish the log to Kafka until a signal comes."""
    logs.configure(settings.log_format, settings.log_level, process="relay")
    if settings.kafka is None:
        raise CannotStart("The relay needs QUARTERDECK_KAFKA, Kafka's bootstrap servers.")
    async with (
        open_database(settings) as dsn,
        SubprocessRenderer(workers=1) as renderer,
        open_hub(settings, dsn, renderer, AsyncsshKeyPairs()) as hub,
        Lifetime() as life,
    ):
        start_relaying(hub, life)
        answer_probes(hub, life, PrometheusMeasures(), [NAME])
        tell_presence(hub, life, "relay", lambda: "to Kafka")
        await life.until_stopped()


def start_relaying(hub: Hub, life: Lifetime) -> None:
    """Relay where there is a Kafka, by whoever leads."""
    if hub.settings.kafka is None:
        return
    stream = LogStream(hub.dsn, Stored)
    relay = Relay(
        stream,
        PostgresMarks(hub.pool, NAME, durable=False),
        Cluster(hub.settings.kafka),
    )
    halting = HaltAtLostEvents(LostEvents(hub.pool), NAME, relay.run, stream.forget)
    life.start(NAME, lead_and_work(hub.dsn, NAME, halting.run))

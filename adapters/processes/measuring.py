"""What can be known of the log and of all who follow it, as numbers to be scraped."""

from collections.abc import Sequence

from adapters.bootstrap import Hub
from adapters.observability.metrics import Family, PrometheusMeasures, by_reader, number
from adapters.postgres.system import PostgresSystem
from application.cluster_manager import ClusterManager


def measure_writes(measures: PrometheusMeasures, hub: Hub) -> None:
    """Let the measures of a process tell of its own writes."""
    bus, writer = hub.bus, hub.store.writer
    waiting = "Appends that wait for the next batch."
    measures.gauge("appends_waiting", waiting, lambda: writer.waiting)
    batches = "Batches of appends that were sent to the database."
    measures.counter("append_batches", batches, lambda: writer.batches)
    conflicts = "Appends that met a stream that had moved on, and were tried again."
    measures.counter("append_conflicts", conflicts, lambda: bus.conflicts)


def measure_tasks(measures: PrometheusMeasures, manager: ClusterManager) -> None:
    """Let the measures of a process tell how busy its manager is."""
    measures.gauge("tasks_running", "Tasks that this manager works on.", lambda: manager.running)
    slots = "Tasks that this manager works on at once, at most."
    measures.gauge("task_slots", slots, lambda: manager.slots)


def measure_readers(measures: PrometheusMeasures, hub: Hub, system: PostgresSystem) -> None:
    """Let the measures of a process tell of everybody who reads the log.

    Readers keep in the database how far they are, so that any process can tell of all of them:
    each read model, the relay, the audit printer, Loki.
    """

    async def of_the_log() -> Sequence[Family]:
        readers = await system.readers()
        head = await hub.store.head()
        each = [(row["name"], row["kind"], row) for row in readers]
        return [
            number("log_position", "The position of the log's last event.", head),
            by_reader(
                "reader_lag_events",
                "Events that a reader of the log has not come to yet.",
                ((name, kind, max(0, head - row["position"])) for name, kind, row in each),
            ),
            by_reader(
                "reader_lag_seconds",
                "Age of the first event that a reader of the log has not come to yet.",
                ((name, kind, row["lag_seconds"]) for name, kind, row in each),
            ),
            by_reader(
                "parked_events",
                "Events that a reader of the log has set aside.",
                ((name, kind, row["parked"]) for name, kind, row in each),
            ),
        ]

    measures.ask(of_the_log)

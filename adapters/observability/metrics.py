"""The numbers of a process, in the text that Prometheus scrapes."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class PrometheusMeasures:
    """Rate, errors and duration by route; commands by name and outcome; gauges that are asked.

    Nothing is registered for the whole program: each process has its own registry.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        self._requests = Histogram(
            "quarterdeck_http_request_seconds",
            "Time from a request's arrival to the first byte of its answer.",
            ["route", "method", "status"],
            buckets=SECONDS,
            registry=self.registry,
        )
        self._commands = Histogram(
            "quarterdeck_command_seconds",
            "Time that commands take, durable append included.",
            ["command", "outcome"],
            buckets=SECONDS,
            registry=self.registry,
        )
        self._conflicts = Counter(
            "quarterdeck_append_conflicts",
            "Appends that met a stream that had moved on, and were tried again.",
            registry=self.registry,
        )
        self._by_request: dict[tuple[str, str, int], Histogram] = {}
        self._by_command: dict[tuple[str, str], Histogram] = {}

    def answered(self, route: str, method: str, status: int, seconds: float) -> None:
        key = (route, method, status)
        series = self._by_request.get(key)
        if series is None:
            series = self._by_request[key] = self._requests.labels(route, method, str(status))
        series.observe(seconds)

    def executed(self, command: str, outcome: str, seconds: float) -> None:
        key = (command, outcome)
        series = self._by_command.get(key)
        if series is None:
            series = self._by_command[key] = self._commands.labels(command, outcome)
        series.observe(seconds)

    def conflicted(self) -> None:
        """An append was tried again."""
        self._conflicts.inc()

    def gauge(self, name: str, help_: str, ask: Callable[[], float]) -> None:
        """A number that is asked for when it is scraped, such as a queue's length."""
        Gauge(f"quarterdeck_{name}", help_, registry=self.registry).set_function(ask)

    def exposition(self) -> tuple[bytes, str]:
        return generate_latest(self.registry), CONTENT_TYPE_LATEST

"""The numbers of a process, in the text that Prometheus scrapes."""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress

from prometheus_client import CollectorRegistry, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from application.ports import Unavailable

Family = Metric
Source = Callable[[], Awaitable[Sequence[Family]]]

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
        self._asked: dict[str, Family] = {}
        self._sources: list[Source] = []
        self.registry.register(_Collector(self._asked))
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

    def gauge(self, name: str, help_: str, ask: Callable[[], float]) -> None:
        """A number that is asked for when it is scraped, such as a queue's length."""
        self.ask(_one(lambda: number(name, help_, ask())))

    def counter(self, name: str, help_: str, ask: Callable[[], float]) -> None:
        """A number that only rises, counted elsewhere, and asked for when it is scraped."""
        self.ask(_one(lambda: CounterMetricFamily(f"quarterdeck_{name}", help_, value=ask())))

    def ask(self, source: Source) -> None:
        """Families that take a while to ask for; none of them while their server is away."""
        self._sources.append(source)

    async def exposition(self) -> tuple[bytes, str]:
        asked: dict[str, Family] = {}
        for source in self._sources:
            with suppress(Unavailable):
                asked.update({family.name: family for family in await source()})
        self._asked.clear()
        self._asked.update(asked)
        return generate_latest(self.registry), CONTENT_TYPE_LATEST


def _one(family: Callable[[], Family]) -> Source:
    async def source() -> Sequence[Family]:
        return [family()]

    return source


class _Collector(Collector):
    """Tells the registry what was asked for last."""

    def __init__(self, asked: Mapping[str, Family]) -> None:
        self._asked = asked

    def collect(self) -> Iterator[Family]:
        yield from self._asked.values()


def by_reader(name: str, help_: str, values: Iterable[tuple[str, str, float]]) -> Family:
    """A gauge for each reader of the log, as (reader, kind, value)."""
    family = GaugeMetricFamily(f"quarterdeck_{name}", help_, labels=["reader", "kind"])
    for reader, kind, value in values:
        family.add_metric([reader, kind], value)
    return family


def number(name: str, help_: str, value: float) -> Family:
    """A gauge of one value."""
    return GaugeMetricFamily(f"quarterdeck_{name}", help_, value=value)

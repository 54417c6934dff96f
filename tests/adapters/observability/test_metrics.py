"""Metrics: counted where it happens, told in Prometheus's own text."""

from prometheus_client.parser import text_string_to_metric_families

from adapters.observability.metrics import Family, PrometheusMeasures, by_reader
from application.ports import Unavailable


async def samples(
    measures: PrometheusMeasures,
) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    body, _ = await measures.exposition()
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(body.decode())
        for sample in family.samples
    }


async def test_requests_are_counted_by_route_method_and_status() -> None:
    measures = PrometheusMeasures()
    measures.answered("/clusters/{cluster_id}", "GET", 200, 0.02)
    measures.answered("/clusters/{cluster_id}", "GET", 200, 0.03)
    labels = frozenset(
        {"route": "/clusters/{cluster_id}", "method": "GET", "status": "200"}.items()
    )
    assert (await samples(measures))["quarterdeck_http_request_seconds_count", labels] == 2


async def test_commands_are_counted_by_name_and_outcome() -> None:
    measures = PrometheusMeasures()
    measures.executed("CreateWorkspace", "done", 0.001)
    labels = frozenset({"command": "CreateWorkspace", "outcome": "done"}.items())
    assert (await samples(measures))["quarterdeck_command_seconds_count", labels] == 1


async def test_a_gauge_is_asked_when_it_is_scraped() -> None:
    measures, waiting = PrometheusMeasures(), [1, 2]
    measures.gauge("appends_waiting", "Appends in the queue.", lambda: len(waiting))
    waiting.append(3)
    assert (await samples(measures))["quarterdeck_appends_waiting", frozenset()] == 3


async def test_what_is_counted_elsewhere_is_asked_for() -> None:
    measures, counted = PrometheusMeasures(), [1]
    measures.counter("append_conflicts", "Conflicts.", lambda: len(counted))
    counted.append(2)
    assert (await samples(measures))["quarterdeck_append_conflicts_total", frozenset()] == 2


async def test_what_cannot_be_asked_just_now_is_left_out_and_the_rest_is_told() -> None:
    measures, is_away = PrometheusMeasures(), False

    async def readers() -> list[Family]:
        if is_away:
            raise Unavailable("The database cannot be reached.")
        return [by_reader("parked_events", "Parked.", [("loki", "delivery", 3)])]

    measures.ask(readers)
    measures.gauge("appends_waiting", "Appends in the queue.", lambda: 7)
    parked = "quarterdeck_parked_events", frozenset({"reader": "loki", "kind": "delivery"}.items())
    assert (await samples(measures))[parked] == 3
    is_away = True
    told = await samples(measures)
    assert parked not in told
    assert told["quarterdeck_appends_waiting", frozenset()] == 7


async def test_each_process_counts_for_itself() -> None:
    PrometheusMeasures().executed("SignOut", "done", 0.1)
    told = await samples(PrometheusMeasures())
    assert not any(name.startswith("quarterdeck_command") for name, _ in told)

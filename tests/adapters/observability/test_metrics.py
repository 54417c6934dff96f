"""Metrics: counted where it happens, told in Prometheus's own text."""

from prometheus_client.parser import text_string_to_metric_families

from adapters.observability.metrics import PrometheusMeasures


def samples(measures: PrometheusMeasures) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    body, _ = measures.exposition()
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(body.decode())
        for sample in family.samples
    }


def test_requests_are_counted_by_route_method_and_status() -> None:
    measures = PrometheusMeasures()
    measures.answered("/clusters/{cluster_id}", "GET", 200, 0.02)
    measures.answered("/clusters/{cluster_id}", "GET", 200, 0.03)
    labels = frozenset(
        {"route": "/clusters/{cluster_id}", "method": "GET", "status": "200"}.items()
    )
    assert samples(measures)["quarterdeck_http_request_seconds_count", labels] == 2


def test_commands_are_counted_by_name_and_outcome() -> None:
    measures = PrometheusMeasures()
    measures.executed("CreateWorkspace", "done", 0.001)
    labels = frozenset({"command": "CreateWorkspace", "outcome": "done"}.items())
    assert samples(measures)["quarterdeck_command_seconds_count", labels] == 1


def test_a_gauge_is_asked_when_it_is_scraped() -> None:
    measures, waiting = PrometheusMeasures(), [1, 2]
    measures.gauge("appends_waiting", "Appends in the queue.", lambda: len(waiting))
    waiting.append(3)
    assert samples(measures)["quarterdeck_appends_waiting", frozenset()] == 3


def test_each_process_counts_for_itself() -> None:
    PrometheusMeasures()
    again = PrometheusMeasures()
    again.conflicted()
    assert samples(again)["quarterdeck_append_conflicts_total", frozenset()] == 1

"""Traces: continued from the caller's, exported where a collector is named, free elsewhere."""

import subprocess
import sys

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from adapters.observability.tracing import OpenTelemetryTracer, open_tracer

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def test_without_a_collector_there_is_no_tracer() -> None:
    assert open_tracer("api", {}) is None


def test_without_a_collector_nothing_of_opentelemetry_is_loaded() -> None:
    program = (
        "import sys; from adapters.observability.tracing import open_tracer;"
        " open_tracer('api', {}); sys.exit(any(m.startswith('opentelemetry') for m in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_a_span_continues_the_callers_trace_and_hands_it_on() -> None:
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    with OpenTelemetryTracer(provider).span("GET /", PARENT, {"http.path": "/"}) as handed_on:
        assert handed_on is not None
        assert handed_on.split("-")[1] == PARENT.split("-")[1]
        assert handed_on != PARENT
    (span,) = exporter.get_finished_spans()
    assert span.parent is not None
    assert f"{span.parent.span_id:016x}" == PARENT.split("-")[2]
    assert span.attributes is not None
    assert span.attributes["http.path"] == "/"

"""Traces go to an OpenTelemetry collector where one is named; elsewhere nothing is even loaded."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
TRACES_ENDPOINT = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
Attributes = dict[str, str | int]


class Tracer(Protocol):
    """Spans, continued from a caller's traceparent; entered with the traceparent to hand on."""

    def span(
        self, name: str, traceparent: str | None, attributes: Attributes
    ) -> AbstractContextManager[str | None]: ...


def open_tracer(
    process: str, environment: Mapping[str, str] = os.environ
) -> tuple[Tracer, Callable[[], None]] | None:
    """A tracer and what ends it; None when no collector is named."""
    if not (environment.get(ENDPOINT) or environment.get(TRACES_ENDPOINT)):
        return None
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider(resource=Resource.create({"service.name": f"quarterdeck {process}"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return OpenTelemetryTracer(provider), provider.shutdown


class OpenTelemetryTracer:
    """Tracer over the OpenTelemetry SDK."""

    def __init__(self, provider: Any) -> None:
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        self._tracer = provider.get_tracer("quarterdeck")
        self._propagator = TraceContextTextMapPropagator()

    @contextmanager
    def span(
        self, name: str, traceparent: str | None, attributes: Attributes
    ) -> Iterator[str | None]:
        from opentelemetry.trace import SpanKind

        carrier = {"traceparent": traceparent} if traceparent else {}
        context = self._propagator.extract(carrier)
        with self._tracer.start_as_current_span(
            name, context=context, kind=SpanKind.SERVER, attributes=attributes
        ):
            handed_on: dict[str, str] = {}
            self._propagator.inject(handed_on)
            yield handed_on.get("traceparent", traceparent)

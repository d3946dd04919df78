"""The OpenTelemetry half of tracing: spans are made by its SDK and sent by OTLP over HTTP, from a thread of its own."""

import logging
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from importlib.metadata import version

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from process.tracing import Attributes, SpanKind
from schemas.trace import NO_TRACE, Trace

_KINDS = {kind: trace.SpanKind[kind.name] for kind in SpanKind}
_FLUSH_MILLISECONDS = 3000
_NANOSECONDS = 1_000_000_000


class OtlpExporter:
    """Makes spans; what the collector does not take in time is dropped, and never waited for."""

    def __init__(self, roles: Collection[str]) -> None:
        """Read OpenTelemetry's own variables: where to, how, and as which service (by default `reelbus`)."""
        named = OTELResourceDetector().detect()  # what OTEL_RESOURCE_ATTRIBUTES and OTEL_SERVICE_NAME say
        ours = {SERVICE_NAME: "reelbus", SERVICE_VERSION: version("reelbus"), "reelbus.roles": ",".join(roles)}
        self._provider = TracerProvider(resource=Resource.create(ours).merge(named), shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        self._tracer = self._provider.get_tracer("reelbus", version("reelbus"))
        self._propagator = TraceContextTextMapPropagator()
        # A collector that is away is told once in a while, not with a traceback for each batch.
        logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)

    @contextmanager
    def span(self, name: str, parent: Trace, kind: SpanKind, attributes: Attributes) -> Iterator[Trace]:
        """Make a span around the block."""
        context = self._context(parent)
        with self._tracer.start_as_current_span(
            name, context, kind=_KINDS[kind], attributes=attributes, end_on_exit=True
        ) as made:
            yield self._trace(made)

    def record(
        self, name: str, parent: Trace, kind: SpanKind, attributes: Attributes, *, began: float, ended: float
    ) -> None:
        """Make a span of what is over."""
        made = self._tracer.start_span(
            name,
            self._context(parent),
            kind=_KINDS[kind],
            attributes=attributes,
            start_time=int(began * _NANOSECONDS),
        )
        made.end(int(ended * _NANOSECONDS))

    def close(self) -> None:
        """Send what is left, for a few seconds at most."""
        self._provider.force_flush(_FLUSH_MILLISECONDS)
        self._provider.shutdown()

    def _context(self, parent: Trace) -> Context:
        headers = {"traceparent": parent.traceparent, "tracestate": parent.tracestate}
        given = {name: value for name, value in headers.items() if value is not None}
        return self._propagator.extract(given, Context())

    def _trace(self, made: Span) -> Trace:
        headers: dict[str, str] = {}
        self._propagator.inject(headers, trace.set_span_in_context(made, Context()))
        parent = headers.get("traceparent")
        return NO_TRACE if parent is None else Trace(parent, headers.get("tracestate"))

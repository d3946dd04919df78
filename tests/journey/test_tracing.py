"""One trace leads from a request through every step of its video to what a subscriber does with the event."""

import asyncio
import gzip
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import uvicorn
from opentelemetry import propagate
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.journey.conftest import StartJourney
from tests.support.ports import free_port
from tests.support.waiting import eventually

pytestmark = pytest.mark.asyncio(loop_scope="module")

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
CALLER = "00f067aa0ba902b7"


class Collector:
    """What a collector is to an exporter: it takes spans at `/v1/traces`, in protobuf."""

    def __init__(self) -> None:
        self.url = f"http://127.0.0.1:{free_port()}"
        self.spans: list[Span] = []

    async def take(self, request: Request) -> Response:
        body = await request.body()
        if request.headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            self.spans += [span for scope in resource.scope_spans for span in scope.spans]
        return Response(b"", media_type="application/x-protobuf")

    def names(self) -> set[str]:
        return {span.name for span in self.spans}


@asynccontextmanager
async def collecting() -> AsyncIterator[Collector]:
    collector = Collector()
    app = Starlette(routes=[Route("/v1/traces", collector.take, methods=["POST"])])
    port = int(collector.url.rpartition(":")[2])
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_config=None, lifespan="off"))
    running = asyncio.create_task(server.serve())
    try:
        yield collector
    finally:
        server.should_exit = True
        await running


@pytest.mark.timeout(500)
async def test_one_trace_leads_from_the_request_to_the_subscribers_span(start: StartJourney, picture: bytes) -> None:
    async with collecting() as collector:
        world = await start(OTEL_EXPORTER_OTLP_ENDPOINT=collector.url, OTEL_BSP_SCHEDULE_DELAY="100")
        asked = {"traceparent": f"00-{TRACE}-{CALLER}-01"}
        answer = await world.service.http.post(
            "/v1/videos",
            data={"motion": "zoom_in", "provider": "iacrea"},
            files={"image": ("p.jpg", picture, "image/jpeg")},
            headers=asked,
        )
        video_id = answer.json()["id"]
        events = await world.events(video_id, "video.submitted", "video.ready")
        await asyncio.to_thread(_handle, collector, events[-1]["traceparent"])

        expected = {"accept video", "submit iacrea", "webhook iacrea", "check iacrea", "settle", "handle video.ready"}
        await eventually(lambda: _has(collector, expected), what=f"the spans {expected}")
        sent = await eventually(lambda: _sent(collector), what="the span of each event's publish")

    ours = [span for span in collector.spans if span.trace_id.hex() == TRACE]
    assert len(ours) == len(collector.spans), "another trace was begun"
    by_id = {span.span_id.hex(): span for span in ours}
    [accept] = [span for span in ours if span.name == "accept video"]
    assert accept.parent_span_id.hex() == CALLER
    for span in ours:
        assert span is accept or span.parent_span_id.hex() in by_id, f"{span.name} hangs in the air"
    attributes = {each.key: each.value.string_value for each in sent[-1].attributes}
    assert attributes["messaging.system"] == "rabbitmq"
    assert attributes["messaging.operation.type"] == "send"
    assert attributes["reelbus.video.id"] == video_id
    records = str(await world.sandbox.records())
    assert TRACE not in records, "a trace went to a provider"


def _handle(collector: Collector, traceparent: str) -> None:
    """Do what a subscriber does that is traced too: continue the trace of the event."""
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter(endpoint=f"{collector.url}/v1/traces")))
    context = propagate.extract({"traceparent": traceparent})
    provider.get_tracer("subscriber").start_span("handle video.ready", context).end()
    provider.shutdown()


async def _has(collector: Collector, names: set[str]) -> bool:
    return names <= collector.names()


async def _sent(collector: Collector) -> list[Span]:
    sent = [span for span in collector.spans if span.name.startswith("send ")]
    return sent if len(sent) >= 2 else []

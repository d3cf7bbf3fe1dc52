"""
The agency is told of our trace where it takes that, and of nothing where it does not.
"""

from dataclasses import replace
from typing import Any

import httpx
import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from adapters.errors import AgencyError, AnswerUnreadable
from gateway.telemetry.request_context import CURRENT, RequestContext
from gateway.telemetry.tracing import NoTracing, OtelTracing

pytestmark = pytest.mark.anyio

CALLERS = RequestContext("0af7651916cd43dd8448eb211c80319c", parent="b7ad6b7169203331", sampled=True)


async def sent_headers(bench: Any, *, trace: bool, tracing: Any) -> httpx.Headers:
    """The headers of one request to an agency."""
    route = bench.answers("rbsp", httpx.Response(200, content=b""))
    question = replace(bench.question(), trace=tracing.questions)
    with pytest.raises(AnswerUnreadable):
        await bench.wire("rbsp", trace=trace).ask(question, "lookup", bench.terms)
    headers: httpx.Headers = route.calls.last.request.headers
    return headers


@pytest.fixture
def spans() -> InMemorySpanExporter:
    """Where spans end up."""
    return InMemorySpanExporter()


@pytest.fixture
def otel(spans: InMemorySpanExporter) -> OtelTracing:
    """Traces on."""
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(spans))
    return OtelTracing(provider)


async def test_an_agency_that_takes_it_is_told_the_span_of_this_very_request(
    bench: Any, otel: OtelTracing, spans: InMemorySpanExporter
) -> None:
    """Their record of the request and ours can be put side by side."""
    headers = await sent_headers(bench, trace=True, tracing=otel)

    (span,) = spans.get_finished_spans()
    own = span.get_span_context()
    assert headers["traceparent"] == f"00-{own.trace_id:032x}-{own.span_id:016x}-{own.trace_flags:02x}"


@pytest.mark.parametrize("tracing", ["otel", "none"])
async def test_an_agency_that_does_not_take_it_is_told_nothing(bench: Any, otel: OtelTracing, tracing: str) -> None:
    """No header that nobody asked for crosses the border."""
    headers = await sent_headers(bench, trace=False, tracing=otel if tracing == "otel" else NoTracing())

    assert [name for name in headers if name in {"traceparent", "tracestate", "baggage"}] == []


async def test_with_traces_off_the_callers_trace_is_passed_on(bench: Any) -> None:
    """The hub need not keep traces itself for two others to meet."""
    token = CURRENT.set(CALLERS)
    try:
        headers = await sent_headers(bench, trace=True, tracing=NoTracing())
    finally:
        CURRENT.reset(token)

    version, trace_id, span_id, flags = headers["traceparent"].split("-")
    assert (version, trace_id, len(span_id), flags) == ("00", CALLERS.trace_id, 16, "01")
    assert span_id != CALLERS.parent


@pytest.mark.parametrize("status", [200, 503])
async def test_a_request_is_a_client_span_without_a_query_or_a_text_of_theirs(
    bench: Any, otel: OtelTracing, spans: InMemorySpanExporter, status: int
) -> None:
    """Method, address, status and the class of a failure: HTTP's own words."""
    bench.answers("rbsp", httpx.Response(status, content="甲某某".encode()))
    question = replace(bench.question(), trace=otel.questions)
    with pytest.raises(AgencyError):
        await bench.wire("rbsp").ask(question, "lookup", bench.terms)

    (span,) = spans.get_finished_spans()
    assert (span.name, span.kind.name, span.events) == ("POST", "CLIENT", ())
    assert dict(span.attributes or {}) == {
        "http.request.method": "POST",
        "server.address": "127.0.0.1",
        "server.port": 9,
        "url.full": "http://127.0.0.1:9/rbsp/request",
        "http.response.status_code": status,
    }


async def test_a_request_that_fails_is_a_span_with_the_class_of_its_error(
    bench: Any, otel: OtelTracing, spans: InMemorySpanExporter
) -> None:
    """Never with its text: that may quote what a person or an agency said."""
    bench.answers("rbsp", httpx.ReadTimeout("甲某某 33080219900307123X"))
    question = replace(bench.question(), trace=otel.questions)
    with pytest.raises(AgencyError):
        await bench.wire("rbsp").ask(question, "lookup", bench.terms)

    (span,) = spans.get_finished_spans()
    assert (span.attributes or {})["error.type"] == "AgencyTimeout"
    assert (span.status.status_code.name, span.status.description, span.events) == ("ERROR", None, ())

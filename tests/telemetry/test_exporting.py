"""
Spans leave in batches from a bounded queue; a receiver that is down costs spans and nothing else.
"""

import socket

import pytest

from gateway.telemetry.otlp import BATCH, QUEUE, SpanExport
from gateway.telemetry.request_context import RequestContext
from gateway.telemetry.tracing import OtelTracing
from tests.telemetry.conftest import Receiver

pytestmark = pytest.mark.anyio

CALLERS = {"trace_id": "0af7651916cd43dd8448eb211c80319c", "parent": "b7ad6b7169203331"}


def follow(exporting: SpanExport, *exchanges: RequestContext) -> None:
    """Follows a call for each."""
    tracing = OtelTracing(exporting.provider)
    for exchange in exchanges:
        with tracing.call(exchange, "GET") as call:
            call.tell(name="GET /healthz", http__route="/healthz")


async def test_what_is_queued_is_sent_when_the_hub_ends(receiver: Receiver) -> None:
    """More than one batch, none lost."""
    exporting = SpanExport(receiver.address, ratio=1.0, version="1")
    follow(exporting, *(RequestContext.begin(None) for _ in range(BATCH + 1)))
    await exporting.aclose()

    assert {span.name for span in receiver.spans()} == {"GET /healthz"}
    assert exporting.spans == {"exported": BATCH + 1} == {"exported": len(receiver.spans())}


async def test_a_receiver_that_is_down_costs_spans_alone(caplog: pytest.LogCaptureFixture) -> None:
    """No call fails, the queue stays bounded, the end comes, and there is no line for every batch."""
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        exporting = SpanExport(f"http://127.0.0.1:{nobody.getsockname()[1]}", ratio=1.0, version="1")
        follow(exporting, *(RequestContext.begin(None) for _ in range(2 * QUEUE)))
        await exporting.aclose()

    assert set(exporting.spans) == {"lost"}
    assert [record.name for record in caplog.records if record.name.startswith("opentelemetry")] == []


async def test_a_redirecting_receiver_is_not_followed(receiver: Receiver) -> None:
    """Spans go where the settings say, or nowhere."""
    receiver.redirect = "http://127.0.0.1:9/elsewhere"
    exporting = SpanExport(receiver.address, ratio=1.0, version="1")
    follow(exporting, RequestContext.begin(None))
    await exporting.aclose()

    assert exporting.spans == {"lost": 1}


@pytest.mark.parametrize(
    ("exchange", "expected"),
    [
        (RequestContext(**CALLERS, sampled=True), {"exported": 1}),
        (RequestContext(**CALLERS, sampled=False), {}),
        (RequestContext.begin(None), {}),
    ],
)
async def test_the_callers_decision_counts_and_the_ratio_where_there_is_none(
    receiver: Receiver, exchange: RequestContext, expected: dict[str, int]
) -> None:
    """Whole traces or none; the id of the trace is the same either way."""
    exporting = SpanExport(receiver.address, ratio=0.0, version="1")
    follow(exporting, exchange)
    await exporting.aclose()

    assert exporting.spans == expected
    if exchange.parent is not None:
        assert exchange.trace_id == CALLERS["trace_id"]

"""
The way of spans out of the house: OTLP over HTTP, in batches, from a bounded queue, by a thread of its own.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import uuid4

import requests
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased

TRACES_PATH: Final = "/v1/traces"
QUEUE: Final = 4096
BATCH: Final = 512
BATCH_MILLISECONDS: Final = 1000
EXPORT_SECONDS: Final = 2.0


@dataclass(slots=True)
class _Counted(SpanExporter):
    """Counts spans by `exported` and `lost`; once it is `closing`, the first failure is the last attempt."""

    inner: SpanExporter
    spans: Counter[str] = field(default_factory=Counter)
    closing: bool = False
    failing: bool = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        result = SpanExportResult.FAILURE
        if not (self.closing and self.failing):
            result = self.inner.export(spans)
        self.failing = result is not SpanExportResult.SUCCESS
        self.spans["lost" if self.failing else "exported"] += len(spans)
        return result

    def shutdown(self) -> None:
        self.inner.shutdown()


class SpanExport:
    """
    Sends the spans of `provider` to the receiver at `endpoint` (scheme, host, port, and a path if it is not at the
    root).  `ratio` of the calls that bring no decision of their own are recorded.
    """

    def __init__(self, endpoint: str, *, ratio: float, version: str) -> None:
        # A receiver that is down is a figure, not a line for every batch.
        logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
        self._exporter = _Counted(
            OTLPSpanExporter(
                endpoint=endpoint.rstrip("/") + TRACES_PATH, timeout=EXPORT_SECONDS, headers={}, session=_session()
            )
        )
        self.provider = TracerProvider(
            sampler=ParentBased(TraceIdRatioBased(ratio)),
            # Made by hand: what is found out about process and machine by itself holds arguments and paths.
            resource=Resource(
                {"service.name": "shuniu", "service.version": version, "service.instance.id": str(uuid4())}
            ),
            shutdown_on_exit=False,
        )
        self.provider.add_span_processor(
            BatchSpanProcessor(
                self._exporter,
                max_queue_size=QUEUE,
                max_export_batch_size=BATCH,
                schedule_delay_millis=BATCH_MILLISECONDS,
            )
        )

    @property
    def spans(self) -> Counter[str]:
        """Spans so far: `exported` and `lost` with their batch."""
        return Counter(self._exporter.spans)

    async def aclose(self) -> None:
        """Sends what is queued; a receiver that does not take it is given up after a few seconds."""
        self._exporter.closing = True
        await asyncio.to_thread(self.provider.shutdown)


def _session() -> requests.Session:
    session = requests.Session()
    # Neither a proxy of the environment nor a redirect: spans go where the settings say, or nowhere.
    session.trust_env = False
    session.max_redirects = 0
    return session

"""
The telemetry of one hub: meters, traces and log lines.
"""

import logging
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from adapters.errors import ConfigurationError
from gateway.settings import Settings
from gateway.telemetry.logs import event
from gateway.telemetry.loop_lag import LoopLag
from gateway.telemetry.metrics import Metrics
from gateway.telemetry.request_context import CURRENT, RequestContext
from gateway.telemetry.tracing import CallSpan, NoTracing, OtelTracing, Tracing
from schemas.codes import AnswerState, Reason

if TYPE_CHECKING:
    from gateway.telemetry.otlp import SpanExport

VERSION: Final = version("shuniu")
LEAST_TOKEN: Final = 20

_WITHOUT_ANSWER: Final = frozenset({AnswerState.UNAVAILABLE, AnswerState.REFUSED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Telemetry:
    """
    Meters and traces of one hub, and its log lines about agencies (a `gateway.resilience.status.Watcher`).  `start`
    needs the running event loop; `aclose` sends the queued spans.
    """

    metrics: Metrics = field(default_factory=Metrics)
    tracing: Tracing = field(default_factory=NoTracing)
    span_export: "SpanExport | None" = None
    loop_lag: LoopLag
    metrics_token: bytes | None = field(default=None, repr=False)

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """The telemetry that the settings ask for.  Raises `ConfigurationError`."""
        metrics = Metrics()
        endpoint = settings.otlp_endpoint
        span_export = None if endpoint is None else _start_export(endpoint, settings.trace_ratio)
        return cls(
            metrics=metrics,
            tracing=NoTracing() if span_export is None else OtelTracing(span_export.provider),
            span_export=span_export,
            loop_lag=LoopLag(metrics.loop_lag.observe),
            metrics_token=_read_token(settings.metrics_token_file),
        )

    def start(self) -> None:
        """Begins to measure the running loop."""
        self.loop_lag.start()

    @property
    def spans(self) -> Mapping[str, int]:
        """Spans so far: `exported` and `lost`."""
        return {} if self.span_export is None else self.span_export.spans

    async def aclose(self) -> None:
        """Ends within a few seconds, also when the receiver of spans does not answer."""
        await self.loop_lag.aclose()
        if self.span_export is not None:
            await self.span_export.aclose()

    @contextmanager
    def background_work(self, name: str) -> Iterator[CallSpan]:
        """The span of work that no call from outside began, under a trace of its own."""
        request = RequestContext.begin(None)
        token = CURRENT.set(request)
        try:
            with self.tracing.work(request, name) as span:
                yield span
        finally:
            CURRENT.reset(token)

    def count_lookup(self, states: AbstractSet[AnswerState], *, withheld: bool) -> None:
        """Counts a lookup whose outcome is on record, by the states of its questions."""
        outcome = "whole" if states.isdisjoint(_WITHOUT_ANSWER) else "partial"
        self.metrics.lookups.labels("withheld" if withheld else outcome).inc()

    def attempted(self, agency: str, capability: str, outcome: str, seconds: float) -> None:
        """Counts a request to an agency that has ended: `answered`, or the reason; a failed one is a log line too."""
        self.metrics.attempted(agency, capability, outcome, seconds)
        if outcome != "answered":
            event(
                "attempt_failed",
                logging.WARNING,
                agency=agency,
                capability=capability,
                reason=outcome,
                seconds=round(seconds, 4),
            )

    def answered(self, agency: str, capability: str, state: AnswerState, reason: Reason | None, seconds: float) -> None:
        """Counts a question that has ended; an agency that gave no answer is a log line too."""
        self.metrics.answered(agency, capability, state, reason, seconds)
        if state in _WITHOUT_ANSWER:
            event(
                "not_heard",
                logging.WARNING,
                agency=agency,
                capability=capability,
                state=state.value,
                reason=reason.value if reason else None,
                seconds=round(seconds, 4),
            )


def _start_export(endpoint: str, ratio: float) -> "SpanExport":
    # The exporter's libraries are loaded only where traces are exported.
    from gateway.telemetry.otlp import SpanExport  # noqa: PLC0415

    return SpanExport(endpoint, ratio=ratio, version=VERSION)


def _read_token(path: Path | None) -> bytes | None:
    if path is None:
        return None
    if not path.is_file() or path.stat().st_mode & 0o077:
        raise ConfigurationError(
            f"SHUNIU_METRICS_TOKEN_FILE: {path} must be a file that only its owner can read; "
            f"make one: (umask 077; openssl rand -hex 32 > {path})"
        )
    token = path.read_bytes().strip()
    if len(token) < LEAST_TOKEN:
        raise ConfigurationError(
            f"SHUNIU_METRICS_TOKEN_FILE: {path} holds less than {LEAST_TOKEN} characters; "
            f"make one: (umask 077; openssl rand -hex 32 > {path})"
        )
    return token

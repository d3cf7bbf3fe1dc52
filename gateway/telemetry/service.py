"""
All that one hub shows to its operators, put together: figures, traces, log lines.
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

_NOT_HEARD: Final = frozenset({AnswerState.UNAVAILABLE, AnswerState.REFUSED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Telemetry:
    """
    The eyes of one hub.  Watches what is asked of agencies (`gateway.resilience.status.Watcher`).  `start` belongs to
    the running event loop; `aclose` sends what is queued.
    """

    figures: Metrics = field(default_factory=Metrics)
    tracing: Tracing = field(default_factory=NoTracing)
    exporting: "SpanExport | None" = None
    loop_lag: LoopLag
    metrics_token: bytes | None = field(default=None, repr=False)

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """As the settings say.  Raises `ConfigurationError`."""
        figures = Metrics()
        exporting = None if settings.otlp_endpoint is None else _exporting(settings.otlp_endpoint, settings.trace_ratio)
        return cls(
            figures=figures,
            tracing=NoTracing() if exporting is None else OtelTracing(exporting.provider),
            exporting=exporting,
            loop_lag=LoopLag(lambda seconds: figures.loop_lag.observe((), seconds)),
            metrics_token=_token(settings.metrics_token_file),
        )

    def start(self) -> None:
        """Begins to measure the running loop."""
        self.loop_lag.start()

    @property
    def spans(self) -> Mapping[str, int]:
        """Spans so far: `exported` and `lost`."""
        return {} if self.exporting is None else self.exporting.spans

    async def aclose(self) -> None:
        """Ends within a few seconds, whatever has become of the receiver of spans."""
        await self.loop_lag.aclose()
        if self.exporting is not None:
            await self.exporting.aclose()

    @contextmanager
    def background_work(self, name: str) -> Iterator[CallSpan]:
        """Work that no call from outside began, under a trace of its own."""
        request = RequestContext.begin(None)
        token = CURRENT.set(request)
        try:
            with self.tracing.work(request, name) as span:
                yield span
        finally:
            CURRENT.reset(token)

    def lookup_ended(self, states: AbstractSet[AnswerState], *, withheld: bool) -> None:
        """A lookup whose questions ended in these states has its outcome on record."""
        whole = "whole" if states.isdisjoint(_NOT_HEARD) else "partial"
        self.figures.lookups["withheld" if withheld else whole,] += 1

    def attempted(self, agency: str, capability: str, outcome: str, seconds: float) -> None:
        """One request to an agency came to its end: `answered`, or the reason why not."""
        self.figures.attempted(agency, capability, outcome, seconds)
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
        """One question came to its end; an agency that was not heard is a line in the log."""
        self.figures.answered(agency, capability, state, reason, seconds)
        if state in _NOT_HEARD:
            event(
                "not_heard",
                logging.WARNING,
                agency=agency,
                capability=capability,
                state=state.value,
                reason=reason.value if reason else None,
                seconds=round(seconds, 4),
            )


def _exporting(endpoint: str, ratio: float) -> "SpanExport":
    # Whoever exports no traces need not carry the library for it.
    from gateway.telemetry.otlp import SpanExport  # noqa: PLC0415

    return SpanExport(endpoint, ratio=ratio, version=VERSION)


def _token(path: Path | None) -> bytes | None:
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

"""
Traces: off unless the settings name a receiver (OTLP over HTTP).

A span holds names of ours, classes of errors and HTTP's own words, and nothing that a person or an agency said: texts
of exceptions quote values, so none is recorded.  Spans are handed to a bounded queue; a receiver that is slow or down
costs spans, never a lookup.
"""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Final, Protocol, Self

import httpx
from opentelemetry import context, trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import NonRecordingSpan, Span, SpanContext, SpanKind, Status, StatusCode, TraceFlags

from adapters.tracing import Headers, QuestionSpan, RequestSpan, Trace
from gateway.telemetry.request_context import CURRENT, RequestContext, fresh_span_id

Values = Mapping[str, str | int]

_ERROR: Final = Status(StatusCode.ERROR)


class CallSpan(AbstractContextManager["CallSpan", None], Protocol):
    """One stretch of a call's way; leaving the block ends it."""

    def tell(self, **values: str | int) -> None:
        """Adds what is known by now; `__` in a name stands for a dot."""
        ...


class Tracing(Protocol):
    """Follows calls on their way through the hub.  Its calls are cheap and never raise."""

    def call(self, exchange: RequestContext, method: str) -> CallSpan:
        """A whole call from outside.  Gives the exchange the id of its trace."""
        ...

    def work(self, request: RequestContext, name: str) -> CallSpan:
        """Work of our own, such as a form's lookup.  Gives `request` the id of its trace."""
        ...

    def stage(self, name: str, **values: str | int) -> CallSpan:
        """A stretch of the call that is being answered."""
        ...

    @property
    def questions(self) -> Trace:
        """The same, as adapters know it."""
        ...


class _NoSpan:
    headers: Headers = ()

    def tell(self, **values: str | int) -> None:
        """Nobody wants to know."""

    def received(self, status: int) -> None:
        """Nobody wants to know."""

    def finished(self, state: str, reason: str | None) -> None:
        """Nobody wants to know."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, frames: TracebackType | None
    ) -> None:
        """Nobody wants to know."""


class _Told(_NoSpan):
    def __init__(self, headers: Headers) -> None:
        self.headers = headers


class NoTracing:
    """
    Traces are off: nothing is followed.  An agency that takes a `traceparent` is told the caller's trace all the same,
    so that both ends can still be put side by side.
    """

    def __init__(self) -> None:
        self._unseen = _NoSpan()

    def call(self, exchange: RequestContext, method: str) -> CallSpan:  # noqa: ARG002 - the port's shape
        """Nothing is followed."""
        return self._unseen

    def work(self, request: RequestContext, name: str) -> CallSpan:  # noqa: ARG002 - the port's shape
        """Nothing is followed."""
        return self._unseen

    def stage(self, name: str, **values: str | int) -> CallSpan:  # noqa: ARG002 - the port's shape
        """Nothing is followed."""
        return self._unseen

    @property
    def questions(self) -> Trace:
        """Nothing is followed."""
        return self

    def question_span(self, agency: str, capability: str) -> QuestionSpan:  # noqa: ARG002 - the port's shape
        """Nothing is followed."""
        return self._unseen

    def request_span(self, url: httpx.URL, *, announced: bool) -> RequestSpan:  # noqa: ARG002 - the port's shape
        """Passes the trace id on."""
        exchange = CURRENT.get() if announced else None
        if exchange is None:
            return self._unseen
        flags = TraceFlags.SAMPLED if exchange.sampled else TraceFlags.DEFAULT
        return _Told(_traceparent(exchange.trace_id, fresh_span_id(), flags))


class OtelTracing:
    """Follows calls with OpenTelemetry.  The provider is its own, so that several hubs of one process stay apart."""

    def __init__(self, provider: TracerProvider) -> None:
        self._tracer = provider.get_tracer("shuniu")

    def call(self, exchange: RequestContext, method: str) -> CallSpan:
        """A server span, below the caller's own if it told one."""
        parent = context.Context()
        if exchange.parent is not None:
            remote = SpanContext(
                trace_id=int(exchange.trace_id, 16),
                span_id=int(exchange.parent, 16),
                is_remote=True,
                trace_flags=TraceFlags(TraceFlags.SAMPLED if exchange.sampled else TraceFlags.DEFAULT),
            )
            parent = trace.set_span_in_context(NonRecordingSpan(remote), parent)
        span = self._tracer.start_span(
            method, context=parent, kind=SpanKind.SERVER, attributes={"http.request.method": method}
        )
        exchange.trace_id = f"{span.get_span_context().trace_id:032x}"
        return _Spanned(span)

    def work(self, request: RequestContext, name: str) -> CallSpan:
        """A root span."""
        span = self._tracer.start_span(name, context=context.Context())
        request.trace_id = f"{span.get_span_context().trace_id:032x}"
        return _Spanned(span)

    def stage(self, name: str, **values: str | int) -> CallSpan:
        """An inner span."""
        return _Spanned(self._tracer.start_span(name, attributes=_dotted(values)))

    @property
    def questions(self) -> Trace:
        """Requests become client spans below the span of the task that sends them."""
        return self

    def question_span(self, agency: str, capability: str) -> QuestionSpan:
        """An inner span."""
        values = {"shuniu.agency": agency, "shuniu.capability": capability}
        return _Spanned(self._tracer.start_span("question", attributes=values))

    def request_span(self, url: httpx.URL, *, announced: bool) -> RequestSpan:
        """A client span.  Our addresses have no query; none is recorded all the same."""
        values: dict[str, str | int] = {
            "http.request.method": "POST",
            "server.address": url.host,
            "server.port": url.port or (443 if url.scheme == "https" else 80),
            "url.full": str(url.copy_with(query=None)),
        }
        return _Spanned(self._tracer.start_span("POST", kind=SpanKind.CLIENT, attributes=values), announced=announced)


class _Spanned:
    """A span that is the current one while its block runs."""

    def __init__(self, span: Span, *, announced: bool = False) -> None:
        self._span = span
        self._announced = announced

    @property
    def headers(self) -> Headers:
        if not self._announced:
            return ()
        own = self._span.get_span_context()
        return _traceparent(f"{own.trace_id:032x}", f"{own.span_id:016x}", own.trace_flags)

    def tell(self, **values: str | int) -> None:
        self._span.set_attributes(_dotted(values))
        if "name" in values:
            self._span.update_name(str(values["name"]))

    def received(self, status: int) -> None:
        self._span.set_attribute("http.response.status_code", status)

    def finished(self, state: str, reason: str | None) -> None:
        self._span.set_attribute("shuniu.state", state)
        if reason is not None:
            self._span.set_attribute("shuniu.reason", reason)

    def __enter__(self) -> Self:
        self._token = context.attach(trace.set_span_in_context(self._span))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, frames: TracebackType | None
    ) -> None:
        context.detach(self._token)
        if kind is not None:
            self._span.set_attribute("error.type", kind.__name__)
            self._span.set_status(_ERROR)
        self._span.end()


def _dotted(values: Values) -> dict[str, str | int]:
    return {name.replace("__", "."): value for name, value in values.items() if name != "name"}


def _traceparent(trace_id: str, span_id: str, flags: int) -> Headers:
    return ((b"traceparent", f"00-{trace_id}-{span_id}-{flags:02x}".encode("ascii")),)

"""
Telemetry of every call: duration, count, trace and one log line, by the template of its route.

The outermost layer, so that calls that are refused unread are included.  The path itself is never written.
"""

import logging
from collections.abc import MutableMapping
from time import perf_counter
from typing import Any, Final

from fastapi import FastAPI
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.telemetry.logs import event
from gateway.telemetry.request_context import CURRENT, RequestContext
from gateway.telemetry.service import Telemetry

METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
NO_ROUTE: Final = "other"
# Called every few seconds by machines: counted, without a log line each.
QUIET: Final = frozenset({"/healthz", "/readyz", "/metrics"})


class TelemetryMiddleware:
    """
    Wraps the application `inner`; the telemetry goes to the hub of `app`.
    """

    def __init__(self, inner: ASGIApp, app: FastAPI) -> None:
        self._inner = inner
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes the call on, and observes it."""
        if scope["type"] != "http":
            await self._inner(scope, receive, send)
            return
        observing: Telemetry = self._app.state.hub.telemetry
        await _Call(observing, scope).run(self._inner, receive, send)


class _Call:
    def __init__(self, observing: Telemetry, scope: Scope) -> None:
        self._observing = observing
        self._scope = scope
        self._status = 0
        self._method = scope["method"] if scope["method"] in METHODS else "_OTHER"
        self._exchange = RequestContext.begin(_traceparent(scope))

    async def run(self, inner: ASGIApp, receive: Receive, send: Send) -> None:
        figures = self._observing.figures
        began = perf_counter()
        route = NO_ROUTE
        figures.active += 1
        token = CURRENT.set(self._exchange)

        async def seen(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._status = message["status"]
            await send(message)

        try:
            with self._observing.tracing.call(self._exchange, self._method) as call:
                try:
                    await inner(self._scope, receive, seen)
                finally:
                    route = _template(self._scope)
                    call.tell(
                        name=f"{self._method} {route}", http__route=route, http__response__status_code=self._status
                    )
        finally:
            figures.active -= 1
            self._note(route, perf_counter() - began)
            CURRENT.reset(token)

    def _note(self, route: str, seconds: float) -> None:
        figures, exchange = self._observing.figures, self._exchange
        figures.requests.observe((self._method, route, str(self._status)), seconds)
        if exchange.problem:
            figures.refusals[exchange.problem, exchange.rule] += 1
        if route not in QUIET or self._status >= 400:
            event(
                "request",
                logging.ERROR if self._status >= 500 and self._status != 503 else logging.INFO,
                method=self._method,
                route=route,
                status=self._status,
                seconds=round(seconds, 4),
                problem=exchange.problem,
                rule=exchange.rule,
            )


def _template(scope: MutableMapping[str, Any]) -> str:
    template: str | None = getattr(scope.get("route"), "path", None)
    return template or NO_ROUTE


def _traceparent(scope: MutableMapping[str, Any]) -> str | None:
    for name, value in scope["headers"]:
        if name == b"traceparent":
            traceparent: str = value.decode("latin-1")
            return traceparent
    return None

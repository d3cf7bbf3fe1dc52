"""
ASGI middleware of the API, from the outside in: telemetry, draining, limits.

Plain ASGI, because every request passes it.  Telemetry is the outermost layer, so that calls that are refused unread
are included; it records the template of a route, never the path.  Draining answers requests in progress and refuses new
ones; health and metrics are answered to the last.
"""

import asyncio
import logging
from collections.abc import MutableMapping
from time import perf_counter
from typing import Any, Final

from fastapi import FastAPI
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.api.problems import Problem, ProblemRenderer, render_json
from gateway.telemetry.logs import event
from gateway.telemetry.request_context import CURRENT, RequestContext
from gateway.telemetry.service import Telemetry

METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
NO_ROUTE: Final = "other"
# Called every few seconds by machines: counted, without a log line each.
QUIET: Final = frozenset({"/healthz", "/readyz", "/metrics"})
ALWAYS_ANSWERED: Final = frozenset({"/healthz", "/metrics"})
# When another process may be serving at this address.  Seconds.
RETRY_AFTER: Final = 5
_CLOSE: Final = (b"connection", b"close")
MAX_BODY = 256 * 1024
# NDJSON bodies; each line is bounded like a body of its own.
MAX_LINES_BODY = 64 * 1024 * 1024
NDJSON = "application/x-ndjson"
WITH_BODY = frozenset({"POST", "PUT", "PATCH"})


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
        telemetry: Telemetry = self._app.state.hub.telemetry
        await _Call(telemetry, scope).run(self._inner, receive, send)


class _Call:
    def __init__(self, telemetry: Telemetry, scope: Scope) -> None:
        self._telemetry = telemetry
        self._scope = scope
        self._status = 0
        self._method = scope["method"] if scope["method"] in METHODS else "_OTHER"
        self._exchange = RequestContext.begin(_traceparent(scope))

    async def run(self, inner: ASGIApp, receive: Receive, send: Send) -> None:
        metrics = self._telemetry.metrics
        began = perf_counter()
        route = NO_ROUTE
        metrics.active.inc()
        token = CURRENT.set(self._exchange)

        async def seen(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._status = message["status"]
            await send(message)

        try:
            with self._telemetry.tracing.call(self._exchange, self._method) as call:
                try:
                    await inner(self._scope, receive, seen)
                finally:
                    route = _template(self._scope)
                    call.tell(
                        name=f"{self._method} {route}", http__route=route, http__response__status_code=self._status
                    )
        finally:
            metrics.active.dec()
            self._note(route, perf_counter() - began)
            CURRENT.reset(token)

    def _note(self, route: str, seconds: float) -> None:
        metrics, exchange = self._telemetry.metrics, self._exchange
        metrics.requests.labels(self._method, route, self._status).observe(seconds)
        if exchange.problem:
            metrics.refusals.labels(exchange.problem, exchange.rule).inc()
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


class DrainState:
    """
    The requests in progress, and whether new ones are accepted.  Belongs to one event loop.
    """

    def __init__(self) -> None:
        self.closed = False
        self._requests: set[asyncio.Timeout] = set()
        self._empty = asyncio.Event()

    def close(self) -> None:
        """Refuses new requests from now on.  Safe to repeat, and to call from a signal handler."""
        self.closed = True

    def cancel_requests(self) -> None:
        """Refuses new requests, and ends those in progress: unanswered ones get the problem `draining`."""
        self.closed = True
        now = asyncio.get_running_loop().time()
        for request in self._requests:
            request.reschedule(now)

    async def drained(self, within: float) -> None:
        """Waits until no request is in progress, and cancels the rest after so many seconds."""
        self._empty.clear()
        if not self._requests:
            return
        deadline = asyncio.get_running_loop().call_later(within, self.cancel_requests)
        await self._empty.wait()
        deadline.cancel()

    def enter(self, request: asyncio.Timeout) -> None:
        """Adds a request."""
        self._requests.add(request)

    def leave(self, request: asyncio.Timeout) -> None:
        """Removes a request."""
        self._requests.discard(request)
        if not self._requests:
            self._empty.set()


class DrainMiddleware:
    """Wraps the application, and refuses requests once `state` is closed."""

    def __init__(self, app: ASGIApp, state: DrainState, render: ProblemRenderer = render_json) -> None:
        self._app = app
        self._state = state
        self._render = render

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers, or refuses while draining."""
        if scope["type"] != "http" or scope["path"] in ALWAYS_ANSWERED:
            await self._app(scope, receive, send)
        elif self._state.closed:
            await self._refuse(scope, receive, send)
        else:
            await self._answer(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = False

        async def closing(message: Message) -> None:
            nonlocal begun
            if not begun:
                begun = True
                if self._state.closed:
                    _add_close(message)
            await send(message)

        try:
            async with asyncio.timeout(None) as request:
                self._state.enter(request)
                try:
                    await self._app(scope, receive, closing)
                finally:
                    self._state.leave(request)
        except TimeoutError:
            if not request.expired():
                raise
        else:
            return
        if not begun:
            await self._refuse(scope, receive, send)

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        problem = Problem("draining", retry_after=RETRY_AFTER, headers={"Connection": "close"})
        answer = await self._render(Request(scope), problem)
        await answer(scope, receive, send)


def _add_close(message: MutableMapping[str, Any]) -> None:
    if message["type"] == "http.response.start":
        message["headers"] = [*message.get("headers", ()), _CLOSE]


class RequestLimitsMiddleware:
    """
    Wraps the application.  Only calls with a body count as in flight.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        in_flight: int,
        render: ProblemRenderer = render_json,
        max_body: int = MAX_BODY,
        lines_body: int = MAX_LINES_BODY,
    ) -> None:
        self._app = app
        self._render = render
        self._free = in_flight
        self._max_body = max_body
        self._lines_body = lines_body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuses the request, or passes it on with a bounded body."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        problem = self._refusal(scope)
        if problem is not None:
            await self._tell(problem, scope, receive, send)
            return
        if scope["method"] not in WITH_BODY:
            await self._app(scope, receive, send)
            return
        self._free -= 1
        try:
            await self._bounded(scope, receive, send)
        finally:
            self._free += 1

    async def _bounded(self, scope: Scope, receive: Receive, send: Send) -> None:
        left = self._bound(scope)

        async def counted() -> Message:
            nonlocal left
            message = await receive()
            left -= len(message.get("body", b""))
            # The rest stays unread; the application ends as after a disconnect.
            return message if left >= 0 else {"type": "http.disconnect"}

        async def unless_too_large(message: Message) -> None:
            if left >= 0:
                await send(message)

        await self._app(scope, counted, unless_too_large)
        if left < 0:
            await self._tell(_too_large(), scope, receive, send)

    async def _tell(self, problem: Problem, scope: Scope, receive: Receive, send: Send) -> None:
        answer = await self._render(Request(scope), problem)
        await answer(scope, receive, send)

    def _bound(self, scope: MutableMapping[str, Any]) -> int:
        return self._lines_body if _media_type(scope) == NDJSON else self._max_body

    def _refusal(self, scope: MutableMapping[str, Any]) -> Problem | None:
        if scope["method"] not in WITH_BODY:
            return None
        length = dict(scope["headers"]).get(b"content-length", b"0")
        if length.isdigit() and int(length) > self._bound(scope):
            return _too_large()
        if self._free <= 0:
            return Problem("busy", retry_after=1)
        return None


def _too_large() -> Problem:
    return Problem("body-too-large", headers={"Connection": "close"})


def _media_type(scope: MutableMapping[str, Any]) -> str:
    content_type: bytes = dict(scope["headers"]).get(b"content-type", b"")
    return content_type.decode("latin-1").partition(";")[0].strip().lower()

"""
Draining of a hub that is being stopped: new requests are refused, requests in progress are answered.

Plain ASGI, because every request passes it.  Health and metrics are answered to the last; readiness says 503 from the
first moment on, so that a proxy sends no more requests.
"""

import asyncio
from collections.abc import MutableMapping
from typing import Any, Final

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.api.problems import Problem, ProblemRenderer, render_json

ALWAYS_ANSWERED: Final = frozenset({"/healthz", "/metrics"})
# When another process may be serving at this address.  Seconds.
RETRY_AFTER: Final = 5
_CLOSE: Final = (b"connection", b"close")


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

"""
Limits on requests: size of the body, calls in flight, media type.

The middleware is plain ASGI, because every request passes it.
"""

from collections.abc import MutableMapping
from typing import Any

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.api.problems import Problem, ProblemRenderer, render_json

MAX_BODY = 256 * 1024
# NDJSON bodies; each line is bounded like a body of its own.
MAX_LINES_BODY = 64 * 1024 * 1024
LINES = "application/x-ndjson"
WITH_BODY = frozenset({"POST", "PUT", "PATCH"})


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
        return self._lines_body if _media_type(scope) == LINES else self._max_body

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


async def json_body(request: Request) -> None:
    """The dependency of a route with a body: requires JSON in UTF-8, or `wrong-content-type`."""
    _require(request, "application/json")


async def ndjson_body(request: Request) -> None:
    """The dependency of a route with an NDJSON body in UTF-8."""
    _require(request, LINES)


def _require(request: Request, media_type: str) -> None:
    kind, _, parameters = request.headers.get("content-type", "").lower().partition(";")
    name, _, value = parameters.strip().partition("=")
    if kind.strip() != media_type or (name == "charset" and value.strip("\"' ") != "utf-8"):
        raise Problem("wrong-content-type")

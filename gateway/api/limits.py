"""
What is refused before anything is read: bodies too large, bodies that are not JSON, too many lookups at once.

Plain ASGI, because every request passes here.
"""

from collections.abc import MutableMapping
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.api.problems import Problem

MAX_BODY = 256 * 1024
WITH_BODY = frozenset({"POST", "PUT", "PATCH"})


class Limits:
    """
    Wraps the application.  Health and metrics are exempt from the bound on lookups in flight.
    """

    def __init__(self, app: ASGIApp, *, in_flight: int, max_body: int = MAX_BODY) -> None:
        self._app = app
        self._free = in_flight
        self._max_body = max_body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuses, or passes the request on with a counted body."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        problem = self._refusal(scope)
        if problem is not None:
            await problem.response()(scope, receive, send)
            return
        limited = scope["method"] in WITH_BODY
        self._free -= limited
        try:
            await self._app(scope, _Counted(receive, self._max_body) if limited else receive, send)
        finally:
            self._free += limited

    def _refusal(self, scope: MutableMapping[str, Any]) -> Problem | None:
        if scope["method"] not in WITH_BODY:
            return None
        headers = dict(scope["headers"])
        kind, _, parameters = headers.get(b"content-type", b"").partition(b";")
        if kind.strip().lower() != b"application/json" or not _utf8(parameters):
            return Problem("wrong-content-type")
        length = headers.get(b"content-length", b"0")
        if length.isdigit() and int(length) > self._max_body:
            return Problem("body-too-large", headers={"Connection": "close"})
        if self._free <= 0:
            return Problem("busy", retry_after=1)
        return None


class _Counted:
    """A receive channel that ends the call once the body grows beyond its bound."""

    def __init__(self, receive: Receive, bound: int) -> None:
        self._receive = receive
        self._left = bound

    async def __call__(self) -> Message:
        message = await self._receive()
        self._left -= len(message.get("body", b""))
        if self._left < 0:
            raise Problem("body-too-large", headers={"Connection": "close"})
        return message


def _utf8(parameters: bytes) -> bool:
    name, _, value = parameters.strip().lower().partition(b"=")
    return name != b"charset" or value.strip(b' "') == b"utf-8"

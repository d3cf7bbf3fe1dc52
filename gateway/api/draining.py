"""
The door of a hub that is being stopped: nobody new comes in, whoever is inside is answered.

Plain ASGI, because every request passes there.  Health and metrics are answered to the last; readiness says 503 from
the first moment on, so that a proxy sends nobody here any more.
"""

import asyncio
from collections.abc import MutableMapping
from typing import Any, Final

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.api.problems import Problem, Told, plainly

ALWAYS_ANSWERED: Final = frozenset({"/healthz", "/metrics"})
# When another process may be serving at this address.  Seconds.
RETRY_AFTER: Final = 5
_CLOSE: Final = (b"connection", b"close")


class DrainState:
    """
    Who is inside, and whether anybody else may come in.  Belongs to one event loop.
    """

    def __init__(self) -> None:
        self.closed = False
        self._hastened = False
        self._inside: set[asyncio.Timeout] = set()
        self._empty = asyncio.Event()

    def close(self) -> None:
        """Lets nobody in any more.  Safe to repeat, and to call from a signal handler."""
        self.closed = True

    def hasten(self) -> None:
        """Ends the patience with those inside: whoever has no answer yet is told to come again."""
        self.closed = self._hastened = True
        now = asyncio.get_running_loop().time()
        for one in self._inside:
            one.reschedule(now)

    async def emptied(self, within: float) -> None:
        """Waits until nobody is inside, and hastens those who are still there after so many seconds."""
        self._empty.clear()
        if not self._inside:
            return
        hastening = asyncio.get_running_loop().call_later(within, self.hasten)
        await self._empty.wait()
        hastening.cancel()

    def enter(self, one: asyncio.Timeout) -> None:
        """Counts somebody in."""
        self._inside.add(one)

    def leave(self, one: asyncio.Timeout) -> None:
        """Counts somebody out."""
        self._inside.discard(one)
        if not self._inside:
            self._empty.set()


class DrainMiddleware:
    """Wraps the application: whoever goes to it passes this door."""

    def __init__(self, app: ASGIApp, door: DrainState, told: Told = plainly) -> None:
        self._app = app
        self._door = door
        self._told = told

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuses while the door is closed, and counts who is inside."""
        if scope["type"] != "http" or scope["path"] in ALWAYS_ANSWERED:
            await self._app(scope, receive, send)
        elif self._door.closed:
            await self._draining(scope, receive, send)
        else:
            await self._inside(scope, receive, send)

    async def _inside(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = False

        async def last(message: Message) -> None:
            nonlocal begun
            if not begun:
                begun = True
                if self._door.closed:
                    _say_close(message)
            await send(message)

        try:
            async with asyncio.timeout(None) as patience:
                self._door.enter(patience)
                try:
                    await self._app(scope, receive, last)
                finally:
                    self._door.leave(patience)
        except TimeoutError:
            if not patience.expired():
                raise
        else:
            return
        if not begun:
            await self._draining(scope, receive, send)

    async def _draining(self, scope: Scope, receive: Receive, send: Send) -> None:
        problem = Problem("draining", retry_after=RETRY_AFTER, headers={"Connection": "close"})
        answer = await self._told(Request(scope), problem)
        await answer(scope, receive, send)


def _say_close(message: MutableMapping[str, Any]) -> None:
    if message["type"] == "http.response.start":
        message["headers"] = [*message.get("headers", ()), _CLOSE]

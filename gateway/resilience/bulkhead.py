"""
The bulkhead of an agency: so many questions at once, so many waiting, and nobody waits for long.

What floods one agency fills its own bulkhead and nothing else.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Full(Exception):
    """No place became free in time, or too many wait already."""


class Bulkhead:
    """
    `in_flight` places, `queue` waiting for at most `longest_wait` seconds each; first come, first served.
    """

    def __init__(self, *, in_flight: int, queue: int, longest_wait: float) -> None:
        self.limit = in_flight
        self.queue = queue
        self.waiting = 0
        self.in_flight = 0
        self._longest_wait = longest_wait
        self._places = asyncio.Semaphore(in_flight)

    @asynccontextmanager
    async def place(self, until: float) -> AsyncIterator[None]:
        """A place until the block is left; `until` on the event loop's clock.  Raises `Full`."""
        if self._places.locked():
            await self._wait(until)
        else:
            await self._places.acquire()
        self.in_flight += 1
        try:
            yield
        finally:
            self.in_flight -= 1
            self._places.release()

    async def _wait(self, until: float) -> None:
        if self.waiting >= self.queue:
            raise Full
        until = min(until, asyncio.get_running_loop().time() + self._longest_wait)
        self.waiting += 1
        try:
            async with asyncio.timeout_at(until):
                await self._places.acquire()
        except TimeoutError:
            raise Full from None
        finally:
            self.waiting -= 1

"""
The bulkhead of an agency: so many questions at once, so many waiting, and nobody waits for long.

What floods one agency fills its own bulkhead and nothing else.
"""

import asyncio


class BulkheadFull(Exception):
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

    async def acquire(self, until: float) -> None:
        """Takes a place, once there is one; `until` on the event loop's clock.  Raises `BulkheadFull`."""
        if not self._places.locked():
            await self._places.acquire()
        elif self.waiting >= self.queue:
            raise BulkheadFull
        else:
            self.waiting += 1
            try:
                async with asyncio.timeout_at(min(until, asyncio.get_running_loop().time() + self._longest_wait)):
                    await self._places.acquire()
            except TimeoutError:
                raise BulkheadFull from None
            finally:
                self.waiting -= 1
        self.in_flight += 1

    def release(self) -> None:
        """Gives a place to who waits longest."""
        self.in_flight -= 1
        self._places.release()

"""
A bulkhead for one agency: bounds the questions in flight, those that wait, and how long they wait.

A flood of questions to one agency fills its own bulkhead and no other.
"""

import asyncio


class BulkheadFull(Exception):
    """No slot became free in time, or too many questions wait already."""


class Bulkhead:
    """
    `in_flight` slots, `queue` questions waiting for at most `longest_wait` seconds each, in the order of arrival.
    """

    def __init__(self, *, in_flight: int, queue: int, longest_wait: float) -> None:
        self.limit = in_flight
        self.queue = queue
        self.waiting = 0
        self.in_flight = 0
        self._longest_wait = longest_wait
        self._slots = asyncio.Semaphore(in_flight)

    async def acquire(self, until: float) -> None:
        """Takes a slot, waiting at most until `until` on the event loop's clock.  Raises `BulkheadFull`."""
        if not self._slots.locked():
            await self._slots.acquire()
        elif self.waiting >= self.queue:
            raise BulkheadFull
        else:
            self.waiting += 1
            try:
                async with asyncio.timeout_at(min(until, asyncio.get_running_loop().time() + self._longest_wait)):
                    await self._slots.acquire()
            except TimeoutError:
                raise BulkheadFull from None
            finally:
                self.waiting -= 1
        self.in_flight += 1

    def release(self) -> None:
        """Passes the slot to the question that waits longest."""
        self.in_flight -= 1
        self._slots.release()

"""
Renews what is in use before its time, so that no question waits for a refresh.

Each hub starts at a moment of its own: the first to come renews, the others find its ring.  What nobody used is left to
run out; an agency is not called at night for secrets that nobody needs.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Final

Sleep = Callable[[float], Awaitable[None]]

# Renewed so long before a ring counts as dead, or in the last third of what it has left if that is shorter.
EARLY_SECONDS: Final = 120.0
EARLY_SHARE: Final = 1 / 3
PAUSE_SECONDS: Final = 10.0


class RefreshAhead:
    """
    One waiting task per key in use.  `renewed` renews a key; it returns None when that is done or in vain, and
    otherwise the seconds within which another attempt makes sense.
    """

    def __init__(self, renewed: Callable[[str], Awaitable[float | None]], sleep: Sleep) -> None:
        self._renewed = renewed
        self._sleep = sleep
        self._used: set[str] = set()
        self._waiting: dict[str, asyncio.Task[None]] = {}

    def used(self, key: str, left: float) -> None:
        """A question used the ring of this key, which has `left` seconds until it counts as dead."""
        if key in self._waiting:
            self._used.add(key)
        elif left > 0:
            self._used.discard(key)
            self._waiting[key] = asyncio.create_task(self._wait(key, left))

    async def aclose(self) -> None:
        """Ends all waiting."""
        waiting = list(self._waiting.values())
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)

    async def _wait(self, key: str, left: float) -> None:
        try:
            early = min(EARLY_SECONDS, left * EARLY_SHARE) * random.uniform(0.5, 1)  # noqa: S311 - no secret
            await self._sleep(left - early)
            while key in self._used and (left_over := await self._renewed(key)) is not None:
                await self._sleep(min(left_over, PAUSE_SECONDS) * random.uniform(0.5, 1))  # noqa: S311 - no secret
        finally:
            del self._waiting[key]

"""
Refresh ahead: credentials in use are renewed before they expire, so that no question waits for a refresh.

Each hub starts at a random moment: the first renews, the others load its credentials.  Unused credentials expire; an
agency is not called at night for secrets that are not needed.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Final

Sleep = Callable[[float], Awaitable[None]]

# Renewed so long before the credentials expire, or in the last third of what is left if that is shorter.
EARLY_SECONDS: Final = 120.0
EARLY_SHARE: Final = 1 / 3
PAUSE_SECONDS: Final = 10.0


class RefreshAhead:
    """
    One waiting task per key in use.  `renew` renews a key; it returns None when that is done or in vain, and otherwise
    the seconds within which another attempt makes sense.
    """

    def __init__(self, renew: Callable[[str], Awaitable[float | None]], sleep: Sleep) -> None:
        self._renew = renew
        self._sleep = sleep
        self._used: set[str] = set()
        self._waiting: dict[str, asyncio.Task[None]] = {}

    def note_use(self, key: str, left: float) -> None:
        """Notes that a question used the credentials of this key, which expire in `left` seconds."""
        if key in self._waiting:
            self._used.add(key)
        elif left > 0:
            self._used.discard(key)
            self._waiting[key] = asyncio.create_task(self._wait(key, left))

    async def aclose(self) -> None:
        """Cancels all waiting tasks."""
        waiting = list(self._waiting.values())
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)

    async def _wait(self, key: str, left: float) -> None:
        try:
            early = min(EARLY_SECONDS, left * EARLY_SHARE) * random.uniform(0.5, 1)  # noqa: S311 - no secret
            await self._sleep(left - early)
            while key in self._used and (left_over := await self._renew(key)) is not None:
                await self._sleep(min(left_over, PAUSE_SECONDS) * random.uniform(0.5, 1))  # noqa: S311 - no secret
        finally:
            del self._waiting[key]

"""
How late the event loop comes to what is due: the first sign that something holds it up.
"""

import asyncio
import contextlib
from collections.abc import Callable

EVERY = 0.5


class LoopLag:
    """Sleeps again and again, and tells `observe` how many seconds late each awakening was.  `start`, then `aclose`."""

    def __init__(self, observe: Callable[[float], None], *, every: float = EVERY) -> None:
        self._observe = observe
        self._every = every
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begins in the running loop."""
        self._task = asyncio.create_task(self._measure())

    async def aclose(self) -> None:
        """Ends at once."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _measure(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + self._every
            await asyncio.sleep(self._every)
            self._observe(max(0.0, loop.time() - due))

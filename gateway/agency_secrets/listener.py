"""
Listens for what other hubs renew (LISTEN), so that their ring is known here before a question is refused with the old.

Only a convenience: where it does not work, as behind a pooler of transactions, the refused question reads the row.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import psycopg
from psycopg.conninfo import make_conninfo

from gateway.agency_secrets.refresh_ahead import Sleep
from gateway.agency_secrets.repository import CHANNEL
from gateway.database import DatabaseUnavailable
from gateway.database.connections import connect

PAUSE_SECONDS: Final = 10.0


class SecretListener:
    """
    One connection that waits; `heard` is called with each key that a hub renewed, this one included.
    """

    def __init__(self, conninfo: str, heard: Callable[[str], Awaitable[None]], sleep: Sleep) -> None:
        # A connection that died silently is noticed within two minutes.
        self._conninfo = make_conninfo(conninfo, keepalives_idle=60, keepalives_interval=15, keepalives_count=4)
        self._heard = heard
        self._sleep = sleep
        self._listening: asyncio.Task[None] | None = None
        self._ready = asyncio.Event()

    def start(self) -> None:
        """Begins to listen, once."""
        if self._listening is None:
            self._listening = asyncio.create_task(self._listen())

    async def ready(self) -> None:
        """Returns when a connection listens."""
        await self._ready.wait()

    async def aclose(self) -> None:
        """Ends listening and gives the connection back."""
        if self._listening is not None:
            self._listening.cancel()
            await asyncio.gather(self._listening, return_exceptions=True)

    async def _listen(self) -> None:
        while True:
            try:
                async with await connect(self._conninfo) as connection:
                    await connection.execute(f"LISTEN {CHANNEL}")
                    self._ready.set()
                    async for notice in connection.notifies():
                        await self._heard(notice.payload)
            except (psycopg.Error, DatabaseUnavailable):
                self._ready.clear()
            await self._sleep(PAUSE_SECONDS)

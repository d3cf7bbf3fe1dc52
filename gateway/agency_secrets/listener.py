"""
LISTENs for renewals by other hubs and loads the new secret before an agency rejects the old one.

Only an optimization: where LISTEN does not work, as behind a transaction pooler, the rejected question reads the row.
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

RECONNECT_SECONDS: Final = 10.0


class SecretListener:
    """
    One listening connection; `on_renewal` is called with each key that a hub renewed, this hub included.
    """

    def __init__(self, conninfo: str, on_renewal: Callable[[str], Awaitable[None]], sleep: Sleep) -> None:
        # A connection that died silently is noticed within two minutes.
        self._conninfo = make_conninfo(conninfo, keepalives_idle=60, keepalives_interval=15, keepalives_count=4)
        self._on_renewal = on_renewal
        self._sleep = sleep
        self._listening: asyncio.Task[None] | None = None
        self._ready = asyncio.Event()

    def start(self) -> None:
        """Starts to listen.  Safe to repeat."""
        if self._listening is None:
            self._listening = asyncio.create_task(self._listen())

    async def ready(self) -> None:
        """Returns once a connection listens."""
        await self._ready.wait()

    async def aclose(self) -> None:
        """Stops listening and closes the connection."""
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
                        await self._on_renewal(notice.payload)
            except (psycopg.Error, DatabaseUnavailable):
                self._ready.clear()
            await self._sleep(RECONNECT_SECONDS)

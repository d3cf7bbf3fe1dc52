"""
Reads that wait for the database at the same time share one transaction.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Generic, TypeVar

from sqlalchemy import Connection

from gateway.database import Database, DatabaseUnavailable

K = TypeVar("K")
V = TypeVar("V")


class SharedRead(Generic[K, V]):
    """
    Reads single rows by key, many callers in one hop.

    A read begins after its caller asked, never before: whatever was committed before the call is seen by it, on every
    replica.  Nothing is remembered between reads.
    """

    def __init__(self, database: Database, read: Callable[[Connection, list[K]], Mapping[K, V]]) -> None:
        self._database = database
        self._read = read
        self._waiting: dict[K, list[asyncio.Future[V | None]]] = {}
        self._reading: asyncio.Task[None] | None = None

    async def get(self, key: K) -> V | None:
        """The row as it stands now, or None.  Raises `DatabaseUnavailable`."""
        found: asyncio.Future[V | None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(key, []).append(found)
        if self._reading is None:
            self._reading = asyncio.create_task(self._read_all())
        return await found

    async def _read_all(self) -> None:
        while self._waiting:
            asked, self._waiting = self._waiting, {}
            rows: Mapping[K, V] | None
            try:
                rows = await self._database.read(self._read, list(asked))
            except DatabaseUnavailable:
                rows = None
            for key, callers in asked.items():
                for found in callers:
                    if found.done():  # its caller has gone
                        continue
                    if rows is None:
                        found.set_exception(DatabaseUnavailable())
                    else:
                        found.set_result(rows.get(key))
        self._reading = None

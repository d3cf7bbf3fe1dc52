"""
Reads that wait for the database at the same time share one statement on one connection of the event loop.

The decision of every lookup is such a read, twice; a hop to a worker thread for each would cost more than the
statement itself.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from itertools import islice
from typing import Any, Final, Generic, TypeVar

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from gateway.database import Database, DatabaseUnavailable, array_dumpers

K = TypeVar("K")
V = TypeVar("V")

Connection = psycopg.AsyncConnection[Any]

# Of one statement: reading thousands of rows at once would hold up the event loop, and take memory for all of them.
MAX_KEYS: Final = 200


class BatchedStatement(Generic[K, V]):
    """
    Reads single rows by key, many callers at once.

    A read begins after its caller asked, never before: whatever was committed before the call is seen by it, on every
    replica.  Nothing is remembered between reads.
    """

    def __init__(
        self,
        database: Database,
        read: Callable[[Connection, list[K]], Awaitable[Mapping[K, V]]],
        *,
        options: str = "",
    ) -> None:
        given = conninfo_to_dict(database.conninfo).get("options", "")
        self._conninfo = make_conninfo(database.conninfo, options=f"{given} {options}".strip())
        self._timeout = database.timeout
        self._read = read
        self._connection: Connection | None = None
        self._waiting: dict[K, list[asyncio.Future[V | None]]] = {}
        self._reading: asyncio.Task[None] | None = None
        self._leaving: set[asyncio.Task[None]] = set()

    async def run(self, key: K) -> V | None:
        """The row as it stands now, or None.  Raises `DatabaseUnavailable`."""
        found: asyncio.Future[V | None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(key, []).append(found)
        if self._reading is None:
            self._reading = asyncio.create_task(self._read_all())
        return await found

    async def aclose(self) -> None:
        """Gives the connection back; one that stays silent is not waited for."""
        self._leave()
        if self._leaving:
            await asyncio.wait(self._leaving, timeout=2 * self._timeout)

    async def _read_all(self) -> None:
        while self._waiting:
            asked = {key: self._waiting.pop(key) for key in list(islice(self._waiting, MAX_KEYS))}
            rows = await self._in_time(list(asked))
            for key, callers in asked.items():
                for found in callers:
                    if found.done():  # its caller has gone
                        continue
                    if rows is None:
                        found.set_exception(DatabaseUnavailable())
                    else:
                        found.set_result(rows.get(key))
        self._reading = None

    async def _in_time(self, keys: list[K]) -> Mapping[K, V] | None:
        """The rows, or None when the database did not answer; a silent one is left behind, not waited for."""
        reading = asyncio.create_task(self._rows(keys))
        done, _ = await asyncio.wait({reading}, timeout=2 * self._timeout)
        if not done:
            reading.cancel()
            self._leave()
            return None
        # Database errors quote values; what went wrong stays here.
        return None if reading.exception() else reading.result()

    async def _rows(self, keys: list[K]) -> Mapping[K, V]:
        if self._connection is not None:
            with contextlib.suppress(psycopg.OperationalError):
                return await self._read(self._connection, keys)
            # A connection that died while idle is no news about the database: one fresh attempt.
            self._leave()
        self._connection = await psycopg.AsyncConnection.connect(self._conninfo, autocommit=True, prepare_threshold=0)
        array_dumpers.register(self._connection)
        try:
            return await self._read(self._connection, keys)
        except psycopg.OperationalError:
            self._leave()
            raise

    def _leave(self) -> None:
        """Has the connection closed, and the next read make a new one."""
        connection, self._connection = self._connection, None
        if connection is not None:
            task = asyncio.create_task(_close(connection))
            self._leaving.add(task)
            task.add_done_callback(self._leaving.discard)


async def _close(connection: Connection) -> None:
    # Whoever waits on its socket holds its lock.  A socket that is closed under a waiting event loop, and whose number
    # is given to another connection at once, makes uvloop end the process.
    async with connection.lock:
        await connection.close()

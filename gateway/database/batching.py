"""
Batched statements: calls that wait for the database at the same time share one statement on one connection of the
event loop.

The authorization of every lookup is two such calls; a hop to a worker thread for each would cost more than the
statement itself.  For the same reason arrays are encoded here at once, and not element by element by the driver.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from itertools import islice
from typing import Any, Final, Generic, TypeVar

import psycopg
from psycopg import pq
from psycopg.adapt import Buffer, Dumper
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from audit.store.pg_binary import BYTEA, INTEGER, TEXT, blobs, numbers, texts
from gateway.database import Database, DatabaseUnavailable

K = TypeVar("K")
V = TypeVar("V")

Connection = psycopg.AsyncConnection[Any]

# Thousands of rows in one statement would block the event loop, and take memory for all of them.
MAX_KEYS: Final = 200


class TextArray(tuple[str, ...]):
    """A `text[]`."""

    __slots__ = ()


class BlobArray(tuple[bytes, ...]):
    """A `bytea[]`."""

    __slots__ = ()


class IntegerArray(tuple[int, ...]):
    """An `integer[]`."""

    __slots__ = ()


class _Binary(Dumper):
    format = pq.Format.BINARY


class _Texts(_Binary):
    oid = TEXT.oid

    def dump(self, obj: TextArray) -> Buffer:
        return texts(obj)


class _Blobs(_Binary):
    oid = BYTEA.oid

    def dump(self, obj: BlobArray) -> Buffer:
        return blobs(BYTEA, list(obj))


class _Integers(_Binary):
    oid = INTEGER.oid

    def dump(self, obj: IntegerArray) -> Buffer:
        return numbers(INTEGER, list(obj))


class BatchedStatement(Generic[K, V]):
    """
    Executes one statement for the keys of many callers at once.

    A statement begins after its callers called, never before: it sees all that was committed before the calls, on every
    replica.  Nothing is cached between statements.
    """

    def __init__(
        self,
        database: Database,
        execute: Callable[[Connection, list[K]], Awaitable[Mapping[K, V]]],
        *,
        options: str = "",
    ) -> None:
        given = conninfo_to_dict(database.conninfo).get("options", "")
        self._conninfo = make_conninfo(database.conninfo, options=f"{given} {options}".strip())
        self._timeout = database.timeout
        self._execute = execute
        self._connection: Connection | None = None
        self._waiting: dict[K, list[asyncio.Future[V | None]]] = {}
        self._task: asyncio.Task[None] | None = None
        self._closing: set[asyncio.Task[None]] = set()

    async def run(self, key: K) -> V | None:
        """The row of a key, or None.  Raises `DatabaseUnavailable`."""
        row: asyncio.Future[V | None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(key, []).append(row)
        if self._task is None:
            self._task = asyncio.create_task(self._run_all())
        return await row

    async def aclose(self) -> None:
        """Closes the connection, without waiting for one that does not answer."""
        self._disconnect()
        if self._closing:
            await asyncio.wait(self._closing, timeout=2 * self._timeout)

    async def _run_all(self) -> None:
        while self._waiting:
            batch = {key: self._waiting.pop(key) for key in list(islice(self._waiting, MAX_KEYS))}
            rows = await self._in_time(list(batch))
            for key, callers in batch.items():
                for caller in callers:
                    if caller.done():  # cancelled
                        continue
                    if rows is None:
                        caller.set_exception(DatabaseUnavailable())
                    else:
                        caller.set_result(rows.get(key))
        self._task = None

    async def _in_time(self, keys: list[K]) -> Mapping[K, V] | None:
        """The rows, or None if the database did not answer in time; its connection is then given up."""
        reading = asyncio.create_task(self._rows(keys))
        done, _ = await asyncio.wait({reading}, timeout=2 * self._timeout)
        if not done:
            reading.cancel()
            self._disconnect()
            return None
        if reading.exception():
            # Database errors quote values, so they are not passed on.  Locks that were taken end with the connection.
            self._disconnect()
            return None
        return reading.result()

    async def _rows(self, keys: list[K]) -> Mapping[K, V]:
        if self._connection is not None:
            with contextlib.suppress(psycopg.OperationalError):
                return await self._execute(self._connection, keys)
            # The connection may have died while idle: one attempt on a new one.
            self._disconnect()
        self._connection = await psycopg.AsyncConnection.connect(self._conninfo, autocommit=True, prepare_threshold=0)
        for array, dumper in ((TextArray, _Texts), (BlobArray, _Blobs), (IntegerArray, _Integers)):
            self._connection.adapters.register_dumper(array, dumper)
        try:
            return await self._execute(self._connection, keys)
        except psycopg.OperationalError:
            self._disconnect()
            raise

    def _disconnect(self) -> None:
        """Closes the connection; the next statement opens a new one."""
        connection, self._connection = self._connection, None
        if connection is not None:
            task = asyncio.create_task(close(connection))
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)


async def close(connection: Connection) -> None:
    """Closes a connection once no statement runs on it."""
    # The lock is held while the event loop waits on the socket.  A socket that is closed meanwhile, and whose number is
    # given to another connection at once, makes uvloop end the process.
    async with connection.lock:
        await connection.close()

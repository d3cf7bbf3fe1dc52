"""
Leases on rights: a release and the ending of its right exclude each other.

Before an answer leaves, its right is read once more under shared advisory locks; a transaction that ends a right takes
the same locks exclusively first.  So an answer has left before that transaction commits, or it does not leave: on every
replica, since the locks are the database's, and for a hub that dies, since they end with its connection.  A reader
never waits for a lock: a release that meets an ending tries again.
"""

import asyncio
import select
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Generic, TypeVar

import psycopg
from sqlalchemy import Connection, text

from gateway.database import Database, DatabaseUnavailable, batching
from gateway.database.batching import TextArray

K = TypeVar("K")
V = TypeVar("V")

# An answer is recorded and handed to the network in far less; neither a slow log nor a caller who does not read must
# hold up a closing for longer.
MAX_SECONDS: Final = 5.0
MAX_SENDING_SECONDS: Final = 2.0
RETRY_SECONDS: Final = 0.005

_TRY: Final = """
    SELECT a.n, pg_try_advisory_lock_shared(hashtextextended(a.name, 0))
    FROM unnest(%s::text[]) WITH ORDINALITY AS a (name, n)
"""
_UNLOCK: Final = "SELECT pg_advisory_unlock_shared(hashtextextended(name, 0)) FROM unnest(%s::text[]) AS a (name)"
_LOCK: Final = text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))")


def work_order_lock(court: str, work_order: str) -> str:
    """The name under which the rights of a work order are locked."""
    return f"work order|{court}|{work_order}"


def person_lock(court: str, user: str) -> str:
    """The name under which the rights of a person are locked."""
    return f"person|{court}|{user}"


def lock_exclusively(connection: Connection, name: str) -> None:
    """Waits, within the database's limits, until no lease under this name is open; holds the lock until the commit."""
    connection.execute(_LOCK, {"name": name})


def _hung_up(connection: batching.Connection) -> bool:
    """
    Whether the server has gone, and every lock with it.  The driver notices that with its next statement only; by then
    the server may be back, and a right have ended.
    """
    poll = select.poll()
    poll.register(connection.fileno(), getattr(select, "POLLRDHUP", 0))
    return bool(poll.poll(0))


async def _unlock(connection: batching.Connection, names: list[str]) -> None:
    try:
        await connection.execute(_UNLOCK, (TextArray(names),))
    except psycopg.Error:
        # The locks would stay for as long as the connection does.
        await batching.close(connection)


@dataclass(eq=False, slots=True)
class Lease(Generic[V]):
    """
    A row that cannot change while the lease is `valid`: until `release`, at most for `MAX_SECONDS`.
    """

    row: V
    _leases: "Leases[Any, V]" = field(repr=False)
    _connection: batching.Connection = field(repr=False)
    _names: tuple[str, ...] = field(repr=False)
    _released: bool = False

    def __post_init__(self) -> None:
        asyncio.get_running_loop().call_later(MAX_SECONDS, self.release)

    @property
    def valid(self) -> bool:
        """Whether the row cannot have changed since it was read."""
        return not self._released and not self._connection.closed and not _hung_up(self._connection)

    def release(self) -> None:
        """Lets changes go on.  Safe to repeat."""
        if not self._released:
            self._released = True
            self._leases.unlock(self._connection, self._names)

    def release_after_sending(self) -> None:
        """Releases within `MAX_SENDING_SECONDS`, whatever becomes of the answer that is being sent."""
        asyncio.get_running_loop().call_later(MAX_SENDING_SECONDS, self.release)


class Leases(Generic[K, V]):
    """
    The leases of one hub, on one connection of their own.  `names` gives the locks of a key, `read` the rows of keys.
    """

    def __init__(
        self,
        database: Database,
        *,
        names: Callable[[K], tuple[str, ...]],
        read: Callable[[batching.Connection, list[K]], Awaitable[Mapping[K, V]]],
    ) -> None:
        self._names = names
        self._read = read
        # Every lease has a number of its own, so that two of the same key hold their locks twice.
        self._statements = batching.BatchedStatement(database, self._acquire)
        self._number = 0
        self._unlocking: asyncio.Task[None] | None = None
        self._released: dict[batching.Connection, list[str]] = {}

    async def acquire(self, key: K) -> Lease[V]:
        """The row of a key, kept as it is until the lease is released.  Raises `DatabaseUnavailable`."""
        until = asyncio.get_running_loop().time() + MAX_SECONDS
        while asyncio.get_running_loop().time() < until:
            self._number += 1
            lease = await self._statements.run((key, self._number))
            if lease is not None:
                return lease
            await asyncio.sleep(RETRY_SECONDS)
        raise DatabaseUnavailable

    def unlock(self, connection: batching.Connection, names: Iterable[str]) -> None:
        """Gives locks back, many at a time.  A connection that is gone took its locks along."""
        self._released.setdefault(connection, []).extend(names)
        if self._unlocking is None:
            self._unlocking = asyncio.create_task(self._unlock_all())

    async def aclose(self) -> None:
        """Closes the connection, which ends every lock."""
        await self._statements.aclose()

    async def _unlock_all(self) -> None:
        try:
            while self._released:
                released, self._released = self._released, {}
                for connection, names in released.items():
                    if not connection.closed:
                        await _unlock(connection, names)
        finally:
            # In the same step as the last look at `_released`: what is released from now on starts a task of its own.
            self._unlocking = None

    async def _acquire(
        self, connection: batching.Connection, requests: list[tuple[K, int]]
    ) -> Mapping[tuple[K, int], Lease[V]]:
        wanted = [(request, name) for request in requests for name in self._names(request[0])]
        cursor = await connection.execute(_TRY, (TextArray(name for _, name in wanted),), binary=True)
        locked: dict[tuple[K, int], list[str]] = {request: [] for request in requests}
        refused: set[tuple[K, int]] = set()
        for place, granted in await cursor.fetchall():
            request, name = wanted[place - 1]
            if granted:
                locked[request].append(name)
            else:
                refused.add(request)
        if useless := [name for request in refused for name in locked.pop(request)]:
            self.unlock(connection, useless)
        if not locked:
            return {}
        # A statement of its own: it sees what was committed before the locks were taken.
        rows = await self._read(connection, list({key for key, _ in locked}))
        return {request: Lease(rows[request[0]], self, connection, tuple(names)) for request, names in locked.items()}

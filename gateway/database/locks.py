"""
A release and the ending of its right exclude each other.

Before an answer leaves, its right is looked at once more while a shared lock on the work order (and on the person) is
held; whoever ends a right takes the same lock alone.  So an answer has left before the closing call returns, or it does
not leave; on every replica, since the locks are the database's, and for a hub that dies, since they die with its
connection.  Nobody waits for a lock here: a release that meets an ending looks again.
"""

import asyncio
import select
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import Connection, text

from gateway.access import snapshot
from gateway.access.snapshot import AccessRequest, AccessSnapshot
from gateway.database import Database, DatabaseUnavailable, batching
from gateway.database.array_dumpers import TextArray

# An answer is recorded and handed to the network in far less; neither a slow log nor a caller who does not read must
# hold up a closing for longer.  Seconds.
MAX_SECONDS: Final = 5.0
MAX_SENDING_SECONDS: Final = 2.0
RETRY_SECONDS: Final = 0.005

_TRY: Final = """
    SELECT a.n, pg_try_advisory_lock_shared(hashtextextended(a.name, 0))
    FROM unnest(%s::text[]) WITH ORDINALITY AS a (name, n)
"""
_UNLOCK: Final = "SELECT pg_advisory_unlock_shared(hashtextextended(name, 0)) FROM unnest(%s::text[]) AS a (name)"
_ALONE: Final = text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))")


def work_order_lock(court: str, work_order: str) -> str:
    """The name under which the rights of a work order are locked."""
    return f"work order|{court}|{work_order}"


def person_lock(court: str, user: str) -> str:
    """The name under which the rights of a person are locked."""
    return f"person|{court}|{user}"


def lock_exclusively(connection: Connection, name: str) -> None:
    """Waits, within the database's limits, until no release under this name is under way; until the commit."""
    connection.execute(_ALONE, {"name": name})


def _hung_up(connection: batching.Connection) -> bool:
    """
    Whether the server has gone, and every lock with it.  The driver notices that with its next statement only; by then
    the server may be back, and a right have ended.
    """
    poll = select.poll()
    poll.register(connection.fileno(), getattr(select, "POLLRDHUP", 0))
    return bool(poll.poll(0))


@dataclass(frozen=True, slots=True)
class _Key:
    """One release.  Every one is its own, so that two of the same caller hold two locks."""

    wish: AccessRequest
    number: int

    @property
    def names(self) -> tuple[str, str]:
        return work_order_lock(self.wish.court, self.wish.work_order), person_lock(self.wish.court, self.wish.user)


@dataclass(eq=False, slots=True)
class Lease:
    """
    How things stand, and will stand as long as it is `held`: until `give_back`, or for `MAX_SECONDS` seconds.
    """

    snapshot: AccessSnapshot
    _leases: "Leases" = field(repr=False)
    _connection: batching.Connection = field(repr=False)
    _names: tuple[str, ...] = field(repr=False)
    _released: bool = False

    def __post_init__(self) -> None:
        asyncio.get_running_loop().call_later(MAX_SECONDS, self.release)

    @property
    def valid(self) -> bool:
        """Whether nobody can have ended the right meanwhile."""
        return not self._released and not self._connection.closed and not _hung_up(self._connection)

    def release(self) -> None:
        """Lets endings go on.  Safe to repeat."""
        if not self._released:
            self._released = True
            self._leases.unlock(self._connection, self._names)

    def release_after_sending(self) -> None:
        """The answer is being sent: whatever becomes of that, the lease ends soon."""
        asyncio.get_running_loop().call_later(MAX_SENDING_SECONDS, self.release)


class Leases:
    """
    The leases of one hub.  They live on one connection of their own.
    """

    def __init__(self, database: Database) -> None:
        self._reads = batching.BatchedStatement(database, self._take)
        self._numbers = 0
        self._unlocking: set[asyncio.Task[None]] = set()
        self._free: dict[batching.Connection, list[str]] = {}

    async def acquire(self, wish: AccessRequest) -> Lease:
        """
        How things stand for a wish, kept so until the lease is given back.  Raises `DatabaseUnavailable`.
        """
        until = asyncio.get_running_loop().time() + MAX_SECONDS
        while asyncio.get_running_loop().time() < until:
            self._numbers += 1
            lease = await self._reads.run(_Key(wish, self._numbers))
            if lease is not None:
                return lease
            await asyncio.sleep(RETRY_SECONDS)
        raise DatabaseUnavailable

    def unlock(self, connection: batching.Connection, names: Iterable[str]) -> None:
        """Gives locks back, many at a time.  A connection that is gone took its locks along."""
        waiting = self._free.setdefault(connection, [])
        waiting += names
        if len(self._unlocking) == 0:
            task = asyncio.create_task(self._unlock_all())
            self._unlocking.add(task)
            task.add_done_callback(self._unlocking.discard)

    async def aclose(self) -> None:
        """Gives the connection back, and every lock with it."""
        await self._reads.aclose()

    async def _unlock_all(self) -> None:
        while self._free:
            free, self._free = self._free, {}
            for connection, names in free.items():
                if not connection.closed:
                    await asyncio.gather(connection.execute(_UNLOCK, (TextArray(names),)), return_exceptions=True)

    async def _take(self, connection: batching.Connection, keys: list[_Key]) -> Mapping[_Key, Lease]:
        names = [name for key in keys for name in key.names]
        found = await connection.execute(_TRY, (TextArray(names),), binary=True)
        locked = {row[0] - 1 for row in await found.fetchall() if row[1]}
        held: dict[_Key, tuple[str, ...]] = {}
        useless: list[str] = []
        for place, key in enumerate(keys):
            both = {2 * place, 2 * place + 1}
            if both <= locked:
                held[key] = key.names
            else:
                useless += [names[one] for one in both & locked]
        if useless:
            self.unlock(connection, useless)
        if not held:
            return {}
        # A statement of its own: it sees what was committed before the locks were had.
        stand = await snapshot.read_snapshots(connection, list({key.wish for key in held}))
        return {key: Lease(stand[key.wish], self, connection, names) for key, names in held.items()}

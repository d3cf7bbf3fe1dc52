"""
Orphans: intents without an outcome, because their process died in between.  A record closes each of them.

A lookup takes at most 30 s, so an intent that is five minutes old has lost its process.  (exchange, type) is unique in
the log: two replicas that find the same orphan close it once.
"""

import asyncio
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from audit.errors import RecordRefused
from audit.format.event import Actor, Event, EventType
from audit.store.log import Log
from audit.store.reader import Reader

GRACE = timedelta(minutes=5)
CHUNK = 5_000
MOST_AT_ONCE = 500

HUB = Actor(client="hub", role="service")
_ENDS = (EventType.LOOKUP_OUTCOME, EventType.LOG_ORPHAN_CLOSED)


@dataclass(frozen=True, slots=True)
class Orphan:
    """An intent without an outcome: index, exchange, and the court whose auditors may see its end."""

    index: int
    exchange: UUID
    court: str | None


class Orphans:
    """
    Finds open intents.  Stores its progress in the database, so that no sweep starts from the beginning.

    Every method blocks, and raises `AuditUnavailable`.
    """

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def find(self, now: datetime) -> list[Orphan]:
        """The intents that have been open for longer than the grace, oldest first."""
        size = self._reader.head().size
        start = self._reader.rows("SELECT below FROM {schema}.sweep")[0][0]
        orphans: list[Orphan] = []
        first_open = size
        for chunk in range(start, size, CHUNK):
            for orphan, at in self._open_intents(chunk, min(chunk + CHUNK, size)):
                first_open = min(first_open, orphan.index)
                if now - at > GRACE:
                    orphans.append(orphan)
            if len(orphans) >= MOST_AT_ONCE:
                break
        self._reader.rows("SELECT {schema}.swept(%s)", (min(first_open, size),))
        return orphans[:MOST_AT_ONCE]

    def closed(self) -> int:
        """The number of orphans of this log that were closed."""
        query = "SELECT count(*) FROM {schema}.entry WHERE type = %s AND type > 2"
        return int(self._reader.rows(query, (EventType.LOG_ORPHAN_CLOSED.number,))[0][0])

    def _open_intents(self, start: int, end: int) -> list[tuple[Orphan, datetime]]:
        rows = self._reader.rows(
            "SELECT idx, xid, court, at FROM {schema}.entry e WHERE idx >= %s AND idx < %s AND type = %s "
            "AND NOT EXISTS (SELECT 1 FROM {schema}.entry o WHERE o.xid = e.xid AND o.type = ANY (%s)) ORDER BY idx",
            (start, end, EventType.LOOKUP_INTENT.number, [kind.number for kind in _ENDS]),
        )
        return [(Orphan(*row[:3]), row[3]) for row in rows]


async def close_orphans(log: Log, now: datetime) -> int:
    """
    Closes every orphan with a record of its exchange, and returns how many this process closed.

    Raises `AuditUnavailable`; the orphans closed until then stay closed.
    """
    closed = 0
    for orphan in await asyncio.to_thread(Orphans(log.reader).find, now):
        event = Event(
            type=EventType.LOG_ORPHAN_CLOSED,
            exchange=orphan.exchange,
            at=now,
            who=replace(HUB, court=orphan.court),
            outcome="closed",
            detail={"intent": orphan.index},
        )
        try:
            await log.append(event)
        except RecordRefused:
            # Another replica was faster.
            continue
        closed += 1
    return closed

"""
The job queue: our own backlog, and PgQueuer, which runs a few jobs at a time and repeats those of dead workers.

PgQueuer alone would not be fair: it knows priorities but no courts, and its own statements slow down as its table
grows.  So the backlog is fed to it in small portions: courts with the fewest running requests first, and within a court
the nearest deadline.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

import psycopg
from pgqueuer import Queries
from pgqueuer.adapters.drivers.psycopg import PsycopgDriver
from pgqueuer.adapters.persistence.qb import QueryBuilderEnvironment, QueryQueueBuilder, QuerySchedulerBuilder
from pgqueuer.domain.settings import DBSettings, Durability
from pgqueuer.domain.types import Channel
from psycopg import AsyncRawCursor
from psycopg.rows import dict_row, tuple_row
from sqlalchemy import Connection, text

ENTRYPOINT: Final = "autofill"

# Jobs that wait in PgQueuer itself: enough that no worker waits for the feeder, few enough that a request with a near
# deadline, or of an idle court, is soon reached.
AHEAD: Final = 16

# PgQueuer would also read these settings from the environment, under names without a prefix.
SETTINGS: Final = DBSettings(
    prefix="",
    db_schema=None,
    channel=Channel("ch_pgqueuer"),
    function="fn_pgqueuer_changed",
    statistics_table="pgqueuer_statistics",
    queue_status_type="pgqueuer_status",
    queue_table="pgqueuer",
    queue_table_log="pgqueuer_log",
    trigger="tg_pgqueuer_changed",
    schedules_table="pgqueuer_schedules",
    durability=Durability.durable,
)


class Driver(PsycopgDriver):
    """
    PgQueuer's driver with a second connection for LISTEN: on a single one every statement waits while it listens.
    """

    def __init__(self, statements: psycopg.AsyncConnection, listening: psycopg.AsyncConnection) -> None:
        super().__init__(listening)
        self._statements = statements

    async def fetch(self, query: str, *args: object) -> list[dict[str, object]]:
        """Runs a statement and returns its rows."""
        cursor = AsyncRawCursor(self._statements, row_factory=dict_row)
        await cursor.execute(query, args or None)
        return await cursor.fetchall()

    async def execute(self, query: str, *args: object) -> str:
        """Runs a statement."""
        cursor = AsyncRawCursor(self._statements)
        await cursor.execute(query, args or None)
        return cursor.statusmessage or ""


def queries(driver: PsycopgDriver) -> Queries:
    """PgQueuer's own statements with our settings."""
    return Queries(
        driver,
        qbe=QueryBuilderEnvironment(settings=SETTINGS),
        qbq=QueryQueueBuilder(settings=SETTINGS),
        qbs=QuerySchedulerBuilder(settings=SETTINGS),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """
    Numbers of requests: `ready` for a worker, `under_way` in one, `delayed` until an agency answers; and the age of the
    oldest ready one in seconds.
    """

    ready: int
    delayed: int
    under_way: int
    oldest_s: float


_DUE: Final = """
    UPDATE autofill SET state = 'ready', ready_at = %(now)s, next_at = NULL, revision = revision + 1
    WHERE id IN (SELECT id FROM autofill WHERE state = 'delayed' AND next_at <= %(now)s
                 ORDER BY next_at LIMIT 500 FOR UPDATE SKIP LOCKED)
"""
# Two feeders at once would each fill the same free places.
_LOCK: Final = "SELECT pg_try_advisory_xact_lock(hashtextextended('autofill feeder', 0))"
_WAITING: Final = "SELECT count(*) FROM pgqueuer WHERE status = 'queued' AND entrypoint = 'autofill'"
# Ordered as the index of ready requests is, which alone does not grow with what has ended.
_NEXT: Final = """
    WITH RECURSIVE court AS (
        (SELECT court FROM autofill WHERE state = 'ready' ORDER BY court, deadline, id LIMIT 1)
        UNION ALL
        SELECT (SELECT a.court FROM autofill a WHERE a.state = 'ready' AND a.court > c.court
                ORDER BY a.court, a.deadline, a.id LIMIT 1)
        FROM court c WHERE c.court IS NOT NULL
    ), busy AS (
        SELECT court, count(*) AS under_way FROM autofill WHERE state IN ('queued', 'running') GROUP BY court
    )
    SELECT n.id, coalesce(b.under_way, 0) + row_number() OVER (PARTITION BY c.court ORDER BY n.deadline, n.id) AS turn
    FROM court c LEFT JOIN busy b USING (court) CROSS JOIN LATERAL (
        SELECT a.id, a.deadline FROM autofill a WHERE a.court = c.court AND a.state = 'ready'
        ORDER BY a.deadline, a.id LIMIT %(limit)s FOR UPDATE SKIP LOCKED
    ) n
    WHERE c.court IS NOT NULL
    ORDER BY turn, n.deadline LIMIT %(limit)s
"""
_QUEUED: Final = """
    UPDATE autofill a SET state = 'queued', job = n.job, revision = revision + 1
    FROM unnest(%(ids)s::uuid[], %(jobs)s::bigint[]) AS n (id, job) WHERE a.id = n.id AND a.state = 'ready'
"""


async def feed(connection: psycopg.AsyncConnection, now: datetime) -> int:
    """
    Hands ready requests to PgQueuer, up to its limit, and returns how many.  The state of a request and its job are
    committed together.  `connection` is in autocommit mode.
    """
    async with connection.transaction():
        if not await _value(connection, _LOCK):
            return 0
        await connection.execute(_DUE, {"now": now})
        free = AHEAD - int(await _value(connection, _WAITING))
        if free <= 0:
            return 0
        cursor = connection.cursor(row_factory=tuple_row)
        await cursor.execute(_NEXT, {"limit": free})
        turns: list[tuple[UUID, int]] = await cursor.fetchall()
        if not turns:
            return 0
        count = len(turns)
        jobs = await queries(PsycopgDriver(connection)).enqueue(
            [ENTRYPOINT] * count, [request.bytes for request, _ in turns], [-turn for _, turn in turns]
        )
        await connection.execute(_QUEUED, {"ids": [request for request, _ in turns], "jobs": list(jobs)})
    return count


# A request whose job disappeared before the request ended: its worker gave up, or an operator emptied the queue.
_LOST: Final = """
    UPDATE autofill a SET state = 'ready', ready_at = %(now)s, job = NULL, revision = revision + 1, fence = fence + 1
    WHERE a.state IN ('queued', 'running')
        AND NOT EXISTS (SELECT FROM pgqueuer p WHERE p.id = a.job AND p.status IN ('queued', 'picked'))
"""


async def requeue_lost(connection: psycopg.AsyncConnection, now: datetime) -> int:
    """Makes requests ready again whose job no longer exists, and returns how many."""
    return (await connection.execute(_LOST, {"now": now})).rowcount


_BACKLOG: Final = text("""
    SELECT r.ready, r.oldest, (SELECT count(*) FROM autofill WHERE state = 'delayed') AS delayed,
        (SELECT count(*) FROM autofill WHERE state IN ('queued', 'running')) AS under_way
    FROM (SELECT count(*) AS ready, min(ready_at) AS oldest FROM autofill WHERE state = 'ready') r
""")


def read_backlog(connection: Connection, now: datetime) -> Backlog:
    """The backlog of this moment."""
    row = connection.execute(_BACKLOG).one()
    age = 0.0 if row.oldest is None else (now - row.oldest).total_seconds()
    return Backlog(ready=row.ready, delayed=row.delayed, under_way=row.under_way, oldest_s=max(0.0, age))


async def _value(connection: psycopg.AsyncConnection, statement: str) -> int:
    row = await (await connection.execute(statement)).fetchone()
    assert row is not None  # noqa: S101 - each of these statements returns a row
    value: int = row[0]
    return value

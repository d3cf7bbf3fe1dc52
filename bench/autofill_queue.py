"""
Benchmark of the form queue: how long a request waits for its turn, with few and with many before it.
"""

import asyncio
import math
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from uuid import UUID, uuid4

import psycopg

from audit.store.log import Log
from gateway.autofill.worker import Worker
from gateway.database import Database
from gateway.database.embedded_server import EmbeddedServer
from gateway.provisioning import create_tables

COURTS: Final = 8
LASTS: Final = 0.02
AT_ONCE: Final = 16
EVERY: Final = 0.04
PROBE: Final = "probe"

_INSERT: Final = """
    INSERT INTO autofill (id, court, work_order, version, client, template, parties, state, deadline, starts, fence,
        revision, created_at, ready_at)
    SELECT gen_random_uuid(), 'court ' || n %% %s, 'W-' || n, 1, 'tickets', 'service', '{0}', 'ready',
        now() + interval '1 day' + n * interval '1 millisecond', 0, 0, 1, now(), now() FROM generate_series(1, %s) n
"""
_PROBE: Final = """
    INSERT INTO autofill (id, court, work_order, version, client, template, parties, state, deadline, starts, fence,
        revision, created_at, ready_at)
    VALUES (%s, %s, 'W-1', 1, 'tickets', 'service', '{0}', 'ready', now() + interval '1 day', 0, 0, 1, now(), now())
"""
# The backlog keeps its size: a request that ran goes back to the end.
_BACK: Final = """
    UPDATE autofill SET state = CASE WHEN court = 'probe' THEN 'filled' ELSE 'ready' END,
        deadline = now() + interval '2 days'
    WHERE id = %s
"""


class Jobs:
    """A fake `JobRunner`: each run lasts 20 ms, and the start times of probes are kept."""

    def __init__(self, connection: psycopg.AsyncConnection) -> None:
        self._connection = connection
        self.begun: dict[UUID, float] = {}

    async def run(self, request: UUID, _job: int) -> None:
        """One run."""
        self.begun.setdefault(request, time.monotonic())
        await asyncio.sleep(LASTS)
        await self._connection.execute(_BACK, (request,))


def latencies(few: int, many: int, seconds: float) -> tuple[float, float]:
    """The p99 (seconds) from the acceptance of a request to its run, with so many waiting."""
    with tempfile.TemporaryDirectory(prefix="shuniu-bench-") as temporary:
        folder = Path(temporary)
        folder.chmod(0o755)
        with EmbeddedServer(folder / "cluster") as server:
            results = []
            for count in (few, many):
                name = f"waiting_{count}"
                server.create(name)
                create_tables(server.url(name), origin="bench.example/audit/1", application="shuniu_app")
                url = server.url(name, user="shuniu_app")
                with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
                    connection.execute(_INSERT, (COURTS, count))
                with psycopg.connect(server.url(name).replace("+psycopg", ""), autocommit=True) as owner:
                    owner.execute("ANALYZE")
                results.append(asyncio.run(_measure(url, seconds)))
    return results[0], results[1]


async def _measure(url: str, seconds: float) -> float:
    database = Database(url)
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)  # noqa: E731 - one line says it
    async with await psycopg.AsyncConnection.connect(database.conninfo, autocommit=True) as connection:
        jobs = Jobs(connection)
        runs: Any = jobs
        log: Any = _NoLog()
        worker = Worker(
            runs=runs,
            log=log,
            database=database,
            policy="",
            at_once=AT_ONCE,
            silence=timedelta(seconds=15),
            clock=clock,
        )
        worker.start()
        await asyncio.sleep(2)
        accepted_at: dict[UUID, float] = {}
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            name = uuid4()
            await connection.execute(_PROBE, (name, PROBE))
            accepted_at[name] = time.monotonic()
            await connection.execute("NOTIFY shuniu_autofill")
            await asyncio.sleep(EVERY)
        await asyncio.sleep(2)
        await worker.aclose()
    database.close()
    waited = sorted(jobs.begun[name] - at if name in jobs.begun else math.inf for name, at in accepted_at.items())
    return waited[min(len(waited) - 1, math.ceil(0.99 * len(waited)) - 1)]


class _NoLog(Log):
    """A fake log that records nothing."""

    def __init__(self) -> None:
        """Needs nothing."""

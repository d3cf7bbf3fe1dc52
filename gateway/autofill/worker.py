"""
A worker: takes jobs from PgQueuer and runs them, feeds PgQueuer from the backlog, and cleans up after dead workers.

Any number of workers run on one database, in hubs or as processes of their own (`shuniu worker`).  Each survives
restarts of the database: a loop that fails starts again after a moment.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import psycopg
from pgqueuer import Job, QueueManager
from psycopg import sql

from audit.store.log import Log
from gateway.autofill import audit_events, endings, queue, store
from gateway.autofill.job_runner import JobRunner
from gateway.database import Database
from gateway.database.connections import connect
from gateway.lookup.audit_events import RESULT_DAYS
from gateway.telemetry.logs import event

FEED_SECONDS: Final = 1.0
SWEEP_SECONDS: Final = 5.0
RESTART_SECONDS: Final = 1.0
DRAIN_SECONDS: Final = 20.0

DELETE_EVERY: Final = timedelta(hours=1)
KEY_RETENTION: Final = timedelta(days=7)


class Worker:
    """
    One worker of `at_once` jobs at a time; after `silence` another one repeats its jobs.  Belongs to the event loop in
    which it was started.
    """

    def __init__(
        self,
        *,
        runs: JobRunner,
        log: Log,
        database: Database,
        policy: str,
        at_once: int,
        clock: Callable[[], datetime],
        silence: timedelta,
    ) -> None:
        self._runs = runs
        self._log = log
        self._database = database
        self._policy = policy
        self._at_once = at_once
        self._clock = clock
        self._silence = silence
        self._delete_at = clock()
        self._wake = asyncio.Event()
        self._manager: QueueManager | None = None
        self._stopping = False
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Starts the loops, unless `at_once` is 0."""
        if self._at_once:
            self._tasks = [asyncio.create_task(self._repeat(loop)) for loop in (self._consume, self._feed, self._sweep)]

    async def aclose(self) -> None:
        """Drains: takes no more jobs, waits for those that run, and stops."""
        self._stopping = True
        if self._manager is not None:
            self._manager.shutdown.set()
        if self._tasks:
            consuming, *others = self._tasks
            await asyncio.wait({consuming}, timeout=DRAIN_SECONDS)
            for task in (consuming, *others):
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def wait(self) -> None:
        """Waits until it is stopped."""
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _repeat(self, loop: Callable[[], Awaitable[None]]) -> None:
        while not self._stopping:
            try:
                await loop()
            except Exception as error:  # noqa: BLE001 - database errors quote values, and the loop goes on after any error
                event(
                    "autofill_interrupted", logging.WARNING, work=loop.__name__.strip("_"), error=type(error).__name__
                )
            if not self._stopping:
                await asyncio.sleep(RESTART_SECONDS)

    async def _consume(self) -> None:
        async with self._connected() as statements, self._connected() as listening:
            manager = QueueManager(queue.queries(queue.Driver(statements, listening)))
            # PgQueuer notifies itself before it listens, and gives up after ten seconds without its notification.
            await listening.execute(sql.SQL("LISTEN {}").format(sql.Identifier(manager.channel)))
            # Our own row decides what happens next, so a failed job is kept for inspection.
            manager.entrypoint(queue.ENTRYPOINT, accepts_context=False, on_failure="hold")(self._job)
            self._manager = manager
            if self._stopping:
                # `aclose` was called before the manager existed.
                return
            await manager.run(
                dequeue_timeout=timedelta(seconds=5),
                batch_size=max(1, self._at_once // 4),
                max_concurrent_tasks=max(2, self._at_once),
                shutdown_on_listener_failure=True,
                heartbeat_timeout=self._silence,
            )

    async def _job(self, job: Job) -> None:
        assert job.payload is not None  # noqa: S101 - every job has one
        request = UUID(bytes=job.payload)
        failure = ""
        try:
            await self._runs.run(request, int(job.id))
        except Exception as error:  # noqa: BLE001 - PgQueuer would keep its text and traceback, which may quote values
            failure = type(error).__name__
        if failure:
            event("autofill_run_interrupted", logging.WARNING, autofill=str(request), error=failure)
        self._wake.set()

    async def _feed(self) -> None:
        async with self._connected() as connection, self._connected() as listening:
            await listening.execute(f"LISTEN {store.CHANNEL}")
            listener = asyncio.create_task(self._wake_on_notify(listening))
            try:
                while not self._stopping and not listener.done():
                    self._wake.clear()
                    fed = await queue.feed(connection, self._clock())
                    if fed < queue.AHEAD:
                        with contextlib.suppress(TimeoutError):
                            async with asyncio.timeout(FEED_SECONDS):
                                await self._wake.wait()
            finally:
                listener.cancel()
                await asyncio.gather(listener, return_exceptions=True)

    async def _wake_on_notify(self, listening: psycopg.AsyncConnection) -> None:
        async for _ in listening.notifies():
            self._wake.set()

    async def _sweep(self) -> None:
        async with self._connected() as connection:
            while not self._stopping:
                await queue.requeue_lost(connection, self._clock())
                for request in await self._database.run(endings.unrecorded):
                    ending = audit_events.ended(request, self._clock(), self._policy)
                    index = await audit_events.once(self._log, ending)
                    await self._database.run(endings.recorded, request, index)
                if self._clock() >= self._delete_at:
                    days = timedelta(days=RESULT_DAYS)
                    await self._database.run(endings.delete_expired, self._clock(), results=days, keys=KEY_RETENTION)
                    self._delete_at = self._clock() + DELETE_EVERY
                await asyncio.sleep(SWEEP_SECONDS)

    @contextlib.asynccontextmanager
    async def _connected(self) -> AsyncIterator[psycopg.AsyncConnection]:
        connection = await connect(self._database.conninfo)
        try:
            yield connection
        finally:
            await connection.close()

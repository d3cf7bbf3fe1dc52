"""
A worker: takes jobs from PgQueuer and runs them, feeds PgQueuer from the backlog, and sweeps up after dead workers.

Any number of workers run on one database, in hubs or by themselves (`shuniu worker`).  Each survives the database's
restarts: whatever fails is begun anew a moment later.
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

FEED_EVERY: Final = 1.0
SWEEP_EVERY: Final = 5.0
AGAIN_AFTER: Final = 1.0
DRAIN: Final = 20.0

FORGET_EVERY: Final = timedelta(hours=1)
KEYS_KEPT: Final = timedelta(days=7)


class Worker:
    """
    One worker of `at_once` jobs at a time; after `silence` another one takes up what it had.  Belongs to the event loop
    in which it was started.
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
        self._forget_at = clock()
        self._wake = asyncio.Event()
        self._manager: QueueManager | None = None
        self._stopping = False
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begins to work, if there is to be work at all."""
        if self._at_once:
            self._tasks = [
                asyncio.create_task(self._for_ever(one)) for one in (self._consume, self._feed_for_ever, self._sweep)
            ]

    async def aclose(self) -> None:
        """Takes no more jobs, lets those that run come to their end, and stops."""
        self._stopping = True
        if self._manager is not None:
            self._manager.shutdown.set()
        if self._tasks:
            consuming, *others = self._tasks
            await asyncio.wait({consuming}, timeout=DRAIN)
            for task in (consuming, *others):
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def wait(self) -> None:
        """Until it is stopped."""
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _for_ever(self, work: Callable[[], Awaitable[None]]) -> None:
        while not self._stopping:
            try:
                await work()
            except Exception as error:  # noqa: BLE001 - database errors quote values, and work goes on whatever it was
                event(
                    "autofill_interrupted", logging.WARNING, work=work.__name__.strip("_"), error=type(error).__name__
                )
            if not self._stopping:
                await asyncio.sleep(AGAIN_AFTER)

    async def _consume(self) -> None:
        async with self._connected() as asking, self._connected() as listening:
            manager = QueueManager(queue.queries(queue.Driver(asking, listening)))
            # PgQueuer asks whether it hears itself before it listens, and gives up after ten seconds if it did not.
            await listening.execute(sql.SQL("LISTEN {}").format(sql.Identifier(manager.channel)))
            # Whatever becomes of a job, our row says what is to be done: a failed one is left to be seen.
            manager.entrypoint(queue.ENTRYPOINT, accepts_context=False, on_failure="hold")(self._job)
            self._manager = manager
            if self._stopping:
                # Told so while it still connected, when nobody could tell the manager.
                return
            await manager.run(
                dequeue_timeout=timedelta(seconds=5),
                batch_size=max(1, self._at_once // 4),
                max_concurrent_tasks=max(2, self._at_once),
                shutdown_on_listener_failure=True,
                heartbeat_timeout=self._silence,
            )

    async def _job(self, job: Job) -> None:
        assert job.payload is not None  # noqa: S101 - every job of ours has one
        request = UUID(bytes=job.payload)
        failure = ""
        try:
            await self._runs.run(request, int(job.id))
        except Exception as error:  # noqa: BLE001 - PgQueuer would keep its text and traceback, which may quote values
            failure = type(error).__name__
        if failure:
            event("autofill_run_interrupted", logging.WARNING, autofill=str(request), error=failure)
        self._wake.set()

    async def _feed_for_ever(self) -> None:
        async with self._connected() as connection, self._connected() as listening:
            await listening.execute(f"LISTEN {store.CHANNEL}")
            hearing = asyncio.create_task(self._hear(listening))
            try:
                while not self._stopping and not hearing.done():
                    self._wake.clear()
                    fed = await queue.feed(connection, self._clock())
                    if fed < queue.AHEAD:
                        with contextlib.suppress(TimeoutError):
                            async with asyncio.timeout(FEED_EVERY):
                                await self._wake.wait()
            finally:
                hearing.cancel()
                await asyncio.gather(hearing, return_exceptions=True)

    async def _hear(self, listening: psycopg.AsyncConnection) -> None:
        async for _ in listening.notifies():
            self._wake.set()

    async def _sweep(self) -> None:
        async with self._connected() as connection:
            while not self._stopping:
                await queue.take_up_lost(connection, self._clock())
                for request in await self._database.run(endings.unrecorded):
                    ending = audit_events.ended(request, self._clock(), self._policy)
                    index = await audit_events.once(self._log, ending)
                    await self._database.run(endings.recorded, request, index)
                if self._clock() >= self._forget_at:
                    days = timedelta(days=RESULT_DAYS)
                    await self._database.run(endings.forget, self._clock(), results=days, keys=KEYS_KEPT)
                    self._forget_at = self._clock() + FORGET_EVERY
                await asyncio.sleep(SWEEP_EVERY)

    @contextlib.asynccontextmanager
    async def _connected(self) -> AsyncIterator[psycopg.AsyncConnection]:
        connection = await connect(self._database.conninfo)
        try:
            yield connection
        finally:
            await connection.close()

"""
The sequencer: assigns indexes to records in batches, and acknowledges each once it is durable.

One thread per process writes the records that queued up during the previous commit; there is no timer.  Any number of
processes on any number of hosts may append to one log.

If a connection breaks during a commit, the writer reconnects, waits for the head lock (so the old backend has ended)
and looks its records up.
"""

import asyncio
import contextlib
import threading
import time
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import psycopg

from audit.errors import AuditUnavailable, RecordRefused
from audit.sealing.sealer import PreparedRecord
from audit.store import database
from audit.store.writer import BatchRefused, OutcomeUnknown, Writer

MOST_WAITING = 4096
MOST_ENTRIES = 512
MOST_BYTES = 4 * 1024 * 1024
RECONNECT_PAUSE = 0.1

_STALE_KEYS = "AU001"
_DUPLICATE = "23505"
# Transient SQLSTATE classes: rollback, resources, lock or statement limit, operator, system.
_TRANSIENT = ("40", "53", "55", "57", "58")


class StaleKeys(Exception):
    """A key was destroyed since the record was sealed; it must be sealed again."""


Outcome = int | Exception


@dataclass(eq=False, slots=True)
class _Ticket:
    record: PreparedRecord
    future: "asyncio.Future[int]"
    loop: asyncio.AbstractEventLoop
    bytes: int = field(init=False)

    def __post_init__(self) -> None:
        self.bytes = len(self.record.body) + sum(len(body.box) for body in self.record.payloads)

    @property
    def waiting(self) -> bool:
        # Safe to read from any thread: a waiter that has stopped never starts again.
        return not self.future.done()


class Sequencer:
    """
    Appends records to one log.  `start` connects; a record is durable when `append` returns.
    """

    def __init__(self, dsn: str, origin: str, *, schema: str = database.SCHEMA, timeout: float = 2.0) -> None:
        self._timeout = timeout
        # Guarded by `_ready`: the tickets in no batch yet, and whether new ones are accepted.
        self._queue: deque[_Ticket] = deque()
        self._open = True
        self._ready = threading.Condition()
        # Only the sequencer's thread touches the writer once it runs.
        self._writer = Writer(database.conninfo(dsn, timeout=timeout), origin, schema)
        self._thread = threading.Thread(target=self._write_forever, name="audit sequencer", daemon=True)

    def start(self) -> int:
        """
        Connects, checks the server and the role, and starts the thread.  Returns the number of erasures so far.

        Raises `LogConfigurationError`, `AuditUnavailable`.
        """
        try:
            epoch = self._writer.epoch()
        except psycopg.Error:
            epoch = -1
        if epoch < 0:
            raise AuditUnavailable("could not reach the log's database")
        self._thread.start()
        return epoch

    async def append(self, record: PreparedRecord) -> int:
        """
        Appends the record, and returns its index once it is durable and in the tree.

        Raises `AuditUnavailable`, `RecordRefused`, `StaleKeys`.
        """
        loop = asyncio.get_running_loop()
        ticket = _Ticket(record, loop.create_future(), loop)
        with self._ready:
            if not self._open or len(self._queue) >= MOST_WAITING:
                raise AuditUnavailable("could not record: too many records are waiting")
            self._queue.append(ticket)
            self._ready.notify()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._timeout):
                return await ticket.future
        raise AuditUnavailable

    @property
    def waiting(self) -> int:
        """The number of queued records."""
        return len(self._queue)

    def close(self) -> None:
        """Writes the queued records, then ends the thread; blocks until then, or for the wait bound."""
        with self._ready:
            self._open = False
            self._ready.notify()
        if self._thread.is_alive():
            self._thread.join(self._timeout)
        else:
            self._writer.disconnect()

    def _write_forever(self) -> None:
        while batch := self._next_batch():
            outcomes: list[Outcome]
            try:
                outcomes = self._write(batch)
            except Exception:  # noqa: BLE001 - the waiters must be answered and the thread must survive
                self._writer.disconnect()
                outcomes = [AuditUnavailable()] * len(batch)
            _settle(batch, outcomes)
        self._writer.disconnect()

    def _next_batch(self) -> list[_Ticket]:
        """The next batch; blocks until there is one, and is empty at the end."""
        with self._ready:
            while True:
                while self._queue:
                    if batch := self._take():
                        return batch
                if not self._open:
                    return []
                self._ready.wait()

    def _take(self) -> list[_Ticket]:
        batch: list[_Ticket] = []
        size = 0
        while self._queue and len(batch) < MOST_ENTRIES:
            ticket = self._queue[0]
            # Records that were sealed before and after an erasure are not written together.
            if batch and (size + ticket.bytes > MOST_BYTES or ticket.record.epoch != batch[0].record.epoch):
                break
            self._queue.popleft()
            if ticket.waiting:
                batch.append(ticket)
                size += ticket.bytes
        return batch

    def _write(self, batch: Sequence[_Ticket]) -> list[Outcome]:
        """The outcome of every ticket, in order.  Never raises."""
        try:
            first = self._writer.append([ticket.record for ticket in batch])
            return list(range(first, first + len(batch)))
        except OutcomeUnknown:
            return self._resolve_unknown(batch)
        except BatchRefused as refused:
            sqlstate = refused.sqlstate
        if sqlstate == _STALE_KEYS:
            return [StaleKeys()] * len(batch)
        if sqlstate.startswith(_TRANSIENT):
            return [AuditUnavailable()] * len(batch)
        if len(batch) > 1:
            # One bad record must not fail the others.
            return [outcome for ticket in batch for outcome in self._write([ticket])]
        duplicate = sqlstate == _DUPLICATE
        return [self._recorded_before(batch[0]) if duplicate else RecordRefused("could not record: refused")]

    def _resolve_unknown(self, batch: Sequence[_Ticket]) -> list[Outcome]:
        # The waiters give up after the same time.
        until = time.monotonic() + self._timeout
        while any(ticket.waiting for ticket in batch) and time.monotonic() < until:
            try:
                recorded = self._writer.settled([ticket.record for ticket in batch])
            except OutcomeUnknown:
                time.sleep(RECONNECT_PAUSE)
                continue
            return self._write_missing(batch, recorded)
        return [AuditUnavailable()] * len(batch)

    def _write_missing(self, batch: Sequence[_Ticket], recorded: dict[int, tuple[int, bytes]]) -> list[Outcome]:
        outcomes: dict[_Ticket, Outcome] = {
            batch[n]: _same(batch[n].record, index, leaf) for n, (index, leaf) in recorded.items()
        }
        missing = [ticket for ticket in batch if ticket not in outcomes and ticket.waiting]
        if missing:
            outcomes.update(zip(missing, self._write(missing), strict=True))
        return [outcomes.get(ticket, AuditUnavailable()) for ticket in batch]

    def _recorded_before(self, ticket: _Ticket) -> Outcome:
        try:
            recorded = self._writer.settled([ticket.record])
        except OutcomeUnknown:
            return AuditUnavailable()
        return _same(ticket.record, *recorded[0]) if recorded else AuditUnavailable()


def _same(record: PreparedRecord, index: int, leaf: bytes) -> Outcome:
    if record.leaf == leaf:
        return index
    return RecordRefused("could not record: this exchange has another record of this type already")


def _settle(batch: Iterable[_Ticket], outcomes: Iterable[Outcome]) -> None:
    by_loop: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[int], Outcome]]] = {}
    for ticket, outcome in zip(batch, outcomes, strict=True):
        by_loop.setdefault(ticket.loop, []).append((ticket.future, outcome))
    for loop, settled in by_loop.items():
        # A closed loop has no waiters any more.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(_resolve, settled)


def _resolve(settled: list[tuple["asyncio.Future[int]", Outcome]]) -> None:
    for future, outcome in settled:
        if future.done():
            continue
        if isinstance(outcome, Exception):
            future.set_exception(outcome)
        else:
            future.set_result(outcome)

"""
Benchmark of appends under load, beside a plain batched INSERT of the same bytes.

Full rows: facets, indexes, sealed values, search marks, tree.  Callers wait for one record before they send the next,
an intent and its outcome in turn.
"""

import asyncio
import multiprocessing
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from audit.sealing.keys import KeyFile, Keys
from audit.sealing.sealer import PreparedRecord, Sealer
from audit.store import database
from audit.store.log import Log
from gateway.database.embedded_server import EmbeddedServer
from tests.audit.logs import event
from tests.audit.sample import ORIGIN, intent, outcome

ROLE = "bench_hub"
ROUNDS = 4
SAMPLE = 200


@dataclass
class AppendLoad:
    """Latencies (seconds) of acknowledged records, and the duration of the run."""

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Acknowledged records per second."""
        return len(self.latencies) / self.seconds

    def milliseconds(self, quantile: float) -> float:
        """A quantile of the latency."""
        return sorted(self.latencies)[int(len(self.latencies) * quantile)] * 1000


@contextmanager
def new_log(server: EmbeddedServer, name: str, folder: Path) -> Iterator[tuple[str, Keys]]:
    """A database with an empty log, and its keys."""
    server.create(name)
    with psycopg.connect(server.conninfo(name)) as connection:
        if connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (ROLE,)).fetchone() is None:
            connection.execute(f"CREATE ROLE {ROLE} LOGIN")
        database.create(connection, ORIGIN, application=ROLE)
    yield server.conninfo(name, user=ROLE), KeyFile.create(folder / name, origin=ORIGIN)


async def load(dsn: str, keys: Keys, callers: int, seconds: float) -> list[float]:
    """The latencies of all records that were acknowledged within the time."""
    log = await Log.open(dsn, keys)
    latencies: list[float] = []
    until = time.perf_counter() + seconds
    # People come back: a process knows the keys of most of whom it is asked about.
    numbers = iter(range(1 << 40))

    async def caller() -> None:
        while time.perf_counter() < until:
            intent_event = intent(next(numbers) % 9000, at=datetime.now(UTC))
            for record in (intent_event, outcome(intent_event)):
                start = time.perf_counter()
                await log.append(record)
                latencies.append(time.perf_counter() - start)

    await asyncio.gather(*(caller() for _ in range(callers)))
    await log.aclose()
    return latencies


def one_process(dsn: str, keys: Keys, callers: int, seconds: float) -> AppendLoad:
    """A load by `callers` tasks of this process."""
    return AppendLoad(seconds, asyncio.run(load(dsn, keys, callers, seconds)))


def compare_with_insert(
    server: EmbeddedServer, dsn: str, keys: Keys, callers: int, seconds: float
) -> tuple[AppendLoad, float]:
    """
    The log and the plain INSERT in turns, so that other load on the machine affects both; rows per second of the bare
    one, which commits as many rows at once as the log has callers.
    """
    ours, rows, spent = AppendLoad(), 0, 0.0
    for _ in range(ROUNDS):
        turn = one_process(dsn, keys, callers, seconds / ROUNDS)
        ours.seconds += turn.seconds
        ours.latencies += turn.latencies
        written, took = _bare(server, keys, callers, seconds / ROUNDS)
        rows, spent = rows + written, spent + took
    return ours, rows / spent


def several_processes(dsn: str, keys: Keys, processes: int, callers: int, seconds: float) -> AppendLoad:
    """The same load from several processes at once."""
    context = multiprocessing.get_context("spawn")
    sink: multiprocessing.Queue[list[float]] = context.Queue()
    arguments = (dsn, str(keys.guard.parent), callers, seconds, sink)
    workers = [context.Process(target=_loaded, args=arguments) for _ in range(processes)]
    for worker in workers:
        worker.start()
    latencies = [latency for _ in workers for latency in sink.get()]
    for worker in workers:
        worker.join()
    return AppendLoad(seconds, latencies)


def _loaded(dsn: str, folder: str, callers: int, seconds: float, sink: "multiprocessing.Queue[list[float]]") -> None:
    sink.put(asyncio.run(load(dsn, KeyFile.load(Path(folder)), callers, seconds)))


def _bare(server: EmbeddedServer, keys: Keys, batch: int, seconds: float) -> tuple[int, float]:
    server.create("bare")
    size = _bytes_of_a_record(keys)
    with psycopg.connect(server.conninfo("bare"), autocommit=True) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS plain (idx bigserial PRIMARY KEY, content bytea)")
        rows = [os.urandom(size) for _ in range(batch)]
        written, start = 0, time.perf_counter()
        while time.perf_counter() < start + seconds:
            connection.execute("INSERT INTO plain (content) SELECT unnest(%b::bytea[])", (rows,), prepare=True)
            written += batch
        return written, time.perf_counter() - start


def _bytes_of_a_record(keys: Keys) -> int:
    """Leaf, its hash, and the sealed values, on average."""

    def size(record: PreparedRecord) -> int:
        boxes = [box.box or b"" for slot in record.slots for box in (slot.party, slot.staff)]
        return len(record.body) + len(record.leaf) + sum(len(box) for box in boxes)

    sealer = Sealer(keys, 0)
    return sum(size(sealer.seal(event(index))) for index in range(SAMPLE)) // SAMPLE

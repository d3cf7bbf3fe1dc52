"""
The audit log under load: durable appends with full rows, beside the bare batched INSERT of the same bytes.

    python -m bench.audit [--seconds 5] [--large 200000]

Full rows: facets, indexes, sealed values, search marks, tree.  Callers wait for one record before they send the next,
an intent and its outcome in turn.  Every figure is of this machine and this run: compare the ratios.
"""

import argparse
import asyncio
import json
import multiprocessing
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import psycopg
from rich.console import Console
from rich.table import Table

from audit import database
from audit.export import export
from audit.folder import Folder
from audit.keys import KeyFile, Keys
from audit.log import Log
from audit.sealing import Sealer
from audit.search import Query, search
from audit.verify import Verdict, verify
from audit.writer import Writer
from gateway.database.server import EmbeddedServer
from tests.audit.sample import ORIGIN, intent, outcome, party

ROLE = "bench_hub"
RESULTS = Path("bench/results.audit.json")


@contextmanager
def fresh(server: EmbeddedServer, name: str, folder: Path) -> Iterator[tuple[str, Keys]]:
    """A database with an empty log, and its keys."""
    server.create(name)
    with psycopg.connect(server.conninfo(name)) as connection:
        if connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (ROLE,)).fetchone() is None:
            connection.execute(f"CREATE ROLE {ROLE} LOGIN")
        database.create(connection, ORIGIN, application=ROLE)
    yield server.conninfo(name, user=ROLE), KeyFile.create(folder / name, origin=ORIGIN)


async def load(dsn: str, keys: Keys, callers: int, seconds: float, offset: int = 0) -> list[float]:
    """The latencies of all records that were acknowledged within the time."""
    log = await Log.open(dsn, keys)
    latencies: list[float] = []
    until = time.perf_counter() + seconds
    numbers = iter(range(offset, 1 << 40))

    async def caller() -> None:
        while time.perf_counter() < until:
            asked = intent(next(numbers) % 9000, at=datetime.now(UTC))
            for event in (asked, outcome(asked)):
                start = time.perf_counter()
                await log.append(event)
                latencies.append(time.perf_counter() - start)

    await asyncio.gather(*(caller() for _ in range(callers)))
    await log.aclose()
    return latencies


def loaded(
    dsn: str, folder: str, callers: int, seconds: float, offset: int, sink: "multiprocessing.Queue[list[float]]"
) -> None:
    """One process of several."""
    sink.put(asyncio.run(load(dsn, KeyFile.load(Path(folder)), callers, seconds, offset)))


def several(dsn: str, keys: Keys, processes: int, callers: int, seconds: float) -> list[float]:
    """The same load from several processes at once."""
    context = multiprocessing.get_context("spawn")
    sink: multiprocessing.Queue[list[float]] = context.Queue()
    folder = str(keys.guard.parent)
    workers = [
        context.Process(target=loaded, args=(dsn, folder, callers, seconds, n * 1_000_000, sink))
        for n in range(processes)
    ]
    for worker in workers:
        worker.start()
    latencies = [latency for _ in workers for latency in sink.get()]
    for worker in workers:
        worker.join()
    return latencies


def bare(server: EmbeddedServer, name: str, batch: int, seconds: float) -> float:
    """Rows per second of a plain durable INSERT of the same bytes, as many to a commit as the log had."""
    server.create(name)
    size = 1000  # body, leaf hash, two boxes
    with psycopg.connect(server.conninfo(name), autocommit=True) as connection:
        connection.execute("CREATE TABLE plain (idx bigserial PRIMARY KEY, content bytea)")
        rows = [uuid4().bytes * (size // 16) for _ in range(batch)]
        done, until = 0, time.perf_counter() + seconds
        start = time.perf_counter()
        while time.perf_counter() < until:
            connection.execute("INSERT INTO plain (content) SELECT unnest(%b::bytea[])", (rows,), prepare=True)
            done += batch
        return done / (time.perf_counter() - start)


def fill(dsn: str, keys: Keys, count: int) -> None:
    """Writes many records quickly, by the same way as always."""
    sealer = Sealer(keys, 0)
    writer = Writer(database.conninfo(dsn, timeout=60), keys.origin, database.SCHEMA)
    for start in range(0, count, 512):
        asked = [intent(n) for n in range(start, min(start + 512, count), 2)]
        writer.append([sealer.seal(event) for one in asked for event in (one, outcome(one))])
    writer.disconnect()


def search_seconds(log: Log, count: int) -> float:
    """The median time of a search by subject."""
    times = []
    for n in range(60):
        start = time.perf_counter()
        page = search(log.reader, Query(subject=party(n * 97 * 2 % count)))
        times.append(time.perf_counter() - start)
        assert page.hits
    return sorted(times)[len(times) // 2]


def figures(latencies: list[float], seconds: float) -> dict[str, float]:
    """Rate and percentiles."""
    ordered = sorted(latencies)
    return {
        "per_s": round(len(ordered) / seconds),
        "p50_ms": round(ordered[len(ordered) // 2] * 1000, 2),
        "p99_ms": round(ordered[int(len(ordered) * 0.99)] * 1000, 2),
    }


def bytes_per_record(server: EmbeddedServer, name: str) -> float:
    """Tables and indexes of the log, per record."""
    with psycopg.connect(server.conninfo(name)) as connection:
        row = connection.execute(
            "SELECT sum(pg_total_relation_size(c.oid))::float / (SELECT size FROM audit.head) FROM pg_class c "
            "JOIN pg_namespace n ON n.oid = relnamespace WHERE nspname LIKE 'audit%' AND relkind = 'r'"
        ).fetchone()
    return round(row[0]) if row else 0


def size_of(folder: Path) -> int:
    """Bytes of all files below."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


async def _sign_and_export(dsn: str, keys: Keys, folder: Path) -> int:
    log = await Log.open(dsn, keys, sign_every=None, timeout=30)
    size = await asyncio.to_thread(export, log.reader, folder, keys.signer.vkey)
    await log.aclose()
    return size


async def _search(dsn: str, keys: Keys, count: int) -> float:
    log = await Log.open(dsn, keys, sign_every=None, timeout=30)
    seconds = await asyncio.to_thread(search_seconds, log, count)
    await log.aclose()
    return seconds


def main() -> None:
    """Runs everything, prints a table, writes bench/results.audit.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--large", type=int, default=1_000_000, help="entries of the large log of the search")
    options = parser.parse_args()
    results: dict[str, object] = {}
    with tempfile.TemporaryDirectory(prefix="shuniu-bench-") as temporary:
        folder = Path(temporary)
        folder.chmod(0o755)
        with EmbeddedServer(folder / "cluster") as server:
            for callers in (1, 32, 128):
                with fresh(server, f"one_{callers}", folder) as (dsn, keys):
                    latencies = asyncio.run(load(dsn, keys, callers, options.seconds))
                    results[f"append, {callers} callers"] = figures(latencies, options.seconds)
            for processes in (2, 4):
                with fresh(server, f"processes_{processes}", folder) as (dsn, keys):
                    latencies = several(dsn, keys, processes, 32, options.seconds)
                    results[f"append, {processes} processes of 32 callers"] = figures(latencies, options.seconds)
            for batch in (1, 32):
                rate = bare(server, f"bare_{batch}", batch, options.seconds)
                ours = results[f"append, {batch} callers"]
                assert isinstance(ours, dict)
                results[f"bare INSERT, {batch} to a commit"] = {"per_s": round(rate)}
                ours["of_bare"] = round(ours["per_s"] / rate, 2)
            results["database"] = {"bytes_per_record": bytes_per_record(server, "one_32")}
            exported = folder / "export"
            with_log = server.conninfo("one_32", user=ROLE)
            keys = KeyFile.load(folder / "one_32")
            size = asyncio.run(_sign_and_export(with_log, keys, exported))
            results["export"] = {"bytes_per_record": round(size_of(exported) / size), "entries": size}
            start = time.perf_counter()
            report = verify(Folder(exported), ORIGIN, [keys.signer.vkey])
            results["verify, one core"] = {"per_s": round(size / (time.perf_counter() - start))}
            assert report.verdict is Verdict.INTACT, report.last_line()
            medians = {}
            for name, count in (("small", 10_000), ("large", options.large)):
                with fresh(server, name, folder) as (dsn, keys):
                    fill(dsn, keys, count)
                    medians[name] = asyncio.run(_search(dsn, keys, count))
                    results[f"search by subject, {count} entries"] = {"p50_ms": round(medians[name] * 1000, 2)}
            results["search, large to small"] = {"ratio": round(medians["large"] / medians["small"], 2)}
    table = Table("row", "figures", box=None)
    for row, values in results.items():
        assert isinstance(values, dict)
        table.add_row(row, ", ".join(f"{name} {value}" for name, value in values.items()))
    Console().print(table)
    RESULTS.write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()

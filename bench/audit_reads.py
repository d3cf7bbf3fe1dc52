"""
Benchmark of reading the audit log: bytes per record, verification of an export, search by subject at two sizes.
"""

import asyncio
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import psycopg

from audit.export.exporter import export
from audit.sealing.keys import Keys
from audit.store.log import Log
from audit.store.reader import Reader
from audit.store.search import HitEvidence, Query, search
from audit.verify.directory_source import DirectorySource
from audit.verify.verifier import VerificationVerdict, verify
from gateway.database.embedded_server import EmbeddedServer
from tests.audit.logs import sign
from tests.audit.sample import ORIGIN, party

VERIFICATIONS = 3
COLD, WARM = 40, 300


@dataclass(frozen=True)
class FilledLog:
    """A log of so many entries: how to reach it, and its keys."""

    dsn: str
    keys: Keys
    entries: int


def bytes_per_record(server: EmbeddedServer, name: str) -> float:
    """Tables and indexes of the log, per record."""
    with psycopg.connect(server.conninfo(name)) as connection:
        row = connection.execute(
            "SELECT sum(pg_total_relation_size(c.oid))::float / (SELECT size FROM audit.head) FROM pg_class c "
            "JOIN pg_namespace n ON n.oid = relnamespace WHERE nspname LIKE 'audit%' AND relkind = 'r'"
        ).fetchone()
    assert row is not None
    return float(row[0])


def export_log(dsn: str, keys: Keys, folder: Path) -> tuple[int, float]:
    """Exports a log; its entries, and the bytes of all files per entry."""

    async def write() -> int:
        log = await Log.open(dsn, keys, sign_every=None, timeout=60)
        size = await asyncio.to_thread(export, log.reader, folder, keys.signer.vkey)
        await log.aclose()
        return size

    size = asyncio.run(write())
    return size, sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / size


def verification_rate(folder: Path, keys: Keys) -> float:
    """Entries per second on one core, the median of a few runs."""
    rates = []
    for _ in range(VERIFICATIONS):
        start = time.perf_counter()
        report = verify(DirectorySource(folder), ORIGIN, [keys.signer.vkey])
        rates.append(report.size / (time.perf_counter() - start))
        assert report.verdict is VerificationVerdict.INTACT, report.last_line()
    return median(rates)


def search_seconds(server: EmbeddedServer, logs: tuple[FilledLog, FilledLog]) -> dict[str, tuple[float, float]]:
    """
    Seconds of a search by subject, the median in each of two logs that are searched in turns; every hit is proved.

    Cold: the server was restarted and no hash is remembered (its files are still in the system's memory).  Warm: after
    that, as in a process that has been running.
    """
    for log in logs:
        asyncio.run(sign(log.dsn, log.keys))
    server.halt()
    server.resume()
    readers = [Reader(log.dsn, log.keys, timeout=60) for log in logs]
    medians: dict[str, tuple[float, float]] = {}
    for state, searches in (("cold", COLD), ("warm", WARM)):
        times: tuple[list[float], list[float]] = ([], [])
        for number in range(searches):
            for log, reader, taken in zip(logs, readers, times, strict=True):
                if state == "cold":
                    reader._nodes.clear()  # noqa: SLF001 - nothing else wants this
                taken.append(_search(reader, number * 7919 % (log.entries // 2)))
        medians[state] = median(times[0]), median(times[1])
    for reader in readers:
        reader.close()
    return medians


def _search(reader: Reader, number: int) -> float:
    start = time.perf_counter()
    page = search(reader, Query(subject=party(number)))
    taken = time.perf_counter() - start
    assert [hit.evidence for hit in page.hits] == [HitEvidence.PROVED]
    return taken

"""
Benchmark of the audit log against its goals: appends, verification, size, search.

    python -m bench.audit [--seconds 8] [--large 1000000]

Every figure is of this machine and this run; where it stands beside another, the two were taken in turns.  Ends with 1
if a goal was missed.
"""

import argparse
import json
import os
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.audit_appends import compare_with_insert, new_log, one_process, several_processes
from bench.audit_reads import FilledLog, bytes_per_record, export_log, search_seconds, verification_rate
from gateway.database.embedded_server import EmbeddedServer
from tests.audit.logs import fill

RESULTS = Path("bench/results.audit.json")
SMALL = 10_000


@dataclass(frozen=True)
class Figure:
    """One measured number, and its goal if it has one: at least, or at most."""

    what: str
    value: float
    unit: str
    at_least: float | None = None
    at_most: float | None = None

    @property
    def missed(self) -> bool:
        """Whether it is on the wrong side of its goal."""
        below = self.at_least is not None and self.value < self.at_least
        return below or (self.at_most is not None and self.value > self.at_most)

    def cells(self) -> tuple[str, str, str, str]:
        """A row of the table."""
        goal = f"≥ {self.at_least:,g}" if self.at_least is not None else ""
        goal = f"≤ {self.at_most:,g}" if self.at_most is not None else goal
        value = f"{self.value:,.0f}" if self.value >= 100 else f"{self.value:.2f}"
        verdict = ("MISSED" if self.missed else "met") if goal else ""
        return self.what, f"{value} {self.unit}", goal, verdict


def appends(server: EmbeddedServer, folder: Path, seconds: float) -> list[Figure]:
    """One process with few and many callers, then several processes."""
    figures: list[Figure] = []
    for callers in (1, 32):
        with new_log(server, f"one_{callers}", folder) as (dsn, keys):
            ours, bare = compare_with_insert(server, dsn, keys, callers, seconds)
        name = f"append, {callers} caller{'s' if callers > 1 else ''}"
        figures += [
            Figure(name, ours.rate, "records/s", at_least=3500 if callers == 32 else None),
            Figure(f"{name}, p50", ours.milliseconds(0.5), "ms"),
            Figure(f"{name}, p99", ours.milliseconds(0.99), "ms", at_most=20 if callers == 32 else None),
            Figure(f"bare INSERT of the same bytes, {callers} to a commit", bare, "rows/s"),
            Figure(f"{name}, of the bare INSERT", ours.rate / bare, "×"),
        ]
    with new_log(server, "one_128", folder) as (dsn, keys):
        many = one_process(dsn, keys, 128, seconds)
    figures += [
        Figure("append, 128 callers", many.rate, "records/s"),
        Figure("append, 128 callers, p99", many.milliseconds(0.99), "ms"),
    ]
    for processes in (2, 4):
        with new_log(server, f"processes_{processes}", folder) as (dsn, keys):
            together = several_processes(dsn, keys, processes, 32, seconds)
        name = f"append, {processes} processes of 32 callers"
        figures += [
            Figure(name, together.rate, "records/s", at_least=5000 if processes == 2 else None),
            Figure(f"{name}, p99", together.milliseconds(0.99), "ms"),
        ]
    return figures


def reads(server: EmbeddedServer, folder: Path, large: int) -> list[Figure]:
    """Sizes, verification, and search in a small and a large log."""
    logs = []
    for count in (SMALL, large):
        with new_log(server, f"filled_{count}", folder) as (dsn, keys):
            fill(dsn, keys, count)
            logs.append(FilledLog(dsn, keys, count))
    small, big = logs
    took = search_seconds(server, (small, big))
    size, file_bytes = export_log(big.dsn, big.keys, folder / "export")
    figures = [
        Figure(
            f"database, {size:,} records", bytes_per_record(server, f"filled_{large}"), "bytes/record", at_most=1400
        ),
        Figure("export", file_bytes, "bytes/record", at_most=600),
        Figure("verification, one core", verification_rate(folder / "export", big.keys), "entries/s", at_least=400_000),
    ]
    for state, (of_small, of_big) in took.items():
        figures += [
            Figure(f"search by subject, {small.entries:,} entries, {state}", of_small * 1000, "ms"),
            Figure(f"search by subject, {big.entries:,} entries, {state}", of_big * 1000, "ms"),
            Figure(f"search, large to small, {state}", of_big / of_small, "×", at_most=1.5),
        ]
    return figures


def report_and_exit(name: str, figures: list[Figure], busy: float, results: Path) -> None:
    """Prints the figures beside their goals, writes them down, and ends the program: with 1 if a goal was missed."""
    table = Table(box=None)
    for column in (name, "figure", "goal", ""):
        table.add_column(column, no_wrap=True)
    for figure in figures:
        table.add_row(*figure.cells())
    console = Console(width=110)
    console.print(table)
    console.print(f"{os.cpu_count()} cores; load average before the run: {busy:.1f}")
    results.write_text(json.dumps([asdict(figure) for figure in figures], indent=2) + "\n")
    sys.exit(any(figure.missed for figure in figures))


def main() -> None:
    """Runs everything, prints a table, writes bench/results.audit.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=8.0, help="of each load")
    parser.add_argument("--large", type=int, default=1_000_000, help="entries of the large log")
    options = parser.parse_args()
    busy = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="shuniu-bench-") as temporary:
        folder = Path(temporary)
        folder.chmod(0o755)
        with EmbeddedServer(folder / "cluster") as server:
            figures = appends(server, folder, options.seconds) + reads(server, folder, options.large)
    report_and_exit("audit log", figures, busy, RESULTS)


if __name__ == "__main__":
    main()

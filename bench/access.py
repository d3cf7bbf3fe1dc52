"""
Benchmark of access decisions: their share of a lookup, with few and with many open grants (`make bench PART=access`).

    python -m bench.access [--large 1000000] [--rounds 7]

One decision is what each lookup costs: the right with its question counted, and the right again before
release, with its lease.  Two databases on one server, one with 1,000 open grants and one with 1,000,000, are asked in
turns; the lookup's own time is that of the same hub over HTTP (the last run of `make bench`, or `--lookup-p50`).
"""

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import psycopg
from rich.console import Console
from rich.table import Table

from bench.dataset import CLERK, parties, work_order_of, work_orders
from bench.lookups import RESULTS as LOOKUPS
from gateway.access.authorization import Authorizer
from gateway.access.catalogue import Catalogue
from gateway.access.policy import Policies
from gateway.access.work_orders import WorkOrders, party_identifier
from gateway.database import Database
from gateway.database.embedded_server import EmbeddedServer
from gateway.demo import tree
from gateway.field_encryption import FieldEncryption
from gateway.provisioning import APPLICATION_ROLE, create_keys, create_tables
from gateway.settings import Settings
from gateway.sign_on import Caller
from schemas.codes import IdType, Want
from schemas.identifiers import parse
from schemas.work_order import WorkOrderStatement

SMALL: Final = 1_000
ASKED: Final = 200
CALLERS: Final = 32
MOST_OF_A_LOOKUP: Final = 0.10
MOST_GROWTH: Final = 1.2
FILE: Final = Path(__file__).parent / "results.access.json"

# Work orders of other people, to fill the tables; they are never used.
FILL: Final = """
    INSERT INTO work_order
        (court, id, version, status, kind, case_number, holder, digest, document, recorded, changed_at)
    SELECT '浙0802', 'F-' || n, 1, 'dispatched', 'service-of-process', '', 'clerk.' || n %% 5000, '\\x00',
        '\\x00', true,
        clock_timestamp() FROM generate_series(1, %(count)s) n;
    INSERT INTO access_grant (court, work_order, party, id, position, starts_at, ends_at, allowed)
    SELECT '浙0802', 'F-' || n, sha256(n::text::bytea), gen_random_uuid(), 0, clock_timestamp(),
        clock_timestamp() + interval '30 days', 20 FROM generate_series(1, %(count)s) n;
    ANALYZE;
"""

CALLER: Final = Caller(
    user=CLERK, client="bench", court="浙0802", name="", unit="bench", scopes=frozenset(),
    expires_at=0.0, token_id="bench",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAccess:
    """An authorizer over one database, and the requests that its work orders permit."""

    access: Authorizer
    database: Database
    owner: str
    requests: list[tuple[str, Any]]

    def renew(self) -> None:
        """Resets the question counters: the benchmark asks more than a clerk may."""
        with psycopg.connect(self.owner, autocommit=True) as connection:
            connection.execute("UPDATE access_grant SET asked = 0 WHERE asked > 0")

    async def decide(self, number: int) -> float:
        """Makes one whole decision; seconds."""
        order, identifier = self.requests[number % len(self.requests)]
        start = time.perf_counter()
        grant = await self.access.grant(CALLER, order, identifier, None, [Want.IDENTITY])
        _, lease = await self.access.before_release(CALLER, grant)
        lease.release()
        return time.perf_counter() - start


@contextmanager
def fill_database(server: EmbeddedServer, folder: Path, grants: int) -> Iterator[tuple[Settings, str]]:
    """A database with so many open grants, of which the clerk's are the first."""
    name = f"grants_{grants}"
    server.create(name)
    settings = Settings(folder=folder / name, database_url=server.url(name, user=APPLICATION_ROLE), origin="b/audit/1")
    create_keys(settings)
    create_tables(server.url(name), origin=settings.origin, application=APPLICATION_ROLE)
    tree.settle(settings)
    with psycopg.connect(server.conninfo(name), autocommit=True) as connection:
        for statement in FILL.split(";")[:-1]:
            connection.execute(statement, {"count": grants - ASKED} if "%(" in statement else None)
    yield settings, server.conninfo(name)


async def open_access(settings: Settings, owner: str) -> OpenAccess:
    """States the clerk's work orders, and opens the decision."""
    encryption = FieldEncryption.load(settings.key_folder / "hub.key")
    database = Database(settings.database_url or "")
    orders = WorkOrders(database, encryption)
    catalogue = Catalogue.load()
    kind = catalogue.kinds["service-of-process"]
    people = parties(ASKED)
    for name, document in work_orders(people).items():
        statement = WorkOrderStatement.model_validate(document)
        identifiers = [party_identifier(party) for party in statement.parties]
        await orders.put(name, statement, identifiers, kind, datetime.now(UTC))
        await orders.mark_recorded(statement.court, name, 1)
    access = Authorizer(
        database=database, encryption=encryption, work_orders=orders, catalogue=catalogue, policies=Policies.load()
    )
    requests = [
        (work_order_of(place), parse(IdType.RESIDENT_ID, person.id_number, country=None))
        for place, person in enumerate(people)
    ]
    return OpenAccess(access=access, database=database, owner=owner, requests=requests)


async def rounds(small: OpenAccess, large: OpenAccess, count: int, callers: int) -> dict[str, list[float]]:
    """Seconds of every decision, by database; in turns, so that a slow moment hits both."""
    spent: dict[str, list[float]] = {"small": [], "large": []}
    for turn in range(2 * count):
        name, access = ("small", small) if turn % 2 else ("large", large)
        access.renew()

        async def caller(start: int, access: OpenAccess = access, name: str = name) -> None:
            for number in range(start, start + 40):
                spent[name].append(await access.decide(number))

        await asyncio.gather(*(caller(place * 41) for place in range(callers)))
    return spent


async def measure(small: tuple[Settings, str], large: tuple[Settings, str], count: int) -> dict[str, Any]:
    """All figures, in milliseconds."""
    small_access, large_access = await open_access(*small), await open_access(*large)
    await rounds(small_access, large_access, 1, CALLERS)
    results: dict[str, Any] = {}
    for callers in (1, CALLERS):
        spent = await rounds(small_access, large_access, count, callers)
        small_access.renew()
        before = time.process_time()
        await asyncio.gather(
            *(_decide_repeatedly(small_access, place * 41, 400 // callers) for place in range(callers))
        )
        cpu = (time.process_time() - before) / (400 // callers * callers)
        figures = {name: _figures(times) for name, times in spent.items()}
        growth = round(figures["large"]["p50_ms"] / figures["small"]["p50_ms"], 2)
        results[f"{callers} at once"] = figures | {"growth_p50": growth, "cpu_ms": round(cpu * 1000, 3)}
    for each in (small_access, large_access):
        await each.access.aclose()
        each.database.close()
    return results


async def _decide_repeatedly(access: OpenAccess, start: int, count: int) -> None:
    for number in range(start, start + count):
        await access.decide(number)


def _figures(times: list[float]) -> dict[str, float]:
    ordered = sorted(times)
    return {
        "p50_ms": round(statistics.median(ordered) * 1000, 3),
        "p99_ms": round(ordered[int(len(ordered) * 0.99)] * 1000, 3),
    }


def main() -> None:
    """Runs everything; exits with 1 if a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--large", type=int, default=1_000_000, help="open grants of the large database")
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="shuniu-bench-") as temporary:
        folder = Path(temporary)
        folder.chmod(0o755)
        with (
            EmbeddedServer(folder / "cluster") as server,
            fill_database(server, folder, SMALL) as small,
            fill_database(server, folder, options.large) as large,
        ):
            results = asyncio.run(measure(small, large, options.rounds))
    lookups = json.loads(LOOKUPS.read_text(encoding="utf-8")) if LOOKUPS.exists() else None
    sys.exit(print_results(results, lookups, options.large))


def print_results(results: dict[str, Any], lookups: dict[str, Any] | None, large: int) -> bool:
    """Prints the table, with goals; says whether one was missed."""
    missed = False
    table = Table("decision", f"{SMALL:,} grants", f"{large:,} grants", "growth (p50)", "CPU ms", box=None)
    for name, row in results.items():
        cells = [f"p50 {row[size]['p50_ms']} p99 {row[size]['p99_ms']} ms" for size in ("small", "large")]
        table.add_row(name, *cells, f"{row['growth_p50']} (at most {MOST_GROWTH})", str(row["cpu_ms"]))
        missed |= row["growth_p50"] > MOST_GROWTH
    show = Console(highlight=False, soft_wrap=True)
    show.print(table)
    if lookups is None:
        show.print("Run `make bench` first to see the share of a lookup.")
    else:
        hub, row = lookups["hub"], results[f"{CALLERS} at once"]
        of_p50 = row["large"]["p50_ms"] / hub["p50_ms"]
        of_p99 = row["large"]["p99_ms"] / hub["p99_ms"]
        rooms = lookups["cpu_us_per_lookup"]
        of_cpu = row["cpu_ms"] * 1000 / sum(rooms.values())
        show.print(
            f"share of a lookup ({hub['p50_ms']} / {hub['p99_ms']} ms at {CALLERS} clients): "
            f"p50 {of_p50:.1%}, p99 {of_p99:.1%}, CPU {of_cpu:.1%} (at most {MOST_OF_A_LOOKUP:.0%})"
        )
        results["share"] = {"p50": round(of_p50, 3), "p99": round(of_p99, 3), "cpu": round(of_cpu, 3)}
        missed |= max(of_p99, of_cpu) > MOST_OF_A_LOOKUP
    FILE.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    return missed


if __name__ == "__main__":
    main()

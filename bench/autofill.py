"""
Benchmark of forms against their goals: work orders per second, and waiting times in the queue.

    python -m bench.autofill [--orders 300] [--waiting 100000] [--seconds 20]

The work orders have two parties each and go the whole way over HTTP: stated, asked for, looked up at the mock agencies
on this machine, recorded, filled.  For the latency of the queue, the lookups are left out: workers take jobs that last
20 ms each while so many requests of eight courts wait, and requests of a ninth court come in between.  Ends with 1 if
a goal was missed.
"""

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final, NamedTuple

import httpx

from bench.audit import Figure, report_and_exit
from bench.autofill_queue import latencies
from bench.dataset import CLERK, COURT, TICKETS, parties
from bench.handwritten_upstreams import OFFICIAL
from bench.processes import AgencyServers, await_answer, installation, read_address, serve_agencies
from gateway.demo import tree
from gateway.provisioning import bundled_database, create_keys
from gateway.settings import Settings
from mock_agencies.population import SyntheticPerson

RESULTS: Final = Path("bench/results.autofill.json")
PARTIES: Final = 2
AT_ONCE: Final = 16
SHUNIU: Final = str(Path(sys.executable).parent / "shuniu")


class ServedHub(NamedTuple):
    """A serving hub: its address and process id."""

    address: str
    pid: int


@contextmanager
def court(folder: Path, processes: int, **changes: object) -> Iterator[tuple[AgencyServers, ServedHub]]:
    """A court whose hub has a worker, and further worker processes beside it; `changes` of the hub's settings."""
    with ExitStack() as stack:
        agencies = stack.enter_context(serve_agencies(folder))
        environment = installation(agencies, folder)
        settings = Settings(
            folder=folder / "hub",
            agencies=Path(environment["SHUNIU_AGENCIES"]),
            credentials=agencies.credentials,
            sign_on_issuer=agencies.issuer,
            origin=environment["SHUNIU_ORIGIN"],
        )
        create_keys(settings)
        settings = stack.enter_context(bundled_database(settings, create=True))
        tree.settle(settings)
        environment |= {"SHUNIU_DATABASE_URL": str(settings.database_url)}
        environment |= {f"SHUNIU_{name.upper()}": str(value) for name, value in changes.items()}
        lines = folder / "hub.log"
        with lines.open("w") as log:
            hub = stack.enter_context(_process(environment, "serve", "--port", "0", stderr=log))
            address = read_address(lines, hub)
            await_answer(f"{address}/readyz", hub)
            for number in range(processes - 1):
                worker_log = folder / f"worker{number}.log"
                with worker_log.open("w") as out:
                    stack.enter_context(_process(environment, "worker", stderr=out))
                while "A worker fills" not in worker_log.read_text(encoding="utf-8"):
                    time.sleep(0.1)
            yield agencies, ServedHub(address, hub.pid)


@contextmanager
def _process(environment: dict[str, str], *words: str, stderr: object) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [SHUNIU, *words], env=environment, stdout=subprocess.DEVNULL, stderr=stderr, text=True
    ) as process:  # type: ignore[call-overload]
        try:
            yield process
        finally:
            process.terminate()
            process.wait(timeout=60)


async def forms_per_second(agencies: AgencyServers, address: str, prefix: str, orders: int) -> float:
    """States so many work orders and asks for their forms; forms per second until all are filled."""
    people = parties(orders * PARTIES // 5 + 1)
    headers = {"Authorization": f"Bearer {agencies.token(client=TICKETS)}"}
    async with httpx.AsyncClient(base_url=address, headers=headers, timeout=60, trust_env=False) as client:
        begun = time.monotonic()
        turn = asyncio.Semaphore(AT_ONCE)

        async def fill(number: int) -> None:
            async with turn:
                name = f"{prefix}-{number:06d}"
                body = statement(people[number * PARTIES : (number + 1) * PARTIES])
                (await client.put(f"/v1/work-orders/{name}", json=body)).raise_for_status()
                (await client.post("/v1/autofill", json={"work_order": name})).raise_for_status()

        await asyncio.gather(*(fill(number) for number in range(orders)))
        while True:
            backlog = (await client.get("/v1/autofill")).raise_for_status().json()
            if backlog["ready"] + backlog["delayed"] + backlog["under_way"] == 0:
                break
            await asyncio.sleep(0.1)
        return orders / (time.monotonic() - begun)


def statement(people: Sequence[SyntheticPerson]) -> dict[str, object]:
    """A work order about these people."""
    return {
        "version": 1,
        "status": "dispatched",
        "kind": "service-of-process",
        "court": COURT,
        "case_number": f"（2026）{COURT}民初1号",
        "holder": {"user": CLERK, **OFFICIAL},
        "parties": [
            {
                "role": "defendant",
                "kind": "person",
                "id_type": "resident_id",
                "id_number": person.id_number,
                "name": person.name,
            }
            for person in people
        ],
    }


def main() -> None:
    """Runs everything, prints a table, writes bench/results.autofill.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=300, help="work orders of each load")
    parser.add_argument("--waiting", type=int, default=100_000, help="requests in the long queue")
    parser.add_argument("--seconds", type=float, default=20.0, help="of each measure of the queue")
    options = parser.parse_args()
    busy = os.getloadavg()[0]
    figures: list[Figure] = []
    for workers in (1, 2):
        with tempfile.TemporaryDirectory(prefix="shuniu-bench-") as temporary:
            folder = Path(temporary)
            folder.chmod(0o755)
            with court(folder, workers) as (agencies, hub):
                # A few first, so that connections and code are there.
                asyncio.run(forms_per_second(agencies, hub.address, "W", 8))
                rate = asyncio.run(forms_per_second(agencies, hub.address, "F", options.orders))
        name = f"work orders of {PARTIES} parties filled, {workers} worker{'s' if workers > 1 else ''}"
        figures.append(Figure(name, rate, "/s", at_least=30 if workers == 1 else None))
    few, many = latencies(1_000, options.waiting, options.seconds)
    figures += [
        Figure("from accepted to begun, 1,000 waiting, p99", few * 1000, "ms"),
        Figure(f"from accepted to begun, {options.waiting:,} waiting, p99", many * 1000, "ms"),
        Figure("many to few", many / few, "×", at_most=1.5),
    ]
    report_and_exit("autofill", figures, busy, RESULTS)


if __name__ == "__main__":
    main()

"""
Benchmark of lookups that do not need an agency, while that agency hangs (`make bench PART=hanging`).

One hub; clients ask about organizations, which market regulation alone answers, in rounds that alternate: human
resources is well, human resources hangs.  In both, persons are asked about at a steady rate, whose lookups do wait for
it.  Its breaker is kept from opening, so that it hangs all the time and in no round after; `--with-breaker` leaves it
as it is.  Compares the 99th percentiles of the organizations' lookups; exits with 1 if it is more than 1.2 times as
high with the agency hanging.
"""

import argparse
import asyncio
import contextlib
import itertools
import json
import statistics
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
from rich.console import Console

from bench import processes
from bench.dataset import CLERK, COURT, TICKETS, WANT, parties, questions, work_orders
from bench.handwritten_upstreams import OFFICIAL
from bench.processes import AgencyServers, Gateway
from mock_agencies.population import Population, SyntheticOrganization

RESULTS: Final = Path(__file__).parent / "results.hanging.json"
AT_MOST: Final = 1.2
HANGS: Final = "human_resources"
FIRST: Final = 500
ORGANIZATIONS: Final = 400
PARTIES_OF_ONE: Final = 5
NO_BREAKER: Final = f"""
[{HANGS}.participation.breaker]
failures = 1000
calls = 10000
"""

show = Console(highlight=False, soft_wrap=True)


def main() -> None:
    """Runs it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="of each kind")
    parser.add_argument("--seconds", type=float, default=5.0, help="measured time of one round")
    parser.add_argument("--warm-up", type=float, default=2.0, help="seconds before it, not measured")
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--persons-per-s", type=float, default=20.0)
    parser.add_argument("--with-breaker", action="store_true", help="let the agency be given a rest")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="shuniu-bench-") as temporary, ExitStack() as stack:
        agencies = stack.enter_context(processes.serve_agencies(Path(temporary)))
        more = "" if options.with_breaker else NO_BREAKER
        gateway = stack.enter_context(processes.hub(agencies, Path(temporary), more=more))
        results = HangingBenchmark(agencies=agencies, gateway=gateway, options=options).all() | {
            "setting": vars(options)
        }
    RESULTS.write_text(json.dumps(results, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    for title, run in (("well", results["well"]), ("hanging", results["hanging"])):
        show.print(
            f"human resources {title}: {run['lookups_per_s']} lookups/s, p50 {run['p50_ms']} ms, p99 {run['p99_ms']} ms"
        )
    show.print(f"persons' lookups meanwhile, by the state of human resources: {results['persons']}")
    verdict = "reached" if results["ratio"] <= AT_MOST else "[bold red]missed[/bold red]"
    show.print(f"p99 is {results['ratio']:.2f} times as high with the agency hanging (at most {AT_MOST}: {verdict})")
    sys.exit(results["ratio"] > AT_MOST)


@dataclass(frozen=True, slots=True, kw_only=True)
class HangingBenchmark:
    """The rounds on one hub."""

    agencies: AgencyServers
    gateway: Gateway
    options: argparse.Namespace

    def all(self) -> dict[str, Any]:
        """Medians of both kinds, and the states that the persons' lookups got."""
        organizations = _organizations()
        people = parties(ORGANIZATIONS // PARTIES_OF_ONE)
        statements = _statements(organizations) | work_orders(people)
        about = [
            {"body": _question(place, organization), "expected": str(organization.uscc)}
            for place, organization in enumerate(organizations)
        ]
        runs: dict[str, list[dict[str, Any]]] = {"well": [], "hanging": []}
        states: dict[str, Counter[str]] = {"well": Counter(), "hanging": Counter()}
        bodies = [question["body"] for question in questions(people, under_work_orders=True)]
        versions = itertools.count(1)
        for _ in range(self.options.rounds):
            for kind, rounds in runs.items():
                self._state(statements, version=next(versions))
                with self._agency_is(kind), self._persons(bodies, states[kind]):
                    rounds.append(self._load(about))
        medians = {
            kind: {
                figure: round(statistics.median(figures[figure] for figures in rounds), 1)
                for figure in ("lookups_per_s", "p50_ms", "p99_ms")
            }
            for kind, rounds in runs.items()
        }
        ratio = medians["hanging"]["p99_ms"] / medians["well"]["p99_ms"]
        return {**medians, "ratio": round(ratio, 2), "persons": {kind: dict(of) for kind, of in states.items()}}

    def _state(self, statements: dict[str, dict[str, Any]], *, version: int) -> None:
        """States the work orders anew: every party has all its questions again."""
        with httpx.Client(base_url=self.gateway.address, headers=self._as(client=TICKETS), trust_env=False) as tickets:
            for name, statement in statements.items():
                stated = statement | {"version": version, "status": "reopened"}
                tickets.put(f"/v1/work-orders/{name}", json=stated).raise_for_status()

    def _load(self, about: Sequence[dict[str, Any]]) -> dict[str, Any]:
        job = {"headers": self._as(user=CLERK), "questions": about}
        numbers = {
            "--clients": self.options.clients,
            "--seconds": self.options.seconds,
            "--warm-up": self.options.warm_up,
        }
        command = [sys.executable, "-m", "bench.load", "--address", self.gateway.address]
        command += [str(part) for option in numbers.items() for part in option]
        ran = subprocess.run(command, input=json.dumps(job), check=True, stdout=subprocess.PIPE, text=True)
        figures: dict[str, Any] = json.loads(ran.stdout)
        if figures["failures"]:
            raise RuntimeError(f"answers were not whole: {figures['failures']}")
        return figures

    @contextmanager
    def _agency_is(self, kind: str) -> Iterator[None]:
        faults = f"{self.agencies.addresses[HANGS]}/_control/faults"
        if kind == "hanging":
            httpx.post(faults, json={"fault": "hang"}, trust_env=False).raise_for_status()
        try:
            yield
        finally:
            httpx.delete(faults, trust_env=False).raise_for_status()

    @contextmanager
    def _persons(self, bodies: Sequence[Any], states: Counter[str]) -> Iterator[None]:
        over = threading.Event()
        thread = threading.Thread(target=lambda: asyncio.run(self._ask_steadily(bodies, states, over)))
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    async def _ask_steadily(self, bodies: Sequence[Any], states: Counter[str], over: threading.Event) -> None:
        async with httpx.AsyncClient(
            base_url=self.gateway.address, headers=self._as(user=CLERK), trust_env=False, timeout=30
        ) as clerk:

            async def ask(body: Any) -> None:
                answer = await clerk.post("/v1/lookups", json=body)
                agencies = answer.json().get("agencies", ())
                states.update(f"{agency['state']}" for agency in agencies if agency["agency"] == HANGS)

            asking = set()
            for body in [*bodies] * 100:
                if over.is_set():
                    break
                asking.add(asyncio.create_task(ask(body)))
                await asyncio.sleep(1 / self.options.persons_per_s)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(30):
                    await asyncio.gather(*asking)

    def _as(self, **who: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.agencies.token(**who)}"}


def _organizations() -> list[SyntheticOrganization]:
    population = Population()
    organizations: list[SyntheticOrganization] = []
    index = FIRST
    while len(organizations) < ORGANIZATIONS:
        organization = population.organization(index)
        if organization.registered and organization.uscc:
            organizations.append(organization)
        index += 1
    return organizations


def _statements(organizations: Sequence[SyntheticOrganization]) -> dict[str, dict[str, Any]]:
    return {
        _name(start): {
            "version": 1,
            "status": "dispatched",
            "kind": "service-of-process",
            "court": COURT,
            "case_number": f"（2026）{COURT}民初{9000 + start // PARTIES_OF_ONE}号",
            "holder": {"user": CLERK, **OFFICIAL},
            "parties": [
                {"role": "defendant", **_subject(organization), "name": organization.name}
                for organization in organizations[start : start + PARTIES_OF_ONE]
            ],
        }
        for start in range(0, len(organizations), PARTIES_OF_ONE)
    }


def _question(place: int, organization: SyntheticOrganization) -> dict[str, Any]:
    # Asked and not served from what was received: every one goes to its agency.
    return {"work_order": _name(place), "subject": _subject(organization), "want": WANT, "max_age": 0}


def _subject(organization: SyntheticOrganization) -> dict[str, str]:
    return {"kind": "organization", "id_type": "uscc", "id_number": str(organization.uscc)}


def _name(place: int) -> str:
    return f"O-{place // PARTIES_OF_ONE:05d}"


if __name__ == "__main__":
    main()

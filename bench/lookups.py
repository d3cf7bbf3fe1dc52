"""
Benchmark of lookups a second beside a hand-written gateway (`make bench PART=lookups`).

Side by side on the same mock agencies, one process each, 32 clients, in turns:
  (a) the hub: sign-on, work order, two durable audit records, in PostgreSQL;
  (b) `bench/handwritten.py`: a hand-written gateway without any of that;
  (c) the same as (b) on the hub's transport port: the ceiling.
Prints a table and where the hub's processor time goes, and writes `bench/results.json`.
"""

import argparse
import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from signal import SIGUSR1
from typing import Any, Final

import httpx
from rich.console import Console
from rich.table import Table

from bench import processes
from bench.dataset import CLERK, TICKETS, parties, questions, work_orders
from bench.processes import AgencyServers, Gateway
from mock_agencies.population import SyntheticPerson

RESULTS: Final = Path(__file__).parent / "results.json"
FIGURES: Final = ("lookups_per_s", "p50_ms", "p99_ms")
NAMES: Final = {
    "hub": "(a) the hub: access, audit, sealing",
    "handwritten": "(b) hand-written, httpx and zeep",
    "handwritten_on_port": "(c) hand-written on the hub's port",
}
WANTED: Final = {"handwritten": 3.0, "handwritten_on_port": 0.6}
"""The goals: lookups a second as multiples of (b) and (c)."""

show = Console(highlight=False, soft_wrap=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadRunner:
    """Loads one gateway after the other with the same people."""

    agencies: AgencyServers
    people: Sequence[SyntheticPerson]
    clients: int
    seconds: float
    warm_up: float
    versions: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def load(self, gateway: Gateway, *, as_hub: bool) -> dict[str, Any]:
        """One run of the load program; its figures.  Raises `RuntimeError` if an answer was wrong."""
        figures = self.figures(gateway, as_hub=as_hub)
        if figures["failures"]:
            raise RuntimeError(f"answers were not whole: {figures['failures']}")
        return figures

    def figures(self, gateway: Gateway, *, as_hub: bool) -> dict[str, Any]:
        """The figures without a check; `failures` counts wrong answers."""
        headers = {"Authorization": f"Bearer {self.agencies.token(user=CLERK)}"} if as_hub else {}
        job = {"headers": headers, "questions": questions(self.people, under_work_orders=as_hub)}
        command = [sys.executable, "-m", "bench.load", "--address", gateway.address]
        numbers = {"--clients": self.clients, "--seconds": self.seconds, "--warm-up": self.warm_up}
        command += [str(part) for option in numbers.items() for part in option]
        ran = subprocess.run(command, input=json.dumps(job), check=True, stdout=subprocess.PIPE, text=True)
        figures: dict[str, Any] = json.loads(ran.stdout)
        return figures

    def state_work_orders(self, gateway: Gateway) -> None:
        """States the work orders anew, as the ticket system does: every party has all its questions again."""
        version = next(self.versions)
        headers = {"Authorization": f"Bearer {self.agencies.token(client=TICKETS)}"}
        with httpx.Client(base_url=gateway.address, headers=headers, trust_env=False, timeout=30) as tickets:
            for name, statement in work_orders(self.people).items():
                stated = statement | {"version": version, "status": "reopened"}
                tickets.put(f"/v1/work-orders/{name}", json=stated).raise_for_status()

    def answer(self, gateway: Gateway, position: int, *, as_hub: bool) -> dict[str, Any]:
        """One answer, read."""
        headers = {"Authorization": f"Bearer {self.agencies.token(user=CLERK)}"} if as_hub else {}
        body = questions(self.people, under_work_orders=as_hub)[position]["body"]
        answer = httpx.post(f"{gateway.address}/v1/lookups", json=body, headers=headers, trust_env=False, timeout=30)
        result: dict[str, Any] = answer.raise_for_status().json()
        return result


def main() -> None:
    """Runs the benchmark; exits with 1 if the hub is slower than it is meant to be."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=5.0, help="measured time of one run")
    parser.add_argument("--warm-up", type=float, default=2.0, help="seconds before it, not measured")
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--work-orders", type=int, default=400)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="shuniu-bench-") as temporary:
        folder = Path(temporary)
        with ExitStack() as stack:
            agencies = stack.enter_context(processes.serve_agencies(folder))
            runner = LoadRunner(
                agencies=agencies,
                people=parties(options.work_orders),
                clients=options.clients,
                seconds=options.seconds,
                warm_up=options.warm_up,
            )
            runs = measure(runner, folder, options.rounds)
            rooms = sample(runner, folder)
    results = summarize(runs) | {"cpu_us_per_lookup": rooms, "setting": vars(options) | {"cores": os.cpu_count()}}
    RESULTS.write_text(json.dumps(results, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    print_results(results)
    sys.exit(any(results["ratios"][f"hub/{name}"] < least for name, least in WANTED.items()))


def measure(runner: LoadRunner, folder: Path, rounds: int) -> dict[str, list[dict[str, Any]]]:
    """The figures of every run, by gateway; the gateways take turns, so that a slow minute hits all alike."""
    with ExitStack() as stack:
        gateways = {
            "hub": stack.enter_context(processes.hub(runner.agencies, folder)),
            "handwritten": stack.enter_context(processes.handwritten(runner.agencies, "httpx")),
            "handwritten_on_port": stack.enter_context(processes.handwritten(runner.agencies, "port")),
        }
        runner.state_work_orders(gateways["hub"])
        require_like_answers(runner, gateways)
        runs: dict[str, list[dict[str, Any]]] = {name: [] for name in gateways}
        for number in range(rounds):
            for name, gateway in gateways.items():
                if name == "hub":
                    runner.state_work_orders(gateway)
                # All three share an account, and each renewal ends the others' secret: one question, and not the
                # first twenty at once, finds that out.
                runner.answer(gateway, 0, as_hub=name == "hub")
                figures = runner.load(gateway, as_hub=name == "hub")
                runs[name].append(figures)
                show.print(
                    f"round {number + 1} of {rounds}  {NAMES[name]:38} {figures['lookups_per_s']:8.1f} lookups/s"
                )
    return runs


def sample(runner: LoadRunner, folder: Path) -> dict[str, float]:
    """Microseconds of the hub's processor time per lookup, by room."""
    with processes.sampled_hub(runner.agencies, folder) as gateway:
        runner.state_work_orders(gateway)
        runner.answer(gateway, 0, as_hub=True)
        runner.load(gateway, as_hub=True)
        runner.state_work_orders(gateway)
        gateway.process.send_signal(SIGUSR1)
        figures = runner.load(gateway, as_hub=True)
        seconds = processes.stop_sampling(gateway)
    per_lookup = {room: round(spent / figures["in_all"] * 1e6, 1) for room, spent in seconds.items()}
    return dict(sorted(per_lookup.items(), key=lambda item: -item[1]))


def require_like_answers(runner: LoadRunner, gateways: Mapping[str, Gateway]) -> None:
    """Raises `RuntimeError` unless all gateways give the same answer about a person."""
    for position in (0, 1, 2):
        contents = {
            name: _content(runner.answer(gateway, position, as_hub=name == "hub")) for name, gateway in gateways.items()
        }
        if len({json.dumps(content, sort_keys=True) for content in contents.values()}) > 1:
            raise RuntimeError(f"the gateways do not answer alike about the person at {position}")


def _content(answer: dict[str, Any]) -> dict[str, Any]:
    identity = {name: field["value"] for name, field in answer["identity"].items() if isinstance(field, dict)}
    return {
        "identity": identity,
        "addresses": sorted([address["kind"], address["text"]["value"]] for address in answer["addresses"]),
        "registrations": sorted(registration["kind"] for registration in answer["registrations"]),
        "agencies": sorted([reply["agency"], reply["capability"], reply["state"]] for reply in answer["answers"]),
    }


def summarize(runs: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[str, Any]:
    """The median of every figure over the rounds, and the ratios of the medians."""
    medians = {
        name: {figure: round(statistics.median(run[figure] for run in each), 2) for figure in FIGURES}
        for name, each in runs.items()
    }
    ours = medians["hub"]["lookups_per_s"]
    ratios = {f"hub/{name}": round(ours / medians[name]["lookups_per_s"], 2) for name in WANTED}
    return {**medians, "ratios": ratios}


def print_results(results: Mapping[str, Any]) -> None:
    """Prints the tables."""
    figures = Table("gateway", "lookups/s", "p50 ms", "p99 ms", box=None, header_style="dim")
    for name, title in NAMES.items():
        figures.add_row(title, *(f"{results[name][figure]:.1f}" for figure in FIGURES))
    show.print(figures)
    for name, least in WANTED.items():
        ratio = results["ratios"][f"hub/{name}"]
        verdict = "reached" if ratio >= least else "[bold red]missed[/bold red]"
        show.print(f"{NAMES[name]}: the hub does {ratio:.2f} times as many (at least {least}: {verdict})")
    rooms = results["cpu_us_per_lookup"]
    total = sum(rooms.values()) or 1.0
    spent = Table("where the hub's processor time goes", "µs a lookup", "share", box=None, header_style="dim")
    for room, microseconds in rooms.items():
        spent.add_row(room, f"{microseconds:.0f}", f"{microseconds / total:.0%}")
    spent.add_row("all", f"{total:.0f}", "")
    show.print(spent)
    show.print(f"Written to {RESULTS.relative_to(Path.cwd()) if RESULTS.is_relative_to(Path.cwd()) else RESULTS}")


if __name__ == "__main__":
    main()

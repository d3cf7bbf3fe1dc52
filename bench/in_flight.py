"""
Benchmark of 2,000 lookups in flight against agencies that take a second (`make bench PART=in_flight`).

Every client has one connection and asks again as soon as it is answered, so that so many lookups are always under way.
The bulkheads are set wide: of each agency so many questions may be out as the hub of a machine with two cores can ask
in a second, and more.  Wider than that, nothing comes sooner, and each question that is out takes memory.  The clients
are a process of their own.  Prints what became of the lookups, the hub's memory at its highest and how late its event
loop was; exits with 1 if an answer was not whole or the memory was above the limit.
"""

import argparse
import itertools
import json
import re
import resource
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import httpx
from rich.console import Console

from bench import processes
from bench.dataset import parties
from bench.lookups import LoadRunner
from bench.processes import AgencyServers, Gateway

RESULTS: Final = Path(__file__).parent / "results.in_flight.json"
LIMIT_MB: Final = 300
# Every lookup of a person is four questions to three agencies, each with a connection of its own at both ends.
DESCRIPTORS: Final = 5
POLICY: Final = """connections = {wide}
in_flight = {wide}
queue = 10000
longest_wait = 30.0"""

show = Console(highlight=False, soft_wrap=True)


def main() -> None:
    """Runs it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clients", type=int, default=2_000)
    parser.add_argument("--seconds", type=float, default=10.0, help="how long clients go on asking")
    parser.add_argument("--agencies-take", type=float, default=1.0, help="seconds of every answer of an agency")
    parser.add_argument("--bulkheads", type=int, default=250, help="questions that may be out at once, of each agency")
    parser.add_argument("--deadline", type=float, default=30.0, help="seconds of one lookup")
    options = parser.parse_args()
    _allow_descriptors(options.clients)
    with tempfile.TemporaryDirectory(prefix="shuniu-bench-") as temporary, ExitStack() as stack:
        folder = Path(temporary)
        agencies = stack.enter_context(processes.serve_agencies(folder))
        policy = POLICY.format(wide=options.bulkheads)
        wide = {"in_flight": 2 * options.clients, "deadline": options.deadline}
        gateway = stack.enter_context(processes.hub(agencies, folder, policy=policy, **wide))
        results = measure(agencies, gateway, options) | {"setting": vars(options)}
    RESULTS.write_text(json.dumps(results, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    print_results(results)
    sys.exit(bool(results["failures"]) or results["peak_rss_mb"] > LIMIT_MB)


def measure(agencies: AgencyServers, gateway: Gateway, options: argparse.Namespace) -> dict[str, Any]:
    """One run; memory before and at its highest, in MB."""
    runner = LoadRunner(
        agencies=agencies,
        people=parties(options.clients // 4),
        clients=options.clients,
        seconds=options.seconds,
        warm_up=0.0,
        versions=itertools.count(1),
    )
    runner.state_work_orders(gateway)
    for agency in agencies.addresses.values():
        fault = {"fault": "latency", "options": {"seconds": options.agencies_take}}
        httpx.post(f"{agency}/_control/faults", json=fault, trust_env=False).raise_for_status()
    before = _memory(gateway, "VmRSS")
    figures = runner.figures(gateway, as_hub=True)
    return figures | {
        "rss_before_mb": before,
        "peak_rss_mb": _memory(gateway, "VmHWM"),
        "loop_lag": _loop_lag(gateway),
    }


def print_results(results: dict[str, Any]) -> None:
    """Prints the figures."""
    setting, lag = results["setting"], results["loop_lag"]
    show.print(
        f"{setting['clients']} lookups in flight, agencies take {setting['agencies_take']} s: "
        f"{results['in_all']} lookups, {results['failures'] or 'all answered whole'}"
    )
    show.print(
        f"{results['lookups_per_s']:.0f} a second, p50 {results['p50_ms']:.0f} ms, p99 {results['p99_ms']:.0f} ms; "
        f"event loop late by at most {lag['0.5']} s (half of the time), {lag['0.99']} s (99 %)"
    )
    verdict = "reached" if results["peak_rss_mb"] <= LIMIT_MB else "[bold red]missed[/bold red]"
    show.print(
        f"the hub's memory: {results['rss_before_mb']} MB before, {results['peak_rss_mb']} MB at its highest "
        f"(at most {LIMIT_MB} MB: {verdict})"
    )


def _memory(gateway: Gateway, name: str) -> int:
    """A figure of the hub's process, in MB; VmHWM is the highest that VmRSS ever was.  Linux only."""
    status = Path(f"/proc/{gateway.process.pid}/status").read_text(encoding="ascii")
    match = re.search(rf"(?m)^{name}:\s+(\d+) kB$", status)
    assert match is not None
    return round(int(match[1]) / 1024)


def _loop_lag(gateway: Gateway) -> dict[str, str]:
    """Upper bounds (seconds) of the loop's lag in half and in 99 of 100 cases, from the hub's own histogram."""
    metrics = httpx.get(f"{gateway.address}/metrics", trust_env=False, timeout=30).raise_for_status().text
    buckets = re.findall(r'shuniu_event_loop_lag_seconds_bucket\{le="([^"]+)"\} ([0-9.e+]+)', metrics)
    whole = float(buckets[-1][1])
    return {
        str(share): next(bound for bound, count in buckets if float(count) >= share * whole) for share in (0.5, 0.99)
    }


def _allow_descriptors(clients: int) -> None:
    # Inherited by every process of this run.
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = DESCRIPTORS * clients + 500
    if hard != resource.RLIM_INFINITY and hard < wanted:
        raise SystemExit(f"{wanted} open files are needed and {hard} are allowed; see: ulimit -Hn")
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


if __name__ == "__main__":
    main()

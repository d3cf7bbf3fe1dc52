"""
Fuzzing campaigns over all readers, some at a time: `python -m fuzz.run_all --seconds 600 --lanes 2`.

Prints a line of figures for each and ends with 1 if any crashed, hung or outgrew its memory; its input is kept in
`var/fuzz/TARGET/`.
"""

import argparse
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from fuzz.harness import ROOT, TARGETS

FOLDER: Final = ROOT / "var/fuzz"
STATES: Final = ("found", "not_found", "ambiguous", "unavailable", "refused", "not_asked")
# Prefixes of the fuzzer's files for inputs that stopped it.
ENDS: Final = ("crash", "timeout", "oom", "leak")


def campaign(target: str, seconds: int) -> dict[str, Any]:
    """Runs one campaign in a process of its own; its figures, with the number of inputs that stopped it."""
    folder = FOLDER / target
    folder.mkdir(parents=True, exist_ok=True)
    for old in (file for end in ENDS for file in folder.glob(f"{end}-*")):
        old.unlink()
    command = [sys.executable, "-m", "fuzz.run_one", target, "--seconds", str(seconds), "--folder", str(folder)]
    with (folder / "log").open("wb") as log:
        ended = subprocess.run(command, cwd=ROOT, stdout=log, stderr=log, check=False, preexec_fn=lambda: os.nice(19))
    report: dict[str, Any] = json.loads((folder / "report.json").read_text("utf-8"))
    stopped = sum(1 for end in ENDS for _ in folder.glob(f"{end}-*"))
    return report | {"stopped": max(stopped, 1 if ended.returncode else 0)}


def line(report: dict[str, Any]) -> str:
    """One target's figures."""
    states = " ".join(f"{report['states'].get(state, 0):>11,}" for state in STATES)
    slowest = f"{report['slowest_ms']:.0f} ms"
    return (
        f"{report['target']:15} {report['executions']:>11,} {report['stopped']:>7} {slowest:>9} "
        f"{report['peak_mb']:>5} MB {states}"
    )


def main() -> int:
    """Every target."""
    parser = argparse.ArgumentParser(prog="python -m fuzz.run_all", description=__doc__)
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--lanes", type=int, default=2)
    parser.add_argument("targets", nargs="*", default=list(TARGETS))
    options = parser.parse_args()
    states = " ".join(f"{state:>11}" for state in STATES)
    print(f"{'target':15} {'executions':>11} {'crashes':>7} {'slowest':>9} {'peak':>8} {states}", flush=True)
    failed = False
    with ThreadPoolExecutor(options.lanes) as lanes:
        for report in lanes.map(lambda target: campaign(target, options.seconds), options.targets):
            print(line(report), flush=True)
            failed |= bool(report["stopped"])
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

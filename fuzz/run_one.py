"""
Coverage-guided fuzzing of one reader: `python -m fuzz.run_one TARGET --seconds 600`.

atheris follows the branches of our readers; half of its inputs are true answers changed by `fuzz.mutations`, the others
its own.  An exception that is none of the six states, or an answer over the limits, stops the run and leaves its input.
Prints executions by state, the slowest input and the peak of memory.
"""

import argparse
import asyncio
import hashlib
import json
import resource
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any, Final

import atheris

with atheris.instrument_imports(include=["adapters", "schemas", "gateway.lookup"], enable_loader_override=False):
    from fuzz.harness import CORPUS, TARGETS, FuzzHarness, HttpAnswer
    from fuzz.mutations import mutate

LARGEST: Final = 65_536
MEGABYTES: Final = 1024
SECONDS_EACH: Final = 5


class Campaign:
    """
    One fuzzing run over one target.
    """

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self.finds = folder / "finds"
        self.finds.mkdir(parents=True, exist_ok=True)
        self.states: Counter[str] = Counter()
        self.outcomes: Counter[str] = Counter()
        self.slowest = (0.0, b"")
        self.began = time.monotonic()
        self._loop = asyncio.new_event_loop()
        self._stage = FuzzHarness(TARGETS[name], folder)
        self._seeds = tuple(self._loop.run_until_complete(self._stage.seeds()).values())

    def write_seeds(self, folder: Path) -> None:
        """Writes the mock agency's answers and the kept inputs of earlier runs as seeds."""
        folder.mkdir(parents=True, exist_ok=True)
        written = [answer.to_file() for answer in self._seeds]
        written += [file.read_bytes() for file in sorted((CORPUS / self.name).glob("*"))]
        for content in written:
            (folder / _digest(content)).write_bytes(content)

    def play(self, written: bytes) -> None:
        """Plays one input.  Any exception is a crash."""
        # Of the processor, not of the clock: others may use the machine.
        started = time.process_time()
        answer = self._loop.run_until_complete(self._stage.ask(HttpAnswer.from_file(written)))
        took = time.process_time() - started
        self.states[answer.state] += 1
        outcome = f"{answer.state}/{answer.reason or '-'}"
        self.outcomes[outcome] += 1
        if self.outcomes[outcome] == 1:
            (self.finds / outcome.replace("/", "-")).write_bytes(written)
        if took > self.slowest[0]:
            self.slowest = (took, written)

    def mutate(self, data: bytes, most: int, seed: int) -> bytes:
        """The next input; every second one is a mutated true answer."""
        random = Random(seed)
        if seed % 2:
            return bytes(atheris.Mutate(data, most))
        answer = (
            HttpAnswer.from_file(data) if random.random() < 0.5 else random.choice(self._seeds[:1] * 4 + self._seeds)
        )
        return mutate(answer, random).to_file()[:most]

    def report(self) -> dict[str, Any]:
        """The figures of the run."""
        took, written = self.slowest
        (self.finds / "slowest").write_bytes(written)
        return {
            "target": self.name,
            "executions": sum(self.states.values()),
            "seconds": round(time.monotonic() - self.began),
            "states": dict(sorted(self.states.items())),
            "reasons": dict(sorted(self.outcomes.items())),
            "slowest_ms": round(took * 1000, 1),
            "slowest_bytes": len(written),
            "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        }


def main() -> None:
    """Runs one campaign; the fuzzer ends the process."""
    parser = argparse.ArgumentParser(prog="python -m fuzz.run_one", description=__doc__)
    parser.add_argument("target", choices=TARGETS)
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--folder", type=Path, help="where inputs and crashes are kept; a temporary folder if left out")
    options = parser.parse_args()
    folder = options.folder or Path(tempfile.mkdtemp(prefix="fuzz-"))
    folder.mkdir(parents=True, exist_ok=True)
    campaign = Campaign(options.target, folder)
    campaign.write_seeds(folder / "inputs")
    last = {"at": time.monotonic()}

    def play(data: bytes) -> None:
        campaign.play(data)
        # The fuzzer ends the process without a word to us: so the figures are written as they grow.
        if time.monotonic() - last["at"] > 1:
            last["at"] = time.monotonic()
            (folder / "report.json").write_text(json.dumps(campaign.report(), indent=1), "utf-8")

    settings = [
        sys.argv[0],
        str(folder / "inputs"),
        f"-max_total_time={options.seconds}",
        f"-max_len={LARGEST}",
        f"-rss_limit_mb={MEGABYTES}",
        f"-timeout={SECONDS_EACH}",
        f"-artifact_prefix={folder}/",
        "-print_final_stats=1",
        "-verbosity=0",
    ]
    atheris.Setup(settings, play, custom_mutator=campaign.mutate)
    atheris.Fuzz()


def _digest(written: bytes) -> str:
    return hashlib.sha256(written).hexdigest()[:16]


if __name__ == "__main__":
    main()

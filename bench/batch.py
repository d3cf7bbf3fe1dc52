"""
Benchmark of a batch of 10,000 lines, every tenth of them bad: answers, accepted requests, and memory.

    python -m bench.batch [--lines 10000]

Ends with 1 if a good line was not accepted, a bad one was, a line was answered twice or not at all, or the hub's memory
grew with the number of lines.
"""

import argparse
import itertools
import json
import sys
import tempfile
from collections import Counter
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Final

import httpx
from rich.console import Console

from bench.autofill import PARTIES, ServedHub, court, statement
from bench.dataset import TICKETS, parties
from bench.processes import AgencyServers

ORDERS: Final = 200
# Allowed growth of a hub between the first thousand lines and ten thousand (MiB).
FLAT: Final = 30.0

GOOD: Final = "accepted"


BAD: Final = (
    b'{"work_order": ',
    b'{"work_order": "B-000001", "colour": "red"}',
    b'{"work_order": "B-000001", "parties": []}',
    b"[1, 2]",
    b'{"work_order": "B-999999"}',
    b'{"work_order": "B-000001", "template": "no-such-form"}',
)
"""Bad lines, in turns.  Each is answered as invalid, with the rule that it breaks."""


def lines(count: int) -> tuple[list[str], list[bytes]]:
    """`count` lines, and the expected answer to each."""
    bad = itertools.cycle(BAD)
    expected, written = [], []
    for number in range(count):
        if number % 10 == 9:
            line = next(bad)
            expected.append("invalid-input")
        else:
            line = json.dumps({"work_order": f"B-{number % ORDERS:06d}", "key": f"line-{number:06d}"}).encode()
            expected.append(GOOD)
        written.append(line + b"\n")
    return expected, written


def send(client: httpx.Client, body: list[bytes], pid: int) -> tuple[list[dict[str, Any]], list[float]]:
    """Sends a batch line by line; its answers, and the hub's memory (MiB) after each thousandth."""
    answers, memory = [], []
    headers = {"Content-Type": "application/x-ndjson"}
    with client.stream("POST", "/v1/autofill/batches", content=iter(body), headers=headers) as response:
        response.raise_for_status()
        for line in response.iter_lines():
            answers.append(json.loads(line))
            if len(answers) % 1000 == 0:
                memory.append(_resident(pid))
    return answers, memory


def _court(folder: str) -> AbstractContextManager[tuple[AgencyServers, ServedHub]]:
    path = Path(folder)
    path.chmod(0o755)
    # No worker fills the forms meanwhile: only the intake is measured.
    return court(path, 1, workers=0)


def _resident(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("the hub has gone")


def outcome(answer: dict[str, Any]) -> str:
    """The kind of answer to a line."""
    problem = answer.get("problem")
    return GOOD if problem is None else str(problem["type"]).rpartition(":")[2]


def main() -> None:
    """Runs it and prints the counts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=10_000)
    options = parser.parse_args()
    show = Console(highlight=False, soft_wrap=True)
    people = parties(ORDERS * PARTIES // 5 + 1)
    with tempfile.TemporaryDirectory() as folder, _court(folder) as (agencies, hub):
        headers = {"Authorization": f"Bearer {agencies.token(client=TICKETS)}"}
        with httpx.Client(base_url=hub.address, headers=headers, timeout=300, trust_env=False) as client:
            for number in range(ORDERS):
                body = statement(people[number * PARTIES : (number + 1) * PARTIES])
                client.put(f"/v1/work-orders/B-{number:06d}", json=body).raise_for_status()
            expected, written = lines(options.lines)
            answers, memory = send(client, written, hub.pid)
            again, _ = send(client, written[:1000], hub.pid)
            backlog = client.get("/v1/autofill").raise_for_status().json()
    waiting = backlog["ready"] + backlog["delayed"] + backlog["under_way"]
    got = [outcome(answer) for answer in answers]
    good = expected.count(GOOD)
    faults = {
        "lines not answered in their order": [answer["line"] for answer in answers]
        != list(range(1, options.lines + 1)),
        "lines answered otherwise than they should be": got != expected,
        "requests other than those accepted": waiting != good,
        "a line sent again made another request": [answer.get("id") for answer in again]
        != [answer.get("id") for answer in answers[:1000]],
        "memory grew with the lines": max(memory) - memory[0] > FLAT,
    }
    show.print(f"{len(answers)} answers: {dict(Counter(got))}; {waiting} requests wait, {good} lines were good")
    show.print(f"memory of the hub after each thousand lines (MiB): {[round(size) for size in memory]}")
    odd = Counter((want, have) for want, have in zip(expected, got, strict=False) if want != have)
    if odd:
        show.print(f"expected and answered: {dict(odd)}")
    broken = [what for what, holds in faults.items() if holds]
    show.print("every line as it should be" if not broken else f"WRONG: {'; '.join(broken)}")
    sys.exit(bool(broken))


if __name__ == "__main__":
    main()

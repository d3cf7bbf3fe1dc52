"""
A closed-loop load generator: each client sends a request, waits for the whole answer, checks it, and repeats.

A process of its own, and as cheap as can be, for it shares the machine with what it measures: request bytes are made
beforehand, answers are searched and not parsed.  Questions come as JSON on stdin, the figures go as JSON to stdout.
"""

import argparse
import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

import uvloop

PATH: Final = "/v1/lookups"
END_OF_HEAD: Final = b"\r\n\r\n"


@dataclass(frozen=True, slots=True)
class PreparedRequest:
    """One request as bytes, and the bytes that a right answer to it contains."""

    request: bytes
    expected: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """
    What was measured: lookups in the measured time, percentiles of their latency, and what was wrong.

    `in_all` counts the warm-up as well; `failures` is empty when every answer was whole and right.
    """

    lookups: int
    in_all: int
    lookups_per_s: float
    p50_ms: float
    p99_ms: float
    failures: dict[str, int]


@dataclass(slots=True)
class Measurement:
    """The latencies and failures of all clients."""

    measured_from: float
    until: float
    latencies: list[float] = field(default_factory=list)
    failures: Counter[str] = field(default_factory=Counter)
    in_all: int = 0

    def note(self, began: float, ended: float, failure: str | None) -> None:
        """One answer."""
        self.in_all += 1
        if failure is not None:
            self.failures[failure] += 1
        if began >= self.measured_from and ended <= self.until:
            self.latencies.append(ended - began)

    def figures(self) -> Figures:
        """The summary."""
        ordered = sorted(self.latencies)
        return Figures(
            lookups=len(ordered),
            in_all=self.in_all,
            lookups_per_s=round(len(ordered) / (self.until - self.measured_from), 1),
            p50_ms=_percentile(ordered, 0.50),
            p99_ms=_percentile(ordered, 0.99),
            failures=dict(self.failures),
        )


class ClientConnection(asyncio.Protocol):
    """One connection that asks one question after the other until time is up."""

    def __init__(self, prepared: Sequence[PreparedRequest], start: int, ledger: Measurement) -> None:
        self._prepared = prepared
        self._next = start
        self._ledger = ledger
        self._answer = bytearray()
        self._whole = 0
        self._began = 0.0
        self._finished = False
        self._transport: Any = None
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def itself(self) -> "ClientConnection":
        """The protocol of its one connection."""
        return self

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Asks the first question."""
        self._transport = transport
        self._ask()

    def data_received(self, data: bytes) -> None:
        """Collects an answer; a whole one is noted and followed by the next question."""
        self._answer += data
        if not self._whole:
            self._whole = _length(self._answer)
        if not self._whole or len(self._answer) < self._whole:
            return
        ended = time.perf_counter()
        self._ledger.note(self._began, ended, _failure(self._answer, self._current.expected))
        if ended < self._ledger.until:
            self._ask()
        else:
            self._finished = True
            self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """Ends this client; in the middle of an answer that is a failure."""
        if not self._finished:
            self._ledger.failures["connection lost"] += 1
        if not self.done.done():
            self.done.set_result(None)

    def _ask(self) -> None:
        self._current = self._prepared[self._next % len(self._prepared)]
        self._next += 1
        self._answer.clear()
        self._whole = 0
        self._began = time.perf_counter()
        self._transport.write(self._current.request)


async def run(
    address: str, prepared: Sequence[PreparedRequest], *, clients: int, warm_up: float, seconds: float
) -> Figures:
    """Loads the address with so many clients; times in seconds."""
    parts = urlsplit(address)
    began = time.perf_counter()
    ledger = Measurement(measured_from=began + warm_up, until=began + warm_up + seconds)
    loop = asyncio.get_running_loop()
    apart = len(prepared) // clients or 1
    asking = [ClientConnection(prepared, number * apart, ledger) for number in range(clients)]
    for client in asking:
        await loop.create_connection(client.itself, parts.hostname or "", parts.port or 80)
    await asyncio.gather(*(client.done for client in asking))
    return ledger.figures()


def prepare(address: str, headers: dict[str, str], questions: Sequence[dict[str, Any]]) -> list[PreparedRequest]:
    """Request bytes of questions `{"body": …, "expected": …}`."""
    common = {"Host": urlsplit(address).netloc, "Content-Type": "application/json", **headers}
    head = "".join(f"{name}: {value}\r\n" for name, value in common.items())
    prepared = []
    for question in questions:
        body = json.dumps(question["body"], ensure_ascii=False).encode()
        start = f"POST {PATH} HTTP/1.1\r\n{head}Content-Length: {len(body)}\r\n\r\n".encode("ascii")
        prepared.append(PreparedRequest(start + body, question["expected"].encode()))
    return prepared


def _length(answer: bytearray) -> int:
    """The length of the whole answer, head included; 0 while its head is incomplete."""
    end = answer.find(END_OF_HEAD)
    if end < 0:
        return 0
    head = bytes(answer[:end]).lower()
    _, header, rest = head.partition(b"\r\ncontent-length:")
    if not header:
        raise ValueError("an answer without length cannot be read by this client")
    return end + len(END_OF_HEAD) + int(rest.partition(b"\r\n")[0])


def _failure(answer: bytearray, expected: bytes) -> str | None:
    status = bytes(answer[9:12])
    if status != b"200":
        return f"status {status.decode('ascii', 'replace')}"
    if expected not in answer:
        return "answer without the person"
    if b'"state":"unavailable"' in answer:
        return "an agency unavailable"
    return None


def _percentile(ordered: Sequence[float], share: float) -> float:
    return round(ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1000, 2) if ordered else 0.0


def main() -> None:
    """Reads `{"headers": …, "questions": […]}` from stdin and prints the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--address", required=True)
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--warm-up", type=float, default=2.0)
    parser.add_argument("--seconds", type=float, default=5.0)
    options = parser.parse_args()
    job = json.load(sys.stdin)
    prepared = prepare(options.address, job["headers"], job["questions"])
    figures = uvloop.run(
        run(options.address, prepared, clients=options.clients, warm_up=options.warm_up, seconds=options.seconds)
    )
    json.dump(asdict(figures), sys.stdout)


if __name__ == "__main__":
    main()

"""
Reconciliation of the ledger with the hub: lost, doubled, changed or late callbacks.
"""

import asyncio
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from mock_agencies.ticket_system import ledger
from mock_agencies.ticket_system.ledger import LedgerEntry
from shuniu_client import AsyncClient, NotFound

ENDS: Final = frozenset({"delivered", "cancelled", "dead_lettered"})
AT_ONCE: Final = 16


@dataclass(slots=True)
class ReceivedCallback:
    """The ledger's entries about one request."""

    work_order: str
    digests: set[str] = field(default_factory=set)
    times: list[float] = field(default_factory=list)


@dataclass(slots=True)
class LedgerSummary:
    """A summary of the ledger; requests by their ids."""

    requests: dict[str, ReceivedCallback] = field(default_factory=dict)
    accepted: Counter[str] = field(default_factory=Counter)
    closed: dict[str, float] = field(default_factory=dict)
    ids: dict[str, set[str]] = field(default_factory=dict)
    unrequested: list[str] = field(default_factory=list)
    rejected: int = 0
    received: int = 0

    @classmethod
    def from_entries(cls, entries: Iterable[LedgerEntry]) -> "LedgerSummary":
        """Reads a ledger."""
        summary = cls()
        subjects: dict[str, str] = {}
        callbacks: list[LedgerEntry] = []
        for entry in entries:
            match entry["what"]:
                case ledger.ACCEPTED:
                    summary.accepted[entry["work_order"]] += 1
                    summary.requests[entry["autofill"]] = ReceivedCallback(entry["work_order"])
                case ledger.CLOSED:
                    summary.closed[entry["work_order"]] = entry["at"]
                case ledger.RECEIVED:
                    callbacks.append(entry)
                    if "subject" in entry:
                        subjects[entry["id"]] = entry["subject"]
                case ledger.REJECTED:
                    summary.rejected += 1
        for entry in callbacks:
            summary.received += 1
            summary.ids.setdefault(entry["id"], set()).add(entry["digest"])
            request = summary.requests.get(subjects.get(entry["id"], ""))
            if request is None:
                summary.unrequested.append(entry["id"])
            else:
                request.digests.add(entry["digest"])
                request.times.append(entry["at"])
        return summary


@dataclass(slots=True)
class Reconciliation:
    """The counts of a comparison, and the faults in it."""

    accepted: int
    states: Counter[str] = field(default_factory=Counter)
    received: int = 0
    repeated: int = 0
    closed: int = 0
    received_then_cancelled: int = 0
    rejected: int = 0
    faults: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        ends = ", ".join(f"{self.states[end]} {end}" for end in sorted(ENDS))
        return (
            f"{self.accepted} accepted: {ends}; {self.received} callbacks received, {self.repeated} of them again, "
            f"{self.closed} work orders closed halfway, {self.received_then_cancelled} taken by the receiver and ended "
            f"otherwise at the hub, {self.rejected} rejected, {len(self.faults)} faults"
        )


async def reconcile(
    client: AsyncClient, entries: Iterable[LedgerEntry], *, allow_unknown: bool = False
) -> Reconciliation:
    """
    Compares a ledger with the hub.  With `allow_unknown`, callbacks about requests of no ledger are no fault.
    """
    summary = LedgerSummary.from_entries(entries)
    verdict = Reconciliation(accepted=len(summary.requests), received=summary.received, closed=len(summary.closed))
    verdict.rejected = summary.rejected
    room = asyncio.Semaphore(AT_ONCE)

    async def check_request(name: str, received: ReceivedCallback) -> None:
        async with room:
            try:
                state = (await client.get_autofill(name)).state
            except NotFound:
                state = "lost"
        verdict.states[state] += 1
        verdict.repeated += max(0, len(received.times) - 1)
        verdict.faults += list(_faults(name, received, state, summary))
        verdict.received_then_cancelled += bool(received.times) and state != "delivered"

    await asyncio.gather(*(check_request(name, received) for name, received in summary.requests.items()))
    verdict.faults += [
        f"{count} requests of {name} for one key" for name, count in summary.accepted.items() if count > 1
    ]
    verdict.faults += [f"{name} has two contents" for name, digests in summary.ids.items() if len(digests) > 1]
    if not allow_unknown:
        verdict.faults += [f"{name} is about no request of the ledger" for name in summary.unrequested]
    return verdict


def _faults(name: str, received: ReceivedCallback, state: str, summary: LedgerSummary) -> Iterable[str]:
    if state not in ENDS:
        yield f"{name} has not ended: {state}"
    if state == "delivered" and not received.times:
        yield f"{name} is delivered, and nothing came"
    if len(received.digests) > 1:
        yield f"{name} came with two contents"
    closed = summary.closed.get(received.work_order)
    if closed is not None and any(at > closed for at in received.times):
        yield f"{name} came after its work order was closed"

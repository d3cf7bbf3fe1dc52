"""
The ledger held against the hub: was anything lost, doubled, changed, or sent after its end?
"""

import asyncio
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from mock_agencies.ticket_system import ledger
from mock_agencies.ticket_system.ledger import Entry
from shuniu_client import AsyncClient, NotFound

ENDS: Final = frozenset({"delivered", "cancelled", "dead_lettered"})
AT_ONCE: Final = 16


@dataclass(slots=True)
class ReceivedCallback:
    """What the ledger says of one request."""

    work_order: str
    digests: set[str] = field(default_factory=set)
    times: list[float] = field(default_factory=list)


@dataclass(slots=True)
class Account:
    """What the ledger says of everything; requests by their ids."""

    requests: dict[str, ReceivedCallback] = field(default_factory=dict)
    accepted: Counter[str] = field(default_factory=Counter)
    closed: dict[str, float] = field(default_factory=dict)
    ids: dict[str, set[str]] = field(default_factory=dict)
    unasked: list[str] = field(default_factory=list)
    rejected: int = 0
    received: int = 0

    @classmethod
    def of(cls, entries: Iterable[Entry]) -> "Account":
        """Reads a ledger."""
        account = cls()
        subjects: dict[str, str] = {}
        heard: list[Entry] = []
        for entry in entries:
            match entry["what"]:
                case ledger.ACCEPTED:
                    account.accepted[entry["work_order"]] += 1
                    account.requests[entry["autofill"]] = ReceivedCallback(entry["work_order"])
                case ledger.CLOSED:
                    account.closed[entry["work_order"]] = entry["at"]
                case ledger.RECEIVED:
                    heard.append(entry)
                    if "subject" in entry:
                        subjects[entry["id"]] = entry["subject"]
                case ledger.REJECTED:
                    account.rejected += 1
        for entry in heard:
            account.received += 1
            account.ids.setdefault(entry["id"], set()).add(entry["digest"])
            request = account.requests.get(subjects.get(entry["id"], ""))
            if request is None:
                account.unasked.append(entry["id"])
            else:
                request.digests.add(entry["digest"])
                request.times.append(entry["at"])
        return account


@dataclass(slots=True)
class Reconciliation:
    """What was counted, and every fault that was found; none is how it should be."""

    accepted: int
    states: Counter[str] = field(default_factory=Counter)
    received: int = 0
    repeated: int = 0
    closed: int = 0
    heard_then_cancelled: int = 0
    rejected: int = 0
    faults: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        ends = ", ".join(f"{self.states[end]} {end}" for end in sorted(ENDS))
        return (
            f"{self.accepted} accepted: {ends}; {self.received} callbacks received, {self.repeated} of them again, "
            f"{self.closed} work orders closed halfway, {self.heard_then_cancelled} taken by the receiver and ended "
            f"otherwise at the hub, {self.rejected} rejected, {len(self.faults)} faults"
        )


async def check(client: AsyncClient, entries: Iterable[Entry], *, others: bool = False) -> Reconciliation:
    """
    Compares a ledger with the hub.  `others`: callbacks may be about requests that stand in no ledger.
    """
    account = Account.of(entries)
    verdict = Reconciliation(accepted=len(account.requests), received=account.received, closed=len(account.closed))
    verdict.rejected = account.rejected
    room = asyncio.Semaphore(AT_ONCE)

    async def one(name: str, heard: ReceivedCallback) -> None:
        async with room:
            try:
                state = (await client.get_autofill(name)).state
            except NotFound:
                state = "lost"
        verdict.states[state] += 1
        verdict.repeated += max(0, len(heard.times) - 1)
        verdict.faults += list(_faults(name, heard, state, account))
        verdict.heard_then_cancelled += bool(heard.times) and state != "delivered"

    await asyncio.gather(*(one(name, heard) for name, heard in account.requests.items()))
    verdict.faults += [
        f"{count} requests of {name} for one key" for name, count in account.accepted.items() if count > 1
    ]
    verdict.faults += [f"{name} has two contents" for name, digests in account.ids.items() if len(digests) > 1]
    if not others:
        verdict.faults += [f"{name} is about nothing that was asked" for name in account.unasked]
    return verdict


def _faults(name: str, heard: ReceivedCallback, state: str, account: Account) -> Iterable[str]:
    if state not in ENDS:
        yield f"{name} has not ended: {state}"
    if state == "delivered" and not heard.times:
        yield f"{name} is delivered, and nothing came"
    if len(heard.digests) > 1:
        yield f"{name} came with two contents"
    closed = account.closed.get(heard.work_order)
    if closed is not None and any(at > closed for at in heard.times):
        yield f"{name} came after its work order was closed"

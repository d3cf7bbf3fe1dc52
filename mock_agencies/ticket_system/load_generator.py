"""
The ticket system's load generator: work orders a second, a form for each, some of them closed halfway.

A request without an answer is repeated under the same key until it is answered, so that everything that the hub
accepted stands in the ledger.
"""

import asyncio
import contextlib
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from mock_agencies.population import Population, SyntheticOrganization, SyntheticPerson
from mock_agencies.ticket_system.ledger import (
    ACCEPTED,
    CLOSED,
    CLOSING,
    DISPATCHED,
    REFUSED,
    REQUESTING,
    CallbackLedger,
)
from shuniu_client import AsyncClient, HubProblem, HubUnavailable, HubUnreachable

COURT: Final = "浙0802"
# The clerk of the demo's court, as in its tree.
HOLDER: Final = {
    "user": "li.ting",
    "name": "李婷",
    "id_number": "330802199003071239",
    "unit_code": "11330800DEM000196R",
    "unit_name": "示例市柯城区人民法院",
    "terminal": "10.0.0.17",
}
LONGEST_UNTIL_CLOSED: Final = 3.0


@dataclass(frozen=True, slots=True)
class LoadPlan:
    """
    What is done: `rate` work orders a second (0: as fast as answers come, `at_once` of them at a time), of which the
    share `closing` is closed within a few seconds.  `receiver` None: the client's preferred one.  `lasts`: seconds
    until a form is wanted as it is; None leaves that to the form.
    """

    rate: float = 1.0
    closing: float = 0.2
    parties: int = 2
    kind: str = "service-of-process"
    receiver: str | None = None
    at_once: int = 32
    prefix: str = "TS"
    lasts: float | None = None


@dataclass(slots=True)
class LoadGenerator:
    """One run of the ticket system.  Once `stop` is set nothing more is dispatched, and open work is finished."""

    client: AsyncClient
    ledger: CallbackLedger
    plan: LoadPlan
    population: Population = field(default_factory=Population)
    draws: random.Random = field(default_factory=lambda: random.Random(1))
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    requested: int = 0

    async def run(self, count: int | None = None) -> None:
        """Works until `count` work orders are dispatched, or until `stop`; then finishes open work."""
        room = asyncio.Semaphore(self.plan.at_once)
        async with asyncio.TaskGroup() as tasks:
            while not self.stop.is_set() and (count is None or self.requested < count):
                await room.acquire()
                self.requested += 1
                tasks.create_task(self._process_order(self.requested, room))
                if self.plan.rate:
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(self.stop.wait(), 1 / self.plan.rate)

    async def _process_order(self, number: int, room: asyncio.Semaphore) -> None:
        name = f"{self.plan.prefix}-{number}"
        closes = self.draws.random() < self.plan.closing
        wait = self.draws.uniform(0, LONGEST_UNTIL_CLOSED)
        statement = self._statement(number)
        try:
            if not await self._stated(name, statement):
                return
            self.ledger.write(DISPATCHED, work_order=name)
            await self._ask(name)
        finally:
            room.release()
        if closes:
            await asyncio.sleep(wait)
            self.ledger.write(CLOSING, work_order=name)
            if await self._stated(name, statement | {"version": 2, "status": "closed"}):
                self.ledger.write(CLOSED, work_order=name)

    async def _stated(self, name: str, statement: Mapping[str, Any]) -> bool:
        while True:
            try:
                await self.client.put_work_order(name, statement)
            except (HubUnreachable, HubUnavailable):
                # Statements are idempotent.
                await asyncio.sleep(self.draws.uniform(0.1, 0.5))
            except HubProblem as problem:
                self.ledger.write(REFUSED, work_order=name, problem=str(problem))
                return False
            else:
                return True

    async def _ask(self, name: str) -> None:
        request: dict[str, Any] = {"work_order": name}
        if self.plan.receiver is not None:
            request["callback"] = self.plan.receiver
        if self.plan.lasts is not None:
            request["deadline"] = (datetime.now(UTC) + timedelta(seconds=self.plan.lasts)).isoformat()
        self.ledger.write(REQUESTING, work_order=name)
        while True:
            try:
                autofill = await self.client.autofill(request, key=f"key-{name}")
            except (HubUnreachable, HubUnavailable):
                await asyncio.sleep(self.draws.uniform(0.1, 0.5))
            except HubProblem as problem:
                self.ledger.write(REFUSED, work_order=name, problem=str(problem))
                return
            else:
                self.ledger.write(ACCEPTED, work_order=name, autofill=autofill.id)
                return

    def _statement(self, number: int) -> dict[str, Any]:
        # The cast comes first in the population and has every special case; ordinary people follow.
        parties: list[SyntheticPerson | SyntheticOrganization] = [self.population.person(1_000 + number)]
        parties += [self.population.organization(1_000 + number)] if self.plan.parties > 1 else []
        return {
            "version": 1,
            "status": "dispatched",
            "kind": self.plan.kind,
            "court": COURT,
            "case_number": f"（2026）浙0802民初{number}号",
            "holder": HOLDER,
            "parties": [{"role": "defendant", **party_reference(party), "name": party.name} for party in parties],
        }


def party_reference(party: SyntheticPerson | SyntheticOrganization) -> dict[str, str]:
    """The party as a work order names it: kind, type of identifier, identifier."""
    if isinstance(party, SyntheticOrganization):
        number, id_type = (party.uscc, "uscc") if party.uscc else (party.registration_number, "registration_number")
        return {"kind": "organization", "id_type": id_type, "id_number": number or ""}
    permit = party.id_number[:2] in {"81", "82", "83"}
    foreign = party.id_number[:1] == "9" or party.id_number[:3].isalpha()
    id_type = "residence_permit" if permit else "permanent_residence" if foreign else "resident_id"
    return {"kind": "person", "id_type": id_type, "id_number": party.id_number}

"""
The callbacks of one hub without its HTTP: real database, real log, a clock that a test moves.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from sqlalchemy import Connection

from audit.format.event import Actor
from gateway.callbacks.delivery_admin import DeliveryFilter, DeliverySummary
from gateway.callbacks.outbox import OutboundDelivery, Permit, Stop
from gateway.callbacks.receivers import Receiver
from gateway.callbacks.service import Callbacks
from gateway.callbacks.states import DeliveryState
from gateway.database import Database
from gateway.organization.people import Member
from gateway.organization.roles import Role
from gateway.organization.tree import UnitKind, UnitPosition

COURT, CLIENT = "浙0802", "ticket-system"
START = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
FORM = "cn.shuniu.autofill.finished.v1"
PLACE = UnitPosition(kind=UnitKind.COURT, court=COURT, path=("zj08", "zj0802"))
ADMINISTRATOR = Member(court=COURT, user="admin", position=PLACE, roles=frozenset({Role.SYSTEM_ADMINISTRATOR}))
ADMIN = Actor(user="admin", court=COURT)


@dataclass
class Clock:
    """Stands still until it is moved."""

    now: datetime = START

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **interval: float) -> None:
        """Moves on."""
        self.now += timedelta(**interval)


@dataclass
class Right:
    """A lease of a test's own: valid until it is released or taken away."""

    valid: bool = True
    released: int = 0

    def release(self) -> None:
        """Notes it."""
        self.released += 1
        self.valid = False


@dataclass
class Forms:
    """A deliverable whose rights a test decides on; keeps what it was asked and told."""

    stopped: dict[str, str] = field(default_factory=dict)
    rights: list[Right] = field(default_factory=list)
    endings: list[tuple[str, DeliveryState, str | None]] = field(default_factory=list)
    resumable: bool = True

    async def release(self, delivery: OutboundDelivery) -> Permit | Stop:
        """As the test decided."""
        if delivery.subject in self.stopped:
            return Stop(self.stopped[delivery.subject])
        self.rights.append(Right())
        return Permit((self.rights[-1],))

    def ended(
        self, connection: Connection, delivery: OutboundDelivery, state: DeliveryState, reason: str | None, at: datetime
    ) -> None:
        """Notes it."""
        self.endings.append((delivery.subject, state, reason))

    def resumed(self, connection: Connection, delivery: OutboundDelivery) -> bool:
        """As the test decided."""
        return self.resumable


@dataclass(kw_only=True)
class CallbackService:
    """What a test of the callbacks holds in its hands."""

    database: Database
    callbacks: Callbacks
    forms: Forms
    clock: Clock
    owner: str

    async def register(self, name: str, url: str, **changes: Any) -> str:
        """Registers a receiver on this machine; its secret."""
        wanted = {"client": CLIENT, "url": url, "internal": True, "preferred": False} | changes
        _, secret = await self.callbacks.receivers.register(ADMINISTRATOR, ADMIN, name, **wanted)
        return secret or ""

    async def receiver(self, name: str) -> Receiver:
        """A receiver as it stands."""
        return {one.name: one for one in await self.callbacks.receivers.all(COURT)}[name]

    async def enter(self, subject: str, *, receiver: str = "forms", hours: float = 24, **data: Any) -> str:
        """Enters a delivery; its id."""
        at = self.clock()
        await self.database.run(self._entered, subject, receiver, at + timedelta(hours=hours), data or {"n": 1})
        return f"autofill-{subject}"

    async def sent(self) -> int:
        """Sends what is due, and waits until that is settled; how many these were."""
        count = await self.callbacks.sender.once()
        await self.callbacks.sender.settled()
        return count

    async def delivery(self, webhook_id: str) -> DeliverySummary:
        """A delivery as it stands."""
        (one,) = await self.callbacks.deliveries.found(DeliveryFilter(court=COURT, ids=[webhook_id]), most=1)
        return one

    async def states(self) -> dict[str, tuple[str, str | None]]:
        """State and reason of every delivery, by its subject."""
        found = await self.callbacks.deliveries.found(DeliveryFilter(court=COURT), most=1000)
        return {one.subject: (one.state.value, one.reason) for one in found}

    def query(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """What stands in the database, as its owner."""
        with psycopg.connect(self.owner, autocommit=True) as connection:
            found = connection.execute(statement.encode(), values)
            return found.fetchall() if found.description else []

    def _entered(
        self, connection: Connection, subject: str, receiver: str, deadline: datetime, data: Mapping[str, Any]
    ) -> None:
        self.callbacks.outbox.enqueue(
            connection,
            court=COURT,
            client=CLIENT,
            receiver=receiver,
            event_type=FORM,
            subject=subject,
            webhook_id=f"autofill-{subject}",
            data=data,
            at=self.clock(),
            deadline=deadline,
        )

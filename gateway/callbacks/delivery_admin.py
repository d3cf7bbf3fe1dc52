"""
Looking at deliveries, and taking dead letters up again: one, or many by receiver, period and reason.

Taking up permits nothing: right before each body leaves, its right is asked for like the first time.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import uuid4

from sqlalchemy import Connection, select, tuple_, update

from audit.format.event import Actor, Event, EventType
from audit.store.log import Log
from gateway.callbacks.claiming import delivery_of
from gateway.callbacks.outbox import Deliverable
from gateway.callbacks.receivers import CallbackRefused
from gateway.callbacks.states import CallbackRule, DeliveryState
from gateway.database import Database
from gateway.database.tables import callback_delivery
from gateway.organization.people import Member
from gateway.organization.roles import Role

# One more day for what is taken up.
AGAIN: Final = timedelta(hours=24)
MOST_AT_ONCE: Final = 10_000

_d = callback_delivery.c


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryFilter:
    """Which deliveries; what is None does not narrow the choice.  `since` and `until`: when they were entered."""

    court: str
    client: str | None = None
    receiver: str | None = None
    state: DeliveryState | None = None
    reason: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    ids: Sequence[str] | None = None

    def conditions(self) -> list[Any]:
        """As SQL."""
        same = {"client": self.client, "receiver": self.receiver, "state": self.state, "reason": self.reason}
        found = [_d.court == self.court, *(_d[name] == value for name, value in same.items() if value is not None)]
        if self.since is not None:
            found.append(_d.created_at >= self.since)
        if self.until is not None:
            found.append(_d.created_at < self.until)
        if self.ids is not None:
            found.append(_d.id.in_(self.ids))
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliverySummary:
    """A delivery without its body.  `reason`: why it ended, or why the last attempt failed; `due_at`: the next one."""

    id: str
    client: str
    receiver: str
    event_type: str
    subject: str
    state: DeliveryState
    reason: str | None
    attempts: int
    created_at: datetime
    due_at: datetime
    deadline: datetime
    ended_at: datetime | None


class DeliveryAdmin:
    """
    The deliveries of this hub.  `owner` gives the deliverable of an event type.
    """

    def __init__(
        self,
        database: Database,
        log: Log,
        owner: Callable[[str], Deliverable | None],
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._database = database
        self._log = log
        self._owner = owner
        self._clock = clock

    async def found(
        self, choice: DeliveryFilter, *, most: int, after: tuple[datetime, str] | None = None
    ) -> list[DeliverySummary]:
        """Deliveries in the order in which they were entered, from behind `after` (time, id) on."""
        return await self._database.run(_list, choice, most, after)

    async def resend(self, actor: Member, who: Actor, choice: DeliveryFilter) -> tuple[list[str], int]:
        """
        Takes dead letters up again, up to `MOST_AT_ONCE`: their ids, and the index of the record.

        Raises `CallbackRefused`, `AuditUnavailable`, `DatabaseUnavailable`.
        """
        if Role.SYSTEM_ADMINISTRATOR not in actor.roles:
            raise CallbackRefused(CallbackRule.ADMINISTRATORS_ONLY)
        criteria = {"receiver": choice.receiver, "client": choice.client, "reason": choice.reason}
        narrowed = ",".join(name for name, value in criteria.items() if value is not None) or "all"
        event = Event(
            type=EventType.ADMIN_CHANGED,
            exchange=uuid4(),
            at=self._clock(),
            who=who,
            outcome="changed",
            detail={"change": "resent", "callbacks_by": narrowed if choice.ids is None else "id"},
        )
        index = await self._log.append(event)
        return await self._database.run(self._resent, choice), index

    def _resent(self, connection: Connection, choice: DeliveryFilter) -> list[str]:
        dead = _d.state == DeliveryState.DEAD_LETTERED.value
        query = (
            select(callback_delivery)
            .where(*choice.conditions(), dead, _d.sealed != b"")
            .order_by(_d.created_at, _d.id)
            .limit(MOST_AT_ONCE)
            .with_for_update()
        )
        taken = []
        for row in connection.execute(query):
            owner = self._owner(row.event_type)
            if owner is not None and owner.resumed(connection, delivery_of(row)):
                taken.append(row.id)
        now = self._clock()
        values = {
            "state": DeliveryState.WAITING.value,
            "reason": None,
            "attempts": 0,
            "version": _d.version + 1,
            "due_at": now,
            "deadline": now + AGAIN,
            "ended_at": None,
        }
        connection.execute(update(callback_delivery).where(_d.id.in_(taken)).values(values))
        return taken


def _list(
    connection: Connection, choice: DeliveryFilter, most: int, after: tuple[datetime, str] | None
) -> list[DeliverySummary]:
    names = list(DeliverySummary.__dataclass_fields__)
    query = select(*(_d[name] for name in names)).where(*choice.conditions())
    if after is not None:
        query = query.where(tuple_(_d.created_at, _d.id) > after)
    rows = connection.execute(query.order_by(_d.created_at, _d.id).limit(most))
    return [DeliverySummary(**dict(zip(names, row, strict=True)) | {"state": DeliveryState(row.state)}) for row in rows]

"""
Confirmations by a second person: a work order of a kind that needs one grants nothing until another person has
confirmed the version in force.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from uuid import uuid4

from sqlalchemy import Connection, func, select, text
from sqlalchemy.dialects.postgresql import insert

from audit.format.event import Actor, Event, EventType
from audit.store.log import Log
from gateway.access.catalogue import Catalogue
from gateway.access.emergency_rules import CONFIRMER_ROLES, EmergencyRefused, EmergencyRule, WorkOrderNotFound
from gateway.access.snapshot import WORK_ORDER_COLUMNS, GrantedWorkOrder
from gateway.access.work_orders import VersionConflict
from gateway.database import Database
from gateway.database.tables import confirmation
from gateway.organization.people import Member

_RECORDED: Final = text(
    f"SELECT {WORK_ORDER_COLUMNS} FROM work_order w WHERE w.court = :court AND w.id = :name AND w.recorded"  # noqa: S608
)


@dataclass(frozen=True, slots=True)
class Confirmations:
    """
    Takes confirmations, each recorded before it takes effect.
    """

    database: Database
    log: Log
    catalogue: Catalogue
    policy: str
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    async def confirm(self, actor: Member, who: Actor, name: str, version: int) -> int | None:
        """
        Confirms exactly this version; the index of the record, or None if it was confirmed before.

        Raises `EmergencyRefused`, `WorkOrderNotFound`, `VersionConflict`, `AuditUnavailable`, `DatabaseUnavailable`.
        """
        if not actor.roles & CONFIRMER_ROLES:
            raise EmergencyRefused(EmergencyRule.CONFIRMER_ROLE)
        order, confirmed = await self.database.run(_order_and_confirmation, actor.court, name)
        kind = self.catalogue.kind(order.court, order.kind)
        if order.holder == actor.user:
            raise EmergencyRefused(EmergencyRule.CONFIRMER_OWN)
        if kind is None or not kind.second_person:
            raise EmergencyRefused(EmergencyRule.NOT_NEEDED)
        if order.version != version:
            raise VersionConflict(order.version)
        if confirmed:
            return None
        event = Event(
            type=EventType.WORK_ORDER_CHANGED,
            exchange=uuid4(),
            at=self.clock(),
            who=who,
            why=order.purpose(self.policy),
            outcome="confirmed",
        )
        index = await self.log.append(event)
        # The row names its version: a newer one that came meanwhile stays unconfirmed.
        await self.database.run(_confirmed, order, actor.user)
        return index


def get_work_order(connection: Connection, court: str, name: str) -> GrantedWorkOrder:
    """A recorded work order in its present version.  Raises `WorkOrderNotFound`."""
    row = connection.execute(_RECORDED, {"court": court, "name": name}).one_or_none()
    if row is None:
        raise WorkOrderNotFound
    return GrantedWorkOrder.from_row(row)


def list_confirmers(connection: Connection, court: str, name: str) -> dict[int, str]:
    """The user who confirmed, by version."""
    c = confirmation.c
    query = select(c.version, c.confirmed_by).where(c.court == court, c.work_order == name)
    return {row.version: row.confirmed_by for row in connection.execute(query)}


def _order_and_confirmation(connection: Connection, court: str, name: str) -> tuple[GrantedWorkOrder, bool]:
    order = get_work_order(connection, court, name)
    return order, order.version in list_confirmers(connection, court, name)


def _confirmed(connection: Connection, order: GrantedWorkOrder, user: str) -> None:
    row: dict[str, Any] = {
        "court": order.court,
        "work_order": order.id,
        "version": order.version,
        "confirmed_by": user,
        "confirmed_at": func.access_now(),
    }
    connection.execute(insert(confirmation).values(row).on_conflict_do_nothing())

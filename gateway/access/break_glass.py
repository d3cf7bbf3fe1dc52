"""
Break glass: a work order that cannot wait for the ticket system, by two people, for four hours, reviewed afterwards.

An official of cases states it in person, under a number `BG-…`.  It grants nothing until a second person confirms it;
its kind bounds it like any other; the log flags it; and while a review of an earlier one is overdue, its holder gets no
other.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import uuid4

from sqlalchemy import Connection, func, select

from audit.format.event import Actor, Event
from audit.store.log import Log
from gateway.access.audit_events import work_order_changed
from gateway.access.catalogue import EMERGENCY, Catalogue
from gateway.access.confirmations import get_work_order
from gateway.access.emergency_rules import (
    CASE_ROLES,
    CONFIRMER_ROLES,
    EmergencyRefused,
    EmergencyRule,
    WorkOrderNotFound,
)
from gateway.access.snapshot import GrantedWorkOrder
from gateway.access.work_orders import WorkOrders, party_identifier
from gateway.database import Database
from gateway.database.tables import access_grant, review
from gateway.field_encryption import FieldEncryption
from gateway.organization import store
from gateway.organization.people import Member, StaffAccount
from gateway.organization.recording import sealed_payload
from gateway.sign_on import Caller
from schemas.codes import Code, Want
from schemas.identifiers import Identifier
from schemas.work_order import HolderStatement, PartyStatement, WorkOrderStatement, WorkOrderStatus

PREFIX: Final = "BG-"
FLAG: Final = "break_glass"
REVIEWED_WITHIN: Final = timedelta(days=3)


class EmergencyReason(Code):
    """Why a lookup cannot wait for the ticket system."""

    DEADLINE = "deadline", "法定期限即将届满", "A time limit of the law is about to end"
    SAFETY = "safety", "人身安全紧急", "A person's safety is in danger"
    PRESERVATION = "preservation", "紧急保全", "Property must be preserved at once"
    TICKETS_DOWN = "tickets_down", "工单系统故障", "The ticket system does not work"


@dataclass(frozen=True, slots=True, kw_only=True)
class EmergencyRequest:
    """What is requested and why.  `note` is free text, sealed with the record."""

    case_number: str = field(repr=False)
    party: PartyStatement = field(repr=False)
    identifier: Identifier = field(repr=False)
    want: tuple[Want, ...]
    reason: EmergencyReason
    note: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingEmergency:
    """An emergency that waits for its confirmation."""

    work_order: str
    version: int
    ends_at: datetime
    review_due_at: datetime
    audit: int


@dataclass(frozen=True, slots=True)
class BreakGlass:
    """
    Begins and ends emergencies, as versions of a work order like any other.
    """

    database: Database
    encryption: FieldEncryption
    log: Log
    work_orders: WorkOrders
    catalogue: Catalogue
    policy: str
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    async def begin(self, actor: Member, caller: Caller, who: Actor, emergency: EmergencyRequest) -> PendingEmergency:
        """
        Begins one.  Raises `EmergencyRefused`, `AuditUnavailable`, `DatabaseUnavailable`.
        """
        if not actor.roles & CASE_ROLES:
            raise EmergencyRefused(EmergencyRule.ROLE_MISSING)
        name = PREFIX + str(uuid4())
        # The review is entered first, so that no emergency can be without one.
        holder, due = await self.database.run(self._enter_review, actor, name)
        statement = WorkOrderStatement(
            version=1,
            status=WorkOrderStatus.DISPATCHED,
            kind=EMERGENCY,
            court=actor.court,
            case_number=emergency.case_number,
            holder=holder,
            parties=(emergency.party,),
            want=emergency.want,
        )
        at = self.clock()
        audit = await self._record(name, statement, [emergency.identifier], caller, who, at, emergency)
        ends_at = await self.database.run(_ends_at, actor.court, name)
        return PendingEmergency(work_order=name, version=1, ends_at=ends_at, review_due_at=due, audit=audit)

    async def end(self, actor: Member, caller: Caller, who: Actor, name: str) -> None:
        """
        Ends one early, by its holder or a confirmer; safe to repeat.

        When it returns, no answer is released under it any more.  Raises `WorkOrderNotFound`, `AuditUnavailable`,
        `DatabaseUnavailable`.
        """
        order = await self.database.run(_emergency, actor.court, name)
        if actor.user != order.holder and not actor.roles & CONFIRMER_ROLES:
            raise WorkOrderNotFound
        if not order.status.open:
            return
        document = self.work_orders.document(order)
        ended = document.model_copy(update={"version": order.version + 1, "status": WorkOrderStatus.CLOSED})
        parties = [party_identifier(party) for party in document.parties]
        await self._record(name, ended, parties, caller, who, self.clock())

    async def _record(
        self,
        name: str,
        statement: WorkOrderStatement,
        parties: list[Identifier],
        caller: Caller,
        who: Actor,
        at: datetime,
        emergency: EmergencyRequest | None = None,
    ) -> int:
        kind = self.catalogue.kinds[EMERGENCY]
        await self.work_orders.put(name, statement, parties, kind, at)
        event = work_order_changed(uuid4(), at, caller, name, statement, parties, self.policy, FLAG)
        reason = {"reason": emergency.reason.value} if emergency else {}
        flagged: Event = replace(event, who=who, detail={**event.detail, **reason})
        note = [sealed_payload("note", at, {"note": emergency.note})] if emergency else []
        audit = await self.log.append(flagged, payloads=note)
        await self.work_orders.mark_recorded(statement.court, name, statement.version)
        return audit

    def _enter_review(self, connection: Connection, actor: Member, name: str) -> tuple[HolderStatement, datetime]:
        c = review.c
        open_reviews = select(c.work_order).where(
            c.court == actor.court, c.holder == actor.user, c.reviewed_at.is_(None)
        )
        if connection.execute(open_reviews.where(c.due_at <= func.access_now())).first() is not None:
            raise EmergencyRefused(EmergencyRule.REVIEW_OVERDUE)
        person = store.get_account(connection, self.encryption, actor.court, actor.user)
        if person is None or person.official is None:
            raise EmergencyRefused(EmergencyRule.PARTICULARS_MISSING)
        row = {
            "court": actor.court,
            "work_order": name,
            "holder": actor.user,
            "due_at": func.access_now() + REVIEWED_WITHIN,
        }
        due: datetime = connection.execute(review.insert().values(row).returning(c.due_at)).scalar_one()
        return _holder(person), due


def _holder(person: StaffAccount) -> HolderStatement:
    official = person.official
    assert official is not None  # noqa: S101 - checked by the caller
    return HolderStatement(
        user=person.user,
        name=person.name,
        id_number=official.id_number,
        unit_code=official.unit_code,
        unit_name=official.unit_name,
        terminal=official.terminal,
    )


def _ends_at(connection: Connection, court: str, name: str) -> datetime:
    c = access_grant.c
    query = select(c.ends_at).where(c.court == court, c.work_order == name)
    ends_at: datetime = connection.execute(query).scalar_one()
    return ends_at


def _emergency(connection: Connection, court: str, name: str) -> GrantedWorkOrder:
    order = get_work_order(connection, court, name)
    if order.kind != EMERGENCY:
        raise WorkOrderNotFound
    return order

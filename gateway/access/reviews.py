"""
Reviews of emergencies: within three days a person without part in it states whether it was justified.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, Row, func, select, update

from audit.format.event import Actor, Event, EventType
from audit.store.log import Log
from gateway.access.break_glass import FLAG
from gateway.access.confirmations import get_work_order, list_confirmers
from gateway.access.emergency_rules import REVIEWER_ROLES, EmergencyRefused, EmergencyRule, WorkOrderNotFound
from gateway.access.snapshot import GrantedWorkOrder
from gateway.database import Database
from gateway.database.tables import review
from gateway.organization.people import Member
from gateway.organization.recording import sealed_payload
from schemas.codes import Code


class ReviewFinding(Code):
    """What the review of an emergency found."""

    JUSTIFIED = "justified", "理由成立", "Justified"
    NOT_JUSTIFIED = "not_justified", "理由不成立", "Not justified"
    FOLLOW_UP = "follow_up", "移送进一步调查", "To be followed up"


@dataclass(frozen=True, slots=True, kw_only=True)
class DueReview:
    """An emergency without a review."""

    work_order: str
    holder: str = field(repr=False)
    due_at: datetime
    overdue: bool


@dataclass(frozen=True, slots=True)
class EmergencyReviews:
    """
    Lists due reviews and takes findings, each recorded before it takes effect.
    """

    database: Database
    log: Log
    policy: str
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    async def due(self, actor: Member) -> list[DueReview]:
        """The open reviews of the court, the most urgent first.  Raises `EmergencyRefused`, `DatabaseUnavailable`."""
        _require_reviewer(actor)
        return await self.database.run(_open, actor.court)

    async def review(self, actor: Member, who: Actor, name: str, finding: ReviewFinding, note: str) -> int:
        """
        Takes a finding; the index of its record.  `note` is free text, kept sealed.

        Raises `EmergencyRefused`, `WorkOrderNotFound`, `AuditUnavailable`, `DatabaseUnavailable`.
        """
        _require_reviewer(actor)
        order = await self.database.run(_reviewable, actor, name)
        at = self.clock()
        event = Event(
            type=EventType.WORK_ORDER_CHANGED,
            exchange=uuid4(),
            at=at,
            who=who,
            why=None if order is None else order.purpose(self.policy),
            outcome="reviewed",
            detail={"exception": FLAG, "finding": finding.value},
        )
        index = await self.log.append(event, payloads=[sealed_payload("note", at, {"work_order": name, "note": note})])
        await self.database.run(_reviewed, actor, name, finding)
        return index


def _require_reviewer(actor: Member) -> None:
    if not actor.roles & REVIEWER_ROLES:
        raise EmergencyRefused(EmergencyRule.REVIEWER_ROLE)


def _open(connection: Connection, court: str) -> list[DueReview]:
    c = review.c
    query = select(c.work_order, c.holder, c.due_at, (c.due_at <= func.access_now()).label("overdue"))
    rows = connection.execute(query.where(c.court == court, c.reviewed_at.is_(None)).order_by(c.due_at, c.work_order))
    return [
        DueReview(work_order=row.work_order, holder=row.holder, due_at=row.due_at, overdue=row.overdue) for row in rows
    ]


def _reviewable(connection: Connection, actor: Member, name: str) -> GrantedWorkOrder | None:
    """The work order of a review that `actor` may close, or None for one that was never recorded."""
    row = _row(connection, actor.court, name)
    if row is None:
        raise WorkOrderNotFound
    if row.reviewed_at is not None:
        raise EmergencyRefused(EmergencyRule.REVIEWED)
    if actor.user == row.holder or actor.user in list_confirmers(connection, actor.court, name).values():
        raise EmergencyRefused(EmergencyRule.REVIEWER_OWN)
    try:
        return get_work_order(connection, actor.court, name)
    except WorkOrderNotFound:
        return None


def _row(connection: Connection, court: str, name: str) -> Row[Any] | None:
    return connection.execute(select(review).where(review.c.court == court, review.c.work_order == name)).one_or_none()


def _reviewed(connection: Connection, actor: Member, name: str, finding: ReviewFinding) -> None:
    c = review.c
    # The first of two findings at once counts; both stand in the log.
    open_review = update(review).where(c.court == actor.court, c.work_order == name, c.reviewed_at.is_(None))
    connection.execute(open_review.values(reviewed_by=actor.user, reviewed_at=func.access_now(), finding=finding.value))

"""
The review queue: an auditor reviews the cases of the anomaly rules and of the random sample, and records outcomes.

Reading the queue, opening a case and every outcome are recorded.  A person's own use is reviewed by another.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import uuid4

from sqlalchemy import Connection, Row, insert, select

from audit.format.event import Actor, Event, EventType
from audit.store.search import Hit, Query
from gateway.audit_access import AuditAccess, SearchRevealReason
from gateway.compliance.anomaly_rules import AnomalyRule
from gateway.compliance.calendar import CourtCalendar
from gateway.compliance.permissions import ComplianceItemNotFound, ComplianceRefused, ComplianceRule, require_auditor
from gateway.compliance.recorded_search import RecordedSearch
from gateway.compliance.review_ranking import Case, rank_cases
from gateway.compliance.usage import USE_EVENTS, usage_events
from gateway.database import Database
from gateway.database.tables import use_review
from gateway.field_encryption import FieldEncryption
from gateway.organization.people import Member
from gateway.organization.recording import sealed_payload
from schemas.china_time import day_end, day_start
from schemas.codes import Code

# The most records behind one page of the queue; a busy court's week has some ten thousand.
MOST_RECORDS: Final = 20_000


class ReviewOutcome(Code):
    """The outcome of a review."""

    EXPLAINED = "explained", "已说明", "Explained"
    FOLLOW_UP = "follow_up", "待进一步了解", "To be followed up"
    ESCALATE = "escalate", "上报", "Escalated"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reviewed:
    """The newest outcome of a case."""

    outcome: ReviewOutcome
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewItem:
    """A case of the queue under its anonymous handle, and its outcome."""

    handle: str
    case: Case
    reviewed: Reviewed | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewQueuePage:
    """
    The cases of a period, the most urgent first.

    `records` is the number of records behind it; `complete` is false if there were more than the bound; `erased` is the
    number of records without a known user.
    """

    items: tuple[ReviewItem, ...]
    records: int
    complete: bool
    erased: int
    hit_rates: Mapping[str, tuple[int, int]]


@dataclass(frozen=True, slots=True)
class ReviewQueue:
    """
    Reads the queue and records outcomes.  Every method raises `ComplianceRefused`, `AuditUnavailable`,
    `DatabaseUnavailable`.
    """

    database: Database
    encryption: FieldEncryption
    recorded_search: RecordedSearch
    calendar: CourtCalendar
    clock: Callable[[], datetime]

    async def read(self, actor: Member, who: Actor, since: date, until: date) -> ReviewQueuePage:
        """The queue of the court's days from `since` to `until`, both included."""
        require_auditor(actor)
        query = Query(court=actor.court, since=day_start(since), until=day_end(until), types=USE_EVENTS)
        result = await self.recorded_search.search_all(
            who, AuditAccess(query=query), most=MOST_RECORDS, purpose="review_queue"
        )
        uses, erased = usage_events(result.hits)
        cases = rank_cases(uses, self.calendar, lambda day, user: self._mark(actor.court, day, user))
        rows = await self.database.run(_rows, actor.court)
        return ReviewQueuePage(
            items=tuple(self._item(actor.court, case, rows) for case in cases),
            records=len(result.hits),
            complete=result.complete,
            erased=erased,
            hit_rates=hit_rates(rows),
        )

    async def case(self, actor: Member, who: Actor, day: date, handle: str) -> tuple[ReviewItem, Sequence[Hit]]:
        """
        One case with the records of that day, newest first, with people revealed; the recorded reason is inspection.

        Raises `ComplianceItemNotFound`.
        """
        require_auditor(actor)
        query = Query(court=actor.court, since=day_start(day), until=day_end(day), types=USE_EVENTS)
        look = AuditAccess(query=query, reveal=SearchRevealReason.INSPECTION)
        result = await self.recorded_search.search_all(who, look, most=MOST_RECORDS, purpose="review_case")
        cases = rank_cases(usage_events(result.hits)[0], self.calendar, lambda *_: b"", sample=len(result.hits))
        mine = [case for case in cases if self._mark(actor.court, day, case.user).hex() == handle]
        if not mine:
            raise ComplianceItemNotFound
        rows = await self.database.run(_rows, actor.court)
        indexes = {use.index for use in mine[0].uses}
        return self._item(actor.court, mine[0], rows), [hit for hit in result.hits if hit.index in indexes]

    async def decide(self, actor: Member, who: Actor, item: ReviewItem, outcome: ReviewOutcome, note: str) -> int:
        """
        Records an outcome, and returns the index of its record.  `note` is free text, stored sealed.  The latest
        outcome of a case counts, and the earlier ones stay.
        """
        require_auditor(actor)
        case = item.case
        if case.user == actor.user:
            raise ComplianceRefused(ComplianceRule.REVIEW_OWN)
        rules = [signal.rule.value for signal in case.signals]
        event = Event(
            type=EventType.USE_REVIEWED,
            exchange=uuid4(),
            at=self.clock(),
            who=who,
            outcome=outcome.value,
            detail={"day": case.day.isoformat(), "rules": ",".join(rules), "score": case.score},
        )
        note_content = {
            "user": case.user,
            "name": case.name,
            "note": note,
            "evidence": [use.index for use in case.uses],
        }
        index = await self.recorded_search.log.append(event, payloads=[sealed_payload("note", event.at, note_content)])
        row = {
            "record": event.exchange,
            "court": actor.court,
            "day": case.day,
            "person": bytes.fromhex(item.handle),
            "rules": rules,
            "outcome": outcome.value,
            "reviewed_by": actor.user,
            "reviewed_at": event.at,
        }
        await self.database.run(_write, row)
        return index

    def _item(self, court: str, case: Case, rows: Sequence[Row[Any]]) -> ReviewItem:
        mark = self._mark(court, case.day, case.user)
        newest = next((row for row in reversed(rows) if bytes(row.person) == mark), None)
        reviewed = newest and Reviewed(
            outcome=ReviewOutcome(newest.outcome), by=newest.reviewed_by, at=newest.reviewed_at
        )
        return ReviewItem(handle=mark.hex(), case=case, reviewed=reviewed)

    def _mark(self, court: str, day: date, user: str) -> bytes:
        return self.encryption.blind_index("use", f"{court}|{day.isoformat()}|{user}")


def hit_rates(rows: Sequence[Any]) -> Mapping[str, tuple[int, int]]:
    """
    For each rule, and for the random sample (`sample`): the number of its cases that were followed up or escalated, and
    of those that were reviewed.  The newest outcome of a case counts.
    """
    newest = {bytes(row.person): row for row in rows}
    rates = dict.fromkeys((*AnomalyRule, "sample"), (0, 0))
    for row in newest.values():
        for name in row.rules or ["sample"]:
            hits, of = rates.get(name, (0, 0))
            rates[name] = (hits + (row.outcome != ReviewOutcome.EXPLAINED), of + 1)
    return {str(name): rate for name, rate in rates.items()}


def _rows(connection: Connection, court: str) -> Sequence[Row[Any]]:
    c = use_review.c
    query = select(use_review).where(c.court == court).order_by(c.reviewed_at, c.record)
    return connection.execute(query).all()


def _write(connection: Connection, row: dict[str, object]) -> None:
    connection.execute(insert(use_review), [row])

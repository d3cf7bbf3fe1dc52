"""
Reports to persons about lookups of their data (PIPL 44, 45): drafted by an auditor, released by a second person,
printed.

A report is not a copy: it stores a size of the log, the subject, and the withheld entries; its entries are searched
each time.  So its content is stable, except that erased values disappear from it too.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID, uuid4

from sqlalchemy import Row

from audit.format.event import Actor, Event, EventType
from audit.store.search import Query
from gateway.audit_access import AuditAccess, SearchRevealReason
from gateway.compliance import report_store
from gateway.compliance.permissions import (
    ComplianceItemNotFound,
    ComplianceRefused,
    ComplianceRule,
    require_auditor,
    require_releaser,
)
from gateway.compliance.recorded_search import RecordedSearch
from gateway.compliance.report_entries import LOOKED, ReportEntry, WithheldEntry, Withholding, report_entries
from gateway.compliance.report_store import ReportSummary
from gateway.database import Database
from gateway.field_encryption import FieldEncryption
from gateway.organization.people import Member
from gateway.organization.recording import sealed_payload
from schemas.codes import IdType
from schemas.subject import Subject

MOST_ENTRIES: Final = 2000
PURPOSE: Final = "subject_report"


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectReport:
    """
    A report: subject, size of the log, and every entry, the withheld ones marked.
    """

    summary: ReportSummary
    court: str
    below: int
    since: datetime | None
    until: datetime | None
    subject: Subject = field(repr=False)
    entries: tuple[ReportEntry, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Draft:
    subject: Subject
    since: datetime | None
    until: datetime | None
    withheld: Mapping[int, WithheldEntry]


@dataclass(frozen=True, slots=True)
class SubjectReports:
    """
    Drafts, reads and releases reports.  Every method raises `ComplianceRefused`, `AuditUnavailable`,
    `DatabaseUnavailable`, and `ComplianceItemNotFound` for a report that the court does not have.
    """

    database: Database
    encryption: FieldEncryption
    recorded_search: RecordedSearch
    clock: Callable[[], datetime]

    async def draft(
        self,
        actor: Member,
        who: Actor,
        subject: Subject,
        note: str,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> UUID:
        """
        Drafts a report to this person.  `note` says who applied and how they were identified; it is stored sealed.
        """
        require_auditor(actor)
        report, at = uuid4(), self.clock()
        draft = _Draft(subject=subject, since=since, until=until, withheld={})
        access = _access(actor.court, draft)
        hits = await self.recorded_search.search_all(who, access, most=MOST_ENTRIES, purpose=PURPOSE)
        if not hits.complete:
            raise ComplianceRefused(ComplianceRule.TOO_MUCH)
        await self._record(who, subject, "drafted", report, len(hits.hits), 0, note=note)
        row = {
            "id": report,
            "court": actor.court,
            "drafted_by": actor.user,
            "drafted_at": at,
            "below": hits.size,
            "sealed": self._sealed(report, draft),
        }
        await self.database.run(report_store.insert, row)
        return report

    async def all(self, actor: Member) -> list[ReportSummary]:
        """The newest reports of the court, without their entries."""
        require_releaser(actor)
        return [report_store.summary(row) for row in await self.database.run(report_store.newest, actor.court)]

    async def read(self, actor: Member, who: Actor, report: UUID) -> SubjectReport:
        """One report with all its entries; reading it is recorded."""
        require_releaser(actor)
        row, draft = await self._found(actor, report)
        access = _access(actor.court, draft)
        hits = await self.recorded_search.search_below(who, access, below=row.below, most=MOST_ENTRIES, purpose=PURPOSE)
        return SubjectReport(
            summary=report_store.summary(row),
            court=actor.court,
            below=row.below,
            since=draft.since,
            until=draft.until,
            subject=draft.subject,
            entries=tuple(report_entries(hits.hits, draft.subject, draft.withheld)),
        )

    async def withhold(
        self, actor: Member, who: Actor, report: UUID, index: int, reason: Withholding | None, review_on: date
    ) -> None:
        """
        Withholds an entry until its next review, or without a reason discloses it after all.
        """
        require_auditor(actor)
        row, draft = await self._found(actor, report)
        if row.released_at is not None:
            raise ComplianceRefused(ComplianceRule.RELEASED)
        withheld = dict(draft.withheld)
        withheld.pop(index, None)
        if reason is not None:
            withheld[index] = WithheldEntry(reason=reason, review_on=review_on)
        detail: dict[str, str | int] = {
            "index": index,
            "reason": reason.value if reason else "none",
            "review_on": review_on.isoformat(),
        }
        await self._record(who, draft.subject, "withheld", report, 0, len(withheld), detail=detail)
        changed = _Draft(subject=draft.subject, since=draft.since, until=draft.until, withheld=withheld)
        if not await self.database.run(report_store.reseal, report, row.sealed, self._sealed(report, changed)):
            raise ComplianceRefused(ComplianceRule.RELEASED)

    async def release(self, actor: Member, who: Actor, report: UUID, state: str) -> None:
        """
        Releases a report in the state (`ReportSummary.state`) that `actor` has read; they must have no part in it.
        """
        require_releaser(actor)
        row, draft = await self._found(actor, report)
        if row.released_at is not None:
            raise ComplianceRefused(ComplianceRule.RELEASED)
        if row.drafted_by == actor.user:
            raise ComplianceRefused(ComplianceRule.RELEASE_OWN)
        if report_store.summary(row).state != state:
            raise ComplianceRefused(ComplianceRule.CHANGED)
        seen = await self.read(actor, who, report)
        if any(entry.user == actor.user for entry in seen.entries):
            raise ComplianceRefused(ComplianceRule.RELEASE_INVOLVED)
        disclosed = len(seen.entries) - sum(entry.withheld is not None for entry in seen.entries)
        await self._record(who, draft.subject, "released", report, disclosed, len(draft.withheld))
        if not await self.database.run(report_store.release, report, actor.user, self.clock(), row.sealed):
            raise ComplianceRefused(ComplianceRule.CHANGED)

    async def _found(self, actor: Member, report: UUID) -> tuple[Row[Any], _Draft]:
        row = await self.database.run(report_store.get, actor.court, report)
        if row is None:
            raise ComplianceItemNotFound
        return row, _draft(json.loads(self.encryption.open(_context(report), bytes(row.sealed))))

    async def _record(
        self,
        who: Actor,
        subject: Subject,
        step: str,
        report: UUID,
        entries: int,
        withheld: int,
        *,
        note: str = "",
        detail: Mapping[str, str | int] | None = None,
    ) -> None:
        event = Event(
            type=EventType.REPORT_CHANGED,
            exchange=uuid4(),
            at=self.clock(),
            who=who,
            whose=(subject,),
            outcome=step,
            detail={"report": str(report), "entries": entries, "withheld": withheld, **(detail or {})},
        )
        await self.recorded_search.log.append(
            event, payloads=[sealed_payload("note", event.at, {"note": note})] if note else []
        )

    def _sealed(self, report: UUID, draft: _Draft) -> bytes:
        subject = draft.subject
        plain = {
            "subject": {"id_type": subject.id_type.value, "id_number": subject.id_number, "country": subject.country},
            "since": draft.since and draft.since.isoformat(),
            "until": draft.until and draft.until.isoformat(),
            "withheld": [
                [n, entry.reason.value, entry.review_on.isoformat()] for n, entry in sorted(draft.withheld.items())
            ],
        }
        return self.encryption.seal(_context(report), json.dumps(plain).encode())


def _access(court: str, draft: _Draft) -> AuditAccess:
    query = Query(court=court, subject=draft.subject, since=draft.since, until=draft.until, types=LOOKED)
    return AuditAccess(query=query, reveal=SearchRevealReason.SUBJECT_REQUEST)


def _draft(plain: dict[str, Any]) -> _Draft:
    since, until = (datetime.fromisoformat(plain[name]) if plain[name] else None for name in ("since", "until"))
    withheld = {
        index: WithheldEntry(reason=Withholding(reason), review_on=date.fromisoformat(day))
        for index, reason, day in plain["withheld"]
    }
    id_type, number = IdType(plain["subject"]["id_type"]), plain["subject"]["id_number"]
    subject = Subject(kind=id_type.subject_kind, id_type=id_type, id_number=number, country=plain["subject"]["country"])
    return _Draft(subject=subject, since=since, until=until, withheld=withheld)


def _context(report: UUID) -> str:
    return f"report|{report}"

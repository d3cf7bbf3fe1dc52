"""
Verification jobs of the console, in the background of this process.

A job verifies the whole log, since no part of it can be proved without the rest; the requested period selects the
records that are counted.  Jobs and their reports live as long as this process.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final
from uuid import UUID, uuid4

from audit.anchor.anchors import AnchorKind, AnchorState
from audit.errors import AuditError
from audit.format.event import Actor
from audit.store.log import Log
from audit.verify.coverage import Checkpoints, CoveredRecords, count_anchors, count_checkpoints, count_records
from audit.verify.database_source import verify_tables
from audit.verify.findings import Damage, Finding, VerificationVerdict
from gateway.compliance.permissions import ComplianceItemNotFound, require_auditor
from gateway.compliance.recorded_search import RecordedSearch
from gateway.organization.people import Member
from schemas.china_time import day_end, day_start

# Jobs in memory; the oldest is dropped.
MOST_RUNS: Final = 20

# Damage to the records themselves.
_OF_RECORDS: Final = frozenset({Damage.ENTRY, Damage.MISSING, Damage.RANGE, Damage.REWRITTEN})


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """
    The result of a job.  `good` of the records of the period are as signed; `unsigned` of them no checkpoint covers
    yet.  `last_good` is the last record of the log below all damage.
    """

    verdict: VerificationVerdict
    size: int
    root: bytes
    records: CoveredRecords
    good: int
    unsigned: int
    checkpoints: Checkpoints
    anchors: Counter[tuple[AnchorKind, AnchorState]]
    findings: tuple[Finding, ...]
    checked: tuple[str, ...]
    unchecked: tuple[str, ...]

    @property
    def first_bad(self) -> int | None:
        """The first record that is not as signed, if it is known."""
        return min((finding.first for finding in self.findings if finding.first is not None), default=None)

    @property
    def last_good(self) -> int | None:
        """The last record below all damage."""
        if self.first_bad is not None:
            return self.first_bad - 1 if self.first_bad > 0 else None
        return self.size - 1 if self.size else None


@dataclass(slots=True, kw_only=True)
class VerificationJob:
    """One verification: period, progress and result."""

    id: UUID
    court: str
    since: date | None
    until: date | None
    started_at: datetime
    done: int = 0
    total: int = 0
    ended_at: datetime | None = None
    failed: bool = False
    result: Verification | None = field(default=None)

    def progress(self, done: int, total: int) -> None:
        """Called by the worker thread."""
        self.done, self.total = done, total


class VerificationJobs:
    """
    The jobs of this process.  `aclose` waits for the running one: a thread cannot be stopped.
    """

    def __init__(self, recorded_search: RecordedSearch, clock: Callable[[], datetime]) -> None:
        self._recorded_search = recorded_search
        self._clock = clock
        self._runs: dict[UUID, VerificationJob] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        # One at a time: each reads the whole log.
        self._turn = asyncio.Semaphore(1)

    async def start(self, actor: Member, who: Actor, since: date | None, until: date | None) -> UUID:
        """
        Starts a job over the court's days `since` … `until`, or returns the running one of the court.

        Raises `ComplianceRefused`, `AuditUnavailable`.
        """
        require_auditor(actor)
        under_way = next((run for run in self._runs.values() if run.court == actor.court and not run.ended_at), None)
        if under_way is not None:
            return under_way.id
        days = {name: day.isoformat() for name, day in (("since", since), ("until", until)) if day is not None}
        await self._recorded_search.record_view(who, "verification", **days)
        run = VerificationJob(id=uuid4(), court=actor.court, since=since, until=until, started_at=self._clock())
        self._runs[run.id] = run
        while len(self._runs) > MOST_RUNS:
            self._runs.pop(next(iter(self._runs)))
        task = asyncio.create_task(self._walk(run))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return run.id

    def find(self, actor: Member, run: UUID) -> VerificationJob:
        """A job of the actor's court.  Raises `ComplianceRefused`, `ComplianceItemNotFound` (also after a restart)."""
        require_auditor(actor)
        job = self._runs.get(run)
        if job is None or job.court != actor.court:
            raise ComplianceItemNotFound
        return job

    def all(self, actor: Member) -> list[VerificationJob]:
        """The jobs of the actor's court, newest first."""
        require_auditor(actor)
        return [run for run in reversed(self._runs.values()) if run.court == actor.court]

    async def aclose(self) -> None:
        """Waits for the running job."""
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _walk(self, run: VerificationJob) -> None:
        async with self._turn:
            try:
                run.result = await asyncio.to_thread(_verified, self._recorded_search.log, run)
            except AuditError:
                run.failed = True
        run.ended_at = self._clock()


def _verified(log: Log, run: VerificationJob) -> Verification:
    reader = log.reader
    since = None if run.since is None else day_start(run.since)
    until = None if run.until is None else day_end(run.until)
    records = count_records(reader, since, until)
    report = verify_tables(reader, log.origin, [log.keys.signer.vkey], progress=run.progress)
    first, last = records.first, records.last
    bad = 0
    if first is not None and last is not None:
        bad = _within(report.findings, first, last)
    unsigned = 0 if last is None or first is None else max(last + 1 - max(report.size, first), 0)
    return Verification(
        verdict=report.verdict,
        size=report.size,
        root=report.root,
        records=records,
        good=max(records.records - bad, 0) if report.root else 0,
        unsigned=min(unsigned, records.records),
        checkpoints=count_checkpoints(reader),
        anchors=count_anchors(reader),
        findings=tuple(report.findings),
        checked=tuple(report.checked),
        unchecked=tuple(report.unchecked),
    )


def _within(findings: list[Finding], first: int, last: int) -> int:
    """The number of damaged records from `first` to `last`; each counts once."""
    spans = sorted(
        (max(finding.first, first), min(finding.last, last))
        for finding in findings
        if finding.damage in _OF_RECORDS and finding.first is not None and finding.last is not None
    )
    touched, end = 0, first - 1
    for start, stop in spans:
        if stop > end:
            touched += stop - max(start, end + 1) + 1
            end = stop
    return touched

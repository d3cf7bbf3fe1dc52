"""
Everything that compliance staff use, made once for a hub.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from audit.store.log import Log
from gateway.compliance.calendar import CourtCalendar
from gateway.compliance.recorded_search import RecordedSearch
from gateway.compliance.review_queue import ReviewQueue
from gateway.compliance.saved_searches import SavedSearches
from gateway.compliance.subject_reports import SubjectReports
from gateway.compliance.verification_jobs import VerificationJobs
from gateway.database import Database
from gateway.field_encryption import FieldEncryption


@dataclass(frozen=True, slots=True, kw_only=True)
class Compliance:
    """The services of the console, over one log and one database."""

    recorded_search: RecordedSearch
    saved_searches: SavedSearches
    reports: SubjectReports
    review_queue: ReviewQueue
    verifications: VerificationJobs

    @classmethod
    def create(
        cls,
        database: Database,
        encryption: FieldEncryption,
        log: Log,
        calendar: Path | None,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> Self:
        """Puts them together.  Raises `ConfigurationError` for a calendar that cannot be read."""
        looking = RecordedSearch(log, clock=clock)
        return cls(
            recorded_search=looking,
            saved_searches=SavedSearches(database, encryption, clock=clock),
            reports=SubjectReports(database, encryption, looking, clock=clock),
            review_queue=ReviewQueue(database, encryption, looking, CourtCalendar.read(calendar), clock=clock),
            verifications=VerificationJobs(looking, clock=clock),
        )

    async def aclose(self) -> None:
        """Waits for verifications that are under way."""
        await self.verifications.aclose()

"""
The compliance services of a hub.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
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
    """The services of the compliance console, over one log and one database."""

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
        clock: Callable[[], datetime],
    ) -> Self:
        """Composes the services.  Raises `ConfigurationError` for a calendar that cannot be read."""
        search = RecordedSearch(log, clock)
        return cls(
            recorded_search=search,
            saved_searches=SavedSearches(database, encryption, clock),
            reports=SubjectReports(database, encryption, search, clock),
            review_queue=ReviewQueue(database, encryption, search, CourtCalendar.read(calendar), clock),
            verifications=VerificationJobs(search, clock),
        )

    async def aclose(self) -> None:
        """Waits for the running verification."""
        await self.verifications.aclose()

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
from gateway.compliance.recorded_search import Looking
from gateway.compliance.review_queue import ReviewQueue
from gateway.compliance.saved_searches import Handles
from gateway.compliance.subject_reports import SubjectReports
from gateway.compliance.verification_jobs import Verifications
from gateway.database import Database
from gateway.field_encryption import Vault


@dataclass(frozen=True, slots=True, kw_only=True)
class Compliance:
    """The services of the console, over one log and one database."""

    looking: Looking
    handles: Handles
    reports: SubjectReports
    queue: ReviewQueue
    verifications: Verifications

    @classmethod
    def of(
        cls,
        database: Database,
        vault: Vault,
        log: Log,
        calendar: Path | None,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> Self:
        """Puts them together.  Raises `ConfigurationError` for a calendar that cannot be read."""
        looking = Looking(log, clock=clock)
        return cls(
            looking=looking,
            handles=Handles(database, vault, clock=clock),
            reports=SubjectReports(database, vault, looking, clock=clock),
            queue=ReviewQueue(database, vault, looking, CourtCalendar.read(calendar), clock=clock),
            verifications=Verifications(looking, clock=clock),
        )

    async def aclose(self) -> None:
        """Waits for verifications that are under way."""
        await self.verifications.aclose()

"""
Reports to persons in PostgreSQL: functions over a connection, each a part of one transaction.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection, Row, select, update
from sqlalchemy.dialects.postgresql import insert as _insert

from gateway.database.tables import subject_report

MOST_LISTED: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportSummary:
    """A report without its entries.  `state` changes with every change of what is withheld."""

    id: UUID
    drafted_by: str
    drafted_at: datetime
    released_by: str | None
    released_at: datetime | None
    state: str


def summary(row: Row[Any]) -> ReportSummary:
    """The summary of a row."""
    return ReportSummary(
        id=row.id,
        drafted_by=row.drafted_by,
        drafted_at=row.drafted_at,
        released_by=row.released_by,
        released_at=row.released_at,
        state=hashlib.sha256(bytes(row.sealed)).hexdigest()[:32],
    )


def insert(connection: Connection, row: dict[str, object]) -> None:
    """Writes a new report."""
    connection.execute(_insert(subject_report), [row])


def get(connection: Connection, court: str, report: UUID) -> Row[Any] | None:
    """One report of a court."""
    c = subject_report.c
    return connection.execute(select(subject_report).where(c.court == court, c.id == report)).one_or_none()


def newest(connection: Connection, court: str) -> list[Row[Any]]:
    """The newest reports of a court."""
    c = subject_report.c
    query = select(subject_report).where(c.court == court).order_by(c.drafted_at.desc(), c.id).limit(MOST_LISTED)
    return list(connection.execute(query))


def reseal(connection: Connection, report: UUID, before: bytes, after: bytes) -> bool:
    """Changes what is withheld; False if the report was changed or released meanwhile."""
    c = subject_report.c
    same = update(subject_report).where(c.id == report, c.sealed == before, c.released_at.is_(None))
    return connection.execute(same.values(sealed=after)).rowcount == 1


def release(connection: Connection, report: UUID, user: str, at: datetime, seen: bytes) -> bool:
    """Releases exactly the content that the second person has seen; False if it was changed meanwhile."""
    c = subject_report.c
    same = update(subject_report).where(c.id == report, c.sealed == seen, c.released_at.is_(None))
    return connection.execute(same.values(released_by=user, released_at=at)).rowcount == 1

"""
The status of a work order's newest request, for its holder's page: a state and a time, nothing of the form.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, text

from gateway.autofill.states import RequestState

_NEWEST: Final = text("""
    SELECT state, coalesce(ended_at, started_at, created_at) AS since FROM autofill
    WHERE court = :court AND work_order = :work_order ORDER BY created_at DESC LIMIT 1
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestStatus:
    """The state of a request, and the time since when it has it."""

    state: RequestState
    since: datetime


def newest(connection: Connection, court: str, work_order: str) -> RequestStatus | None:
    """The newest request of a work order, or None."""
    row = connection.execute(_NEWEST, {"court": court, "work_order": work_order}).one_or_none()
    return None if row is None else RequestStatus(state=RequestState(row.state), since=row.since)

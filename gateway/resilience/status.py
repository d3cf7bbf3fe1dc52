"""
The status of each capability of each agency, for pages and metrics; it holds nothing about a person.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from schemas.codes import AnswerState, Reason


class BreakerState(StrEnum):
    """Whether questions go through: all, none, or one at a time as a probe."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardState:
    """
    One capability of one agency, as this process sees it.

    `opens_again_in` seconds until a first question is let through again; `budget_left` repeated attempts that may be
    made now; `minute_left` and `day_left` of the quotas that all replicas share, as last heard, None where none is
    declared; `closed_until` while calendar, quota or the agency's own demand keeps questions back; `drift` counts the
    unknown elements of answers since the start.
    """

    agency: str
    capability: str
    breaker: BreakerState
    opens_again_in: float | None
    in_flight: int
    in_flight_limit: int
    waiting: int
    waiting_limit: int
    budget_left: float
    minute_left: int | None
    day_left: int | None
    closed_until: datetime | None
    closed_because: Reason | None
    last_good_at: datetime | None
    last_state: AnswerState | None
    last_reason: Reason | None
    last_at: datetime | None
    drift: int


class Watcher(Protocol):
    """
    Counts what the guards do.  Its calls are cheap and never raise.
    """

    def attempted(self, agency: str, capability: str, outcome: str, seconds: float) -> None:
        """A request to the agency has ended: `answered`, or the reason why not."""
        ...

    def answered(self, agency: str, capability: str, state: AnswerState, reason: Reason | None, seconds: float) -> None:
        """A question has ended, after any number of attempts."""
        ...

"""
When a failed delivery is tried again: over hours, with full jitter, as the receiver asks, and not past the deadline.
"""

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

from gateway.callbacks.states import Failure

# Seconds; the last one again and again until the deadline.
STEPS: Final = (5, 30, 120, 600, 1_800, 3_600, 7_200)
LONGEST_WAIT: Final = 86_400
SHORTEST_WAIT: Final = 1.0
# The last attempt is made shortly before the deadline rather than not at all.
MARGIN: Final = timedelta(seconds=5)

# What no later attempt would change.
FINAL: Final = frozenset(
    {Failure.GONE, Failure.RECEIVER_REMOVED, Failure.OVERDUE, Failure.UNREADABLE, Failure.UNKNOWN_TYPE}
)


def next_attempt(
    failure: Failure,
    *,
    attempts: int,
    now: datetime,
    deadline: datetime,
    retry_after: float | None = None,
    draw: Callable[[float, float], float] = random.uniform,
) -> datetime | None:
    """
    The time of the next attempt after `attempts` have failed, or None: this was the last.
    """
    if failure in FINAL:
        return None
    step = STEPS[min(attempts, len(STEPS)) - 1]
    asked = min(retry_after or 0.0, LONGEST_WAIT)
    # Those who were asked to wait come back spread out, and not all at the same second.
    wait = max(SHORTEST_WAIT, draw(0, step) if not asked else asked + draw(0, min(step, asked)))
    if now + timedelta(seconds=asked) >= deadline:
        return None
    latest = deadline - MARGIN
    at = min(now + timedelta(seconds=wait), latest)
    return at if at > now else None


def retry_after_of(header: str | None, *, now: datetime) -> float | None:
    """
    The seconds of a `Retry-After`, in either of its forms (RFC 9110, section 10.2.3); None if it is none or says now.
    """
    said = (header or "").strip()
    if said.isascii() and said.isdigit():
        return min(float(said[:9]), LONGEST_WAIT) or None
    try:
        at = parsedate_to_datetime(said)
    except (ValueError, IndexError):
        return None
    seconds = (at.replace(tzinfo=at.tzinfo or UTC) - now).total_seconds()
    return min(seconds, LONGEST_WAIT) if seconds > 0 else None

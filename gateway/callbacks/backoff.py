"""
The schedule of retries of a failed delivery: full jitter over hours, at least `Retry-After`, never past the deadline.
"""

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from gateway.callbacks.states import Failure

# Seconds; the last one again and again until the deadline.
STEPS: Final = (5, 30, 120, 600, 1_800, 3_600, 7_200)
MIN_WAIT: Final = 1.0
# The last attempt is made shortly before the deadline rather than not at all.
MARGIN: Final = timedelta(seconds=5)

# Failures that no later attempt would change.
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
    requested = retry_after or 0.0
    # Jitter on top of the requested wait, so that deliveries of one receiver do not all return in the same second.
    wait = max(MIN_WAIT, requested + draw(0, min(step, requested)) if requested else draw(0, step))
    if now + timedelta(seconds=requested) >= deadline:
        return None
    latest = deadline - MARGIN
    at = min(now + timedelta(seconds=wait), latest)
    return at if at > now else None

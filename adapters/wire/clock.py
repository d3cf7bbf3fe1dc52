"""
The two clocks of the house: the time of day, which may jump, and the monotonic clock, which may not.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class CorrectedClock:
    """
    What time it is.  `now` is aware and in UTC; `monotonic` is in seconds from an arbitrary point.
    """

    now: Callable[[], datetime] = _utc_now
    monotonic: Callable[[], float] = time.monotonic

    def seconds(self) -> float:
        """Seconds since the epoch."""
        return self.now().timestamp()

    def milliseconds(self) -> str:
        """Milliseconds since the epoch in 13 digits, as the agencies' signatures want them."""
        return str(round(self.now().timestamp() * 1000))

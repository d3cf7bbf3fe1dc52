"""
When a call is made again: only where a repetition is harmless, with full jitter, and as the hub asks.
"""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime


@dataclass(frozen=True, slots=True)
class Patience:
    """
    How long a call is kept up, in seconds, all attempts and pauses together.
    """

    total: float = 60.0
    first: float = 0.5
    longest: float = 15.0
    draw: Callable[[float, float], float] = random.uniform

    def pause(self, attempts: int, waited: float, retry_after: float | None) -> float | None:
        """
        The pause after `attempts` failed ones, or None: that was the last.  Never shorter than the hub asks.
        """
        step = min(self.first * 2 ** min(attempts - 1, 16), self.longest)
        wait = (retry_after or 0.0) + self.draw(0.0, step)
        return wait if waited + wait < self.total else None


def retry_after_of(headers: Mapping[str, str], now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> float | None:
    """The seconds of `Retry-After`, in either of its forms; None where there is none that can be read."""
    said = headers.get("retry-after", "").strip()
    if said.isascii() and said.isdigit():
        return float(said[:9])
    try:
        at = parsedate_to_datetime(said)
    except (ValueError, IndexError):
        return None
    return max(0.0, (at.replace(tzinfo=at.tzinfo or UTC) - now()).total_seconds())

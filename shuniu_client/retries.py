"""
Retries: only of calls that are harmless to repeat, with full jitter, and not before the hub allows it.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

MAX_RETRY_AFTER: Final = 86_400.0


@dataclass(frozen=True, slots=True)
class Patience:
    """
    Limits of retrying in seconds: `total` for all attempts and pauses, `first` and `longest` step of the backoff.
    """

    total: float = 60.0
    first: float = 0.5
    longest: float = 15.0
    draw: Callable[[float, float], float] = random.uniform

    def pause(self, attempts: int, waited: float, retry_after: float | None) -> float | None:
        """
        The pause after so many failed attempts, or None to give up.  Never shorter than the hub asks.
        """
        step = min(self.first * 2 ** min(attempts - 1, 16), self.longest)
        wait = (retry_after or 0.0) + self.draw(0.0, step)
        return wait if waited + wait < self.total else None


def parse_retry_after(header: str | None, now: datetime) -> float | None:
    """
    The seconds that a `Retry-After` asks for, as a number or as a date, within 0 … 24 h; None if it is missing or
    unreadable.  `now` is aware.  Never raises.
    """
    text = (header or "").strip()
    if text.isascii() and text.isdigit():
        return min(float(text.lstrip("0")[:9] or "0"), MAX_RETRY_AFTER)
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    date = date if date.tzinfo else date.replace(tzinfo=UTC)
    return min(max((date - now).total_seconds(), 0.0), MAX_RETRY_AFTER)

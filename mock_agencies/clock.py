"""
The mock servers' clock: injectable, and movable while a server runs.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

CHINA = ZoneInfo("Asia/Shanghai")
SECOND_MS = 1_000
MINUTE_MS = 60 * SECOND_MS
HOUR_MS = 60 * MINUTE_MS


def wall_clock_ms() -> int:
    """Returns the machine's time in whole milliseconds since 1970."""
    return time.time_ns() // 1_000_000


@dataclass(slots=True)
class MockClock:
    """
    Milliseconds since 1970 by `source`, plus an offset that `advance` grows: secrets age without waiting.
    """

    source: Callable[[], int] = wall_clock_ms
    offset_ms: int = 0

    def now_ms(self) -> int:
        """Returns the mock time in milliseconds since 1970."""
        return self.source() + self.offset_ms

    def advance(self, seconds: float) -> None:
        """Moves the mock time forward, or back if negative."""
        self.offset_ms += round(seconds * SECOND_MS)


def stamp(now_ms: int) -> str:
    """Writes a moment as `yyyyMMddHHmmss` in China's time, the police formats' way."""
    return datetime.fromtimestamp(now_ms // SECOND_MS, CHINA).strftime("%Y%m%d%H%M%S")


def midnight_ms(day: date) -> int:
    """Returns midnight in China of that day in milliseconds since 1970, the registry's way of writing a date."""
    return round(datetime(day.year, day.month, day.day, tzinfo=CHINA).timestamp()) * SECOND_MS


def http_date(now_ms: int) -> str:
    """Writes a moment as an HTTP-date (RFC 9110 §5.6.7)."""
    return datetime.fromtimestamp(now_ms // SECOND_MS, UTC).strftime("%a, %d %b %Y %H:%M:%S GMT")

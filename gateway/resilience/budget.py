"""
A retry budget: a tenth of the first attempts of the last minute, and ten, may be repeated, so that an agency that is
down is not called much more often than one that is up.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

WINDOW_SECONDS: Final = 60
SHARE: Final = 0.1
FLOOR: Final = 10.0


@dataclass(slots=True)
class _BudgetSecond:
    at: int
    firsts: int = 0
    repeats: int = 0


class RetryBudget:
    """
    The budget of one agency in this process; `monotonic` in seconds.

    Kept for every span that ends now and is at most a minute long, not for the last minute as a whole: otherwise the
    repetitions that a busy minute earned could all be made in a quiet one after it.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._seconds: deque[_BudgetSecond] = deque()

    def first(self) -> None:
        """Counts a first attempt."""
        self._now().firsts += 1

    def take(self) -> bool:
        """Counts a repeated attempt; False if the budget has none left."""
        now = self._now()
        if self.left < 1:
            return False
        now.repeats += 1
        return True

    @property
    def left(self) -> float:
        """Attempts that may be repeated now."""
        self._now()
        left, repeats, firsts = FLOOR, 0, 0
        for second in reversed(self._seconds):
            # Firsts of a second may have come before the repeats of the same one: they earn for earlier spans only.
            repeats += second.repeats
            left = min(left, FLOOR + SHARE * firsts - repeats)
            firsts += second.firsts
        return left

    def _now(self) -> _BudgetSecond:
        at = int(self._monotonic())
        while self._seconds and self._seconds[0].at < at - WINDOW_SECONDS:
            self._seconds.popleft()
        if not self._seconds or self._seconds[-1].at != at:
            self._seconds.append(_BudgetSecond(at))
        return self._seconds[-1]

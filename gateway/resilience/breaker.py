"""
A circuit breaker for one capability: a failing or slow agency gets a rest, its callers an answer at once.

    closed ──(too many failures or slow calls)──▶ open ──(rest over)──▶ half-open ──(two successes)──▶ closed
                                                   ▲                        │
                                                   └──(a failure: rest doubled)
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Final

from adapters.call_policy import BreakerPolicy
from gateway.resilience.status import BreakerState

WINDOW_SECONDS: Final = 30
SUCCESSES: Final = 2
# The share of its timeout beyond which a call counts as slow.
SLOW: Final = 0.8
_JITTER: Final = 0.1


@dataclass(slots=True)
class _BreakerSecond:
    at: int
    calls: int = 0
    failed: int = 0
    slow: int = 0


class Breaker:
    """
    Decides whether a call goes through, by how the calls before it ended.  Every admitted call ends with exactly one of
    `succeeded`, `failed` and `dropped`; `monotonic` in seconds.
    """

    def __init__(self, policy: BreakerPolicy, monotonic: Callable[[], float], *, random: Random | None = None) -> None:
        self._policy = policy
        self._monotonic = monotonic
        self._random = random or Random()  # noqa: S311 - jitter, no secret
        self._seconds: deque[_BreakerSecond] = deque()
        self._in_a_row = 0
        self._rest = policy.open_for
        self._until: float | None = None
        self._probing = False
        self._successes = 0

    @property
    def state(self) -> BreakerState:
        """The state now."""
        if self._until is None:
            return BreakerState.CLOSED
        return BreakerState.OPEN if self._monotonic() < self._until else BreakerState.HALF_OPEN

    @property
    def wait(self) -> float | None:
        """Seconds until a call may go through; None while calls go through anyway."""
        if self._until is None:
            return None
        return max(self._until - self._monotonic(), 0.0)

    def admit(self) -> bool:
        """Whether a call may go through now; half open, one at a time may."""
        state = self.state
        if state is BreakerState.CLOSED:
            return True
        if state is BreakerState.OPEN or self._probing:
            return False
        self._probing = True
        return True

    def succeeded(self, *, slow: bool = False) -> None:
        """The agency answered; `slow` if that took nearly all of the timeout."""
        self._in_a_row = 0
        if self._until is None:
            second = self._second()
            second.calls += 1
            second.slow += slow
            self._weigh()
        elif self._probing:
            self._probing = False
            self._successes += 1
            if self._successes >= SUCCESSES:
                self._close()

    def failed(self) -> None:
        """The agency did not answer, or not readably."""
        self._in_a_row += 1
        if self._until is None:
            second = self._second()
            second.calls += 1
            second.failed += 1
            self._weigh()
        elif self._probing:
            self._probing = False
            self._rest = min(2 * self._rest, self._policy.longest)
            self._open()

    def dropped(self) -> None:
        """The call was ended by the hub, which says nothing about the agency."""
        self._probing = False

    def _weigh(self) -> None:
        policy = self._policy
        calls = sum(second.calls for second in self._seconds)
        enough = calls >= policy.calls
        failing = enough and sum(second.failed for second in self._seconds) >= policy.failing * calls
        slow = enough and sum(second.slow for second in self._seconds) >= policy.slow * calls
        if self._in_a_row >= policy.failures or failing or slow:
            self._open()

    def _open(self) -> None:
        jitter = self._random.uniform(1 - _JITTER, 1 + _JITTER)
        self._until = self._monotonic() + self._rest * jitter
        self._successes = 0
        self._seconds.clear()

    def _close(self) -> None:
        self._until = None
        self._in_a_row = 0
        self._rest = self._policy.open_for
        self._seconds.clear()

    def _second(self) -> _BreakerSecond:
        at = int(self._monotonic())
        while self._seconds and self._seconds[0].at <= at - WINDOW_SECONDS:
            self._seconds.popleft()
        if not self._seconds or self._seconds[-1].at != at:
            self._seconds.append(_BreakerSecond(at))
        return self._seconds[-1]

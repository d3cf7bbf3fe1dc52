"""
The limiters of calls to an agency: circuit breaker, retry budget and bulkhead.

The breaker belongs to one capability; retry budget and bulkhead are shared by the capabilities of an agency.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from random import Random
from typing import Final

from adapters.call_policy import BreakerPolicy
from gateway.resilience.status import BreakerState

BREAKER_SECONDS: Final = 30
BREAKER_SUCCESSES: Final = 2
# The share of its timeout beyond which a call counts as slow.
SLOW_SHARE: Final = 0.8
_JITTER: Final = 0.1

BUDGET_SECONDS: Final = 60
BUDGET_SHARE: Final = 0.1
BUDGET_FLOOR: Final = 10.0


class _Window:
    """`counters` counters for each of the last `length` seconds, the oldest first."""

    def __init__(self, length: int, counters: int, monotonic: Callable[[], float]) -> None:
        self._length = length
        self._empty = [0] * counters
        self._monotonic = monotonic
        self.seconds: deque[tuple[int, list[int]]] = deque()

    def now(self) -> list[int]:
        """The counters of this second, after dropping the expired ones."""
        now = int(self._monotonic())
        while self.seconds and self.seconds[0][0] <= now - self._length:
            self.seconds.popleft()
        if not self.seconds or self.seconds[-1][0] != now:
            self.seconds.append((now, self._empty.copy()))
        return self.seconds[-1][1]


class Breaker:
    """
    A circuit breaker: a failing or slow agency gets a rest, its callers an answer at once.

        closed ──(too many failures or slow calls)──▶ open ──(rest over)──▶ half-open ──(two successes)──▶ closed
                                                       ▲                        │
                                                       └──(a failure: rest doubled)

    Every admitted call ends with exactly one of `succeeded`, `failed` and `dropped`; `monotonic` in seconds.
    """

    def __init__(self, policy: BreakerPolicy, monotonic: Callable[[], float], *, random: Random | None = None) -> None:
        self._policy = policy
        self._monotonic = monotonic
        self._random = random or Random()  # noqa: S311 - jitter, no secret
        self._window = _Window(BREAKER_SECONDS, 3, monotonic)
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
        return None if self._until is None else max(self._until - self._monotonic(), 0.0)

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
            self._count(slow=slow)
        elif self._probing:
            self._probing = False
            self._successes += 1
            if self._successes >= BREAKER_SUCCESSES:
                self._close()

    def failed(self) -> None:
        """The agency did not answer, or not readably."""
        self._in_a_row += 1
        if self._until is None:
            self._count(failed=True)
        elif self._probing:
            self._probing = False
            self._rest = min(2 * self._rest, self._policy.longest)
            self._open()

    def dropped(self) -> None:
        """The call was ended by the hub, which says nothing about the agency."""
        self._probing = False

    def _count(self, *, failed: bool = False, slow: bool = False) -> None:
        policy, second = self._policy, self._window.now()
        second[:] = second[0] + 1, second[1] + failed, second[2] + slow
        calls, failures, slow_calls = map(sum, zip(*(counters for _, counters in self._window.seconds), strict=True))
        shares = failures >= policy.failing * calls or slow_calls >= policy.slow * calls
        if self._in_a_row >= policy.failures or (calls >= policy.calls and shares):
            self._open()

    def _open(self) -> None:
        jitter = self._random.uniform(1 - _JITTER, 1 + _JITTER)
        self._until = self._monotonic() + self._rest * jitter
        self._successes = 0
        self._window.seconds.clear()

    def _close(self) -> None:
        self._until = None
        self._in_a_row = 0
        self._rest = self._policy.open_for
        self._window.seconds.clear()


class RetryBudget:
    """
    A retry budget: a tenth of the first attempts of the last minute, and ten, may be repeated, so that an agency that
    is down is not called much more often than one that is up.

    It holds for every span of at most a minute that ends now, not for the last minute as a whole: otherwise the repeats
    that a busy minute earned could all be made in a quiet one after it.  `monotonic` in seconds.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._window = _Window(BUDGET_SECONDS + 1, 2, monotonic)

    def first(self) -> None:
        """Counts a first attempt."""
        self._window.now()[0] += 1

    def take(self) -> bool:
        """Counts a repeated attempt; False if the budget has none left."""
        if self.left < 1:
            return False
        self._window.now()[1] += 1
        return True

    @property
    def left(self) -> float:
        """Attempts that may be repeated now."""
        self._window.now()
        left, repeats, firsts = BUDGET_FLOOR, 0, 0
        for _, (first, repeated) in reversed(self._window.seconds):
            # Firsts of a second may have come before the repeats of the same one: they earn for earlier spans only.
            repeats += repeated
            left = min(left, BUDGET_FLOOR + BUDGET_SHARE * firsts - repeats)
            firsts += first
        return left


class BulkheadFull(Exception):
    """No slot became free in time, or too many questions wait already."""


class Bulkhead:
    """
    A bulkhead: a flood of questions to one agency fills its own bulkhead and no other.

    `in_flight` slots, `queue` questions waiting for at most `longest_wait` seconds each, in the order of arrival.
    """

    def __init__(self, *, in_flight: int, queue: int, longest_wait: float) -> None:
        self.limit = in_flight
        self.queue = queue
        self.waiting = 0
        self.in_flight = 0
        self._longest_wait = longest_wait
        self._slots = asyncio.Semaphore(in_flight)

    async def acquire(self, until: float) -> None:
        """Takes a slot, waiting at most until `until` on the event loop's clock.  Raises `BulkheadFull`."""
        if not self._slots.locked():
            await self._slots.acquire()
        elif self.waiting >= self.queue:
            raise BulkheadFull
        else:
            self.waiting += 1
            try:
                async with asyncio.timeout_at(min(until, asyncio.get_running_loop().time() + self._longest_wait)):
                    await self._slots.acquire()
            except TimeoutError:
                raise BulkheadFull from None
            finally:
                self.waiting -= 1
        self.in_flight += 1

    def release(self) -> None:
        """Passes the slot to the question that waits longest."""
        self.in_flight -= 1
        self._slots.release()

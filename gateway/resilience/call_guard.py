"""
The call guard of one capability: limits and repeats the calls to an agency.

    hours, pause ─▶ bulkhead ─▶ attempts ( breaker ─▶ quota and budget ─▶ the agency )

Nothing of a question outlives its deadline.  The state of the agency is learnt from the adapters' typed errors alone.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random
from typing import Final

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception

from adapters.call_policy import CallPolicy
from adapters.contract import Adapter, Interpretation, Question
from adapters.errors import (
    AgencyClosed,
    AgencyError,
    AgencyFault,
    AgencyThrottled,
    AgencyTimeout,
    AgencyUnavailable,
    AnswerUnreadable,
    UnsupportedLookup,
)
from adapters.wire.clock import CorrectedClock
from gateway.database import DatabaseUnavailable
from gateway.resilience.limiters import SLOW_SHARE, Breaker, Bulkhead, BulkheadFull, RetryBudget
from gateway.resilience.quotas import QuotaGrant, SharedQuotas
from gateway.resilience.status import GuardState, Watcher
from schemas.codes import AnswerState, Reason

# Requests of one question, those for secrets included.
MAX_REQUESTS: Final = 3
# No attempt begins with less time than this.
MIN_ATTEMPT_SECONDS: Final = 0.5
# Every wait of the wire ends at the deadline by itself; this is for one that does not.
GRACE_SECONDS: Final = 0.05
TRANSIENT_BACKOFF_SECONDS: Final = 0.05
THROTTLED_BACKOFF_SECONDS: Final = 1.0
MAX_BACKOFF_SECONDS: Final = 20.0
# A pause this short is waited for instead of being reported.
SHORT_PAUSE_SECONDS: Final = 1.0

# Where an answer broke off or was no answer at all, another attempt may bring a whole one.
_INCOMPLETE_AT: Final = frozenset({"body", "content-type"})
# Limits of this process, not of the agency: they pause nothing.
_OWN_LIMITS: Final = frozenset({Reason.OVERLOADED, Reason.RESTING})
_MINUTE_SECONDS: Final = 60.0
_ANSWERED: Final = frozenset({AnswerState.FOUND, AnswerState.NOT_FOUND, AnswerState.AMBIGUOUS})


@dataclass(frozen=True, slots=True)
class _Pause:
    until: float
    reason: Reason


@dataclass(slots=True)
class _LastAnswer:
    """The last answer of the agency, for its status."""

    good_at: datetime | None = None
    at: datetime | None = None
    state: AnswerState | None = None
    reason: Reason | None = None
    drift: int = 0


class CallGuard:
    """
    Calls one capability of one agency as its policy says.
    """

    def __init__(
        self,
        agency: str,
        capability: str,
        policy: CallPolicy,
        *,
        bulkhead: Bulkhead,
        budget: RetryBudget,
        quotas: SharedQuotas | None,
        watcher: Watcher | None,
        clock: CorrectedClock,
        random: Random,
    ) -> None:
        self.agency = agency
        self.capability = capability
        self._policy = policy
        self._bulkhead = bulkhead
        self._budget = budget
        self._quotas = quotas if policy.counted else None
        self._watcher = watcher
        self._clock = clock
        self._random = random
        self._breaker = Breaker(policy.breaker, clock.monotonic, random=random)
        self._pause: _Pause | None = None
        self._quota: QuotaGrant | None = None
        self._last = _LastAnswer()

    async def ask(self, adapter: Adapter, question: Question) -> Interpretation:
        """
        The agency's answer.  Raises `AgencyError`, and `UnsupportedLookup` as the adapter does.
        """
        await self._check_open(question)
        # Thousands may wait here at once, so the memory that each of them holds meanwhile counts.
        try:
            await self._bulkhead.acquire(question.deadline)
        except BulkheadFull:
            raise AgencyThrottled(SHORT_PAUSE_SECONDS, reason=Reason.OVERLOADED) from None
        try:
            async with asyncio.timeout_at(question.deadline + GRACE_SECONDS):
                return await self._attempts(adapter, question)
        except TimeoutError:
            raise AgencyTimeout from None
        finally:
            self._bulkhead.release()

    def answered(self, state: AnswerState, reason: Reason | None, at: datetime, seconds: float, drift: int) -> None:
        """Records the answer that the caller of a question gets."""
        last = self._last
        last.at, last.state, last.reason = at, state, reason
        last.drift += drift
        if state in _ANSWERED:
            last.good_at = at
        if self._watcher is not None:
            self._watcher.answered(self.agency, self.capability, state, reason, seconds)

    @property
    def state(self) -> GuardState:
        """The status now."""
        closed_until, closed_because = self._closed()
        quota, last = self._quota, self._last
        return GuardState(
            agency=self.agency,
            capability=self.capability,
            breaker=self._breaker.state,
            opens_again_in=self._breaker.wait,
            in_flight=self._bulkhead.in_flight,
            in_flight_limit=self._bulkhead.limit,
            waiting=self._bulkhead.waiting,
            waiting_limit=self._bulkhead.queue,
            budget_left=self._budget.left,
            minute_left=quota.minute_left if quota else self._policy.per_minute,
            day_left=quota.day_left if quota else self._policy.per_day,
            closed_until=closed_until,
            closed_because=closed_because,
            last_good_at=last.good_at,
            last_state=last.state,
            last_reason=last.reason,
            last_at=last.at,
            drift=last.drift,
        )

    async def _check_open(self, question: Question) -> None:
        """Raises if the agency must not be called now; waits for a pause that is nearly over."""
        now = self._clock.now()
        if not self._policy.hours.open_at(now):
            raise AgencyClosed(self._until_next_opening())
        pause = self._pause
        if pause is None or (left := pause.until - self._clock.monotonic()) <= 0:
            return
        if left > SHORT_PAUSE_SECONDS or self._left(question) < left + MIN_ATTEMPT_SECONDS:
            raise AgencyThrottled(left, reason=pause.reason)
        await asyncio.sleep(left)

    async def _attempts(self, adapter: Adapter, question: Question) -> Interpretation:
        """Attempts until one succeeds or no other may help; raises the last failure that the agency caused."""
        failure: AgencyError | None = None

        async def attempt() -> Interpretation:
            nonlocal failure
            if failure is not None and not self._budget.take():
                raise failure
            try:
                return await self._attempt(adapter, question, first=failure is None)
            except AgencyError as error:
                failure = error
                raise

        retrying = AsyncRetrying(
            retry=retry_if_exception(lambda error: self._may_repeat(error, question)),
            wait=self._backoff,
            stop=lambda state: (
                state.attempt_number >= self._policy.attempts
                or self._left(question) < state.upcoming_sleep + MIN_ATTEMPT_SECONDS
            ),
            sleep=asyncio.sleep,
            reraise=True,
        )
        return await retrying(attempt)

    async def _attempt(self, adapter: Adapter, question: Question, *, first: bool) -> Interpretation:
        if not self._breaker.admit():
            raise AgencyThrottled(self._breaker.wait or SHORT_PAUSE_SECONDS, reason=Reason.RESTING)
        began = self._clock.monotonic()
        outcome = "answered"
        try:
            reading = await adapter.ask(self.capability, replace(question, permit=self._permits(question)))
            took = self._clock.monotonic() - began
            self._breaker.succeeded(slow=took > SLOW_SHARE * self._policy.timeout)
        except UnsupportedLookup:
            outcome = ""
            self._breaker.dropped()
            raise
        except AgencyError as error:
            outcome = error.reason.value
            await self._learn(error)
            raise
        except BaseException:
            # Cut off at the deadline, the agency failed; cut off earlier, its caller had left.
            late = self._left(question) <= 0
            outcome = Reason.TIMEOUT.value if late else "cancelled"
            (self._breaker.failed if late else self._breaker.dropped)()
            raise
        finally:
            if outcome and first:
                self._budget.first()
            if outcome and self._watcher is not None:
                self._watcher.attempted(self.agency, self.capability, outcome, self._clock.monotonic() - began)
        return reading

    def _permits(self, question: Question) -> Callable[[], Awaitable[None]]:
        """What an attempt awaits before each request that the agency counts."""
        before = question.evidence.attempts

        async def permit() -> None:
            sent = question.evidence.attempts
            # A wire may have to ask again within an attempt, with a newer secret: that is an attempt like the others.
            if sent > before and (sent >= MAX_REQUESTS or not self._budget.take()):
                raise AgencyThrottled(SHORT_PAUSE_SECONDS, reason=Reason.OVERLOADED)
            await self._within_quota()

        return permit

    async def _within_quota(self) -> None:
        if self._quotas is None:
            return
        quota: QuotaGrant | None = None
        with suppress(DatabaseUnavailable):
            quota = self._quota = await self._quotas.take(self.agency, self.capability, self._policy)
        if quota is None:
            # Without the database, whether this request still fits is unknown.
            raise AgencyThrottled(SHORT_PAUSE_SECONDS, reason=Reason.OVERLOADED)
        if not quota.given:
            day_used_up = quota.wait > _MINUTE_SECONDS or quota.day_left == 0
            raise AgencyThrottled(quota.wait, reason=Reason.QUOTA if day_used_up else Reason.THROTTLED)

    async def _learn(self, error: AgencyError) -> None:
        """Updates breaker, pause and quota with a failed attempt."""
        match error:
            case AgencyThrottled() | AgencyUnavailable(reason=Reason.OVERLOADED):
                self._breaker.dropped()
            case AgencyUnavailable() | AnswerUnreadable() | AgencyFault(reason=Reason.CERTIFICATE):
                self._breaker.failed()
            case _:
                # It answered, so it is not in trouble.
                self._breaker.succeeded()
        if error.reason is Reason.OUTSIDE_HOURS and error.retry_after is None:
            error.retry_after = self._until_next_opening()
        if not error.retry_after or error.reason in _OWN_LIMITS:
            return
        until = self._clock.monotonic() + error.retry_after
        if self._pause is None or self._pause.until < until:
            self._pause = _Pause(until, error.reason)
        if error.reason is Reason.QUOTA and self._quotas is not None and (self._quota is None or self._quota.given):
            # The agency said so before our own count did: the other replicas need not find out by themselves.
            with suppress(DatabaseUnavailable):
                await self._quotas.close(self.agency, self.capability, error.retry_after)

    def _may_repeat(self, error: BaseException, question: Question) -> bool:
        """Whether the agency's facts, the number of attempts and the budget allow one more after this failure."""
        return (
            isinstance(error, AgencyError)
            and question.evidence.attempts < self._policy.attempts
            and self._repeatable(error, question)
            and self._budget.left >= 1
        )

    @staticmethod
    def _repeatable(error: AgencyError, question: Question) -> bool:
        match error:
            case AgencyThrottled(reason=Reason.THROTTLED):
                return error.retry_after is not None
            case AnswerUnreadable(reason=Reason.UNDECODABLE):
                return error.at in _INCOMPLETE_AT and question.evidence.attempts <= 1
            case _:
                return error.repeatable

    def _backoff(self, state: RetryCallState) -> float:
        """Full jitter, or what the agency asked for and a little more."""
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, AgencyError) and error.retry_after:
            return error.retry_after * self._random.uniform(1.0, 1.1)
        base = THROTTLED_BACKOFF_SECONDS if isinstance(error, AgencyThrottled) else TRANSIENT_BACKOFF_SECONDS
        return self._random.uniform(0.0, min(MAX_BACKOFF_SECONDS, base * 2.0 ** (state.attempt_number - 1)))

    def _until_next_opening(self) -> float | None:
        now = self._clock.now()
        opening = self._policy.hours.next_opening(now)
        return None if opening is None or opening <= now else (opening - now).total_seconds()

    def _closed(self) -> tuple[datetime | None, Reason | None]:
        now = self._clock.now()
        if not self._policy.hours.open_at(now):
            return self._policy.hours.next_opening(now), Reason.OUTSIDE_HOURS
        if self._pause is not None and (left := self._pause.until - self._clock.monotonic()) > 0:
            return now + timedelta(seconds=left), self._pause.reason
        return None, None

    @staticmethod
    def _left(question: Question) -> float:
        return question.deadline - asyncio.get_running_loop().time()

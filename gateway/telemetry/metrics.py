"""
Counters and histograms of one hub, as plain integers.

Everything is counted in the event loop, so nothing needs a lock: a histogram of the usual client library takes one for
every observation, which a lookup would pay for a dozen times.  Whoever renders them takes a `snapshot` in the loop.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

from schemas.codes import AnswerState, Reason

BOUNDS: Final = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0, 30.0)
"""Upper bounds in seconds: those of the OpenTelemetry convention, and the longest deadline of a lookup."""

K = TypeVar("K", bound=tuple[str, ...])


@dataclass(frozen=True, slots=True)
class Durations:
    """How often something took how long: `counts` for each bound, the last for all beyond; `total` in seconds."""

    counts: tuple[int, ...]
    total: float


class Histogram(Generic[K]):
    """Durations by labels."""

    def __init__(self) -> None:
        self._counts: dict[K, list[int]] = {}
        self._totals: dict[K, float] = {}

    def observe(self, labels: K, seconds: float) -> None:
        """One more of these labels."""
        counts = self._counts.get(labels)
        if counts is None:
            counts = self._counts[labels] = [0] * (len(BOUNDS) + 1)
            self._totals[labels] = 0.0
        counts[bisect_left(BOUNDS, seconds)] += 1
        self._totals[labels] += seconds

    def snapshot(self) -> Mapping[K, Durations]:
        """As it stands now."""
        return {labels: Durations(tuple(counts), self._totals[labels]) for labels, counts in self._counts.items()}


Request = tuple[str, str, str]
"""Method, template of the route, status."""
Question = tuple[str, str]
"""Agency, capability."""
Answered = tuple[str, str, str, str]
"""Agency, capability, state, reason ("" where there is none)."""
Attempted = tuple[str, str, str]
"""Agency, capability, outcome: `answered`, or a reason."""
Refusal = tuple[str, str]
"""Problem, rule ("" where it names none)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricsSnapshot:
    """Every figure at one moment."""

    requests: Mapping[Request, Durations]
    active: int
    refusals: Mapping[Refusal, int]
    lookups: Mapping[tuple[str], int]
    answers: Mapping[Answered, int]
    answering: Mapping[Question, Durations]
    attempts: Mapping[Attempted, int]
    attempting: Mapping[Question, Durations]
    loop_lag: Mapping[tuple[()], Durations]


@dataclass(slots=True)
class Metrics:
    """
    What one hub counts since it started.  Use it in the event loop only; labels are words of ours from closed sets.
    """

    active: int = 0
    requests: Histogram[Request] = field(default_factory=Histogram)
    refusals: Counter[Refusal] = field(default_factory=Counter)
    lookups: Counter[tuple[str]] = field(default_factory=Counter)
    answers: Counter[Answered] = field(default_factory=Counter)
    answering: Histogram[Question] = field(default_factory=Histogram)
    attempts: Counter[Attempted] = field(default_factory=Counter)
    attempting: Histogram[Question] = field(default_factory=Histogram)
    loop_lag: Histogram[tuple[()]] = field(default_factory=Histogram)

    def attempted(self, agency: str, capability: str, outcome: str, seconds: float) -> None:
        """One request to an agency came to its end."""
        self.attempts[agency, capability, outcome] += 1
        self.attempting.observe((agency, capability), seconds)

    def answered(self, agency: str, capability: str, state: AnswerState, reason: Reason | None, seconds: float) -> None:
        """One question came to its end.  One that was never put took no time, and is not timed."""
        self.answers[agency, capability, state.value, reason.value if reason else ""] += 1
        if state is not AnswerState.NOT_ASKED:
            self.answering.observe((agency, capability), seconds)

    def snapshot(self) -> MetricsSnapshot:
        """As everything stands now."""
        return MetricsSnapshot(
            requests=self.requests.snapshot(),
            active=self.active,
            refusals=dict(self.refusals),
            lookups=dict(self.lookups),
            answers=dict(self.answers),
            answering=self.answering.snapshot(),
            attempts=dict(self.attempts),
            attempting=self.attempting.snapshot(),
            loop_lag=self.loop_lag.snapshot(),
        )

"""
Ranking of the review queue: cases (one person's uses of one day) by the signals of the rules, and a random sample.

Pure.  The sample is drawn by a keyed mark of day and person: unpredictable without the key, reproducible with it.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from gateway.compliance.anomaly_rules import DayContext, Signal, lookup_volumes, signals
from gateway.compliance.calendar import CourtCalendar
from gateway.compliance.usage import UsageEvent
from schemas.china_time import day_in_china

SAMPLE: Final = 2

Draw = Callable[[date, str], bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """
    One person's uses of one day.  A case without signals was drawn at random.  Personal: `repr` shows no name.
    """

    day: date
    user: str = field(repr=False)
    name: str = field(repr=False)
    unit: str
    uses: tuple[UsageEvent, ...] = field(repr=False)
    signals: tuple[Signal, ...]

    @property
    def score(self) -> int:
        """The sum of the signals' weights."""
        return sum(signal.weight for signal in self.signals)

    @property
    def sampled(self) -> bool:
        """Whether it was drawn at random."""
        return not self.signals


def rank_cases(uses: Iterable[UsageEvent], calendar: CourtCalendar, draw: Draw, *, sample: int = SAMPLE) -> list[Case]:
    """
    The cases of these uses, the most urgent first: by score, then the newest; on each day `sample` people whom no rule
    points to.
    """
    days: dict[date, list[UsageEvent]] = defaultdict(list)
    for use in uses:
        days[day_in_china(use.at)].append(use)
    cases: list[Case] = []
    for day, of_day in days.items():
        of_people = _of_day(day, of_day, calendar)
        quiet = sorted((case for case in of_people if case.sampled), key=lambda case: draw(day, case.user))
        cases += [case for case in of_people if not case.sampled] + quiet[:sample]
    return sorted(cases, key=lambda case: (-case.score, -case.day.toordinal(), draw(case.day, case.user)))


def _of_day(day: date, uses: Sequence[UsageEvent], calendar: CourtCalendar) -> list[Case]:
    around = DayContext(calendar=calendar, volumes=lookup_volumes(uses))
    people: dict[str, list[UsageEvent]] = defaultdict(list)
    for use in uses:
        people[use.user].append(use)
    return [
        Case(
            day=day,
            user=user,
            name=next((use.name for use in own if use.name), user),
            unit=own[-1].unit,
            uses=tuple(own),
            signals=signals(own, around),
        )
        for user, own in people.items()
    ]

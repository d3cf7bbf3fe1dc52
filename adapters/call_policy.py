"""
How an agency may be asked: how often, how many at once, at which hours, and what to do when it fails.

Declared in agencies.toml beside the address, because the agency's contract says it; kept by `gateway.resilience`.
The annotations are the rules of that file.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Annotated, Any, Final, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, PlainValidator, ValidationInfo

from adapters.config_file import Day, Integer, Moment, Number, TimeOfDay, broken_rule
from schemas.china_time import CHINA

WeekDay = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEK: Final[tuple[WeekDay, ...]] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
Spans = tuple[tuple[Moment, Moment], ...]

# Further ahead no opening is looked for: an agency that is closed for longer is closed for good.
_HORIZON: Final = 370


def _zone(name: Any) -> tzinfo:
    if name == "Asia/Shanghai":
        return CHINA
    try:
        return ZoneInfo(name)
    except (OSError, TypeError, ValueError, KeyError):
        pass
    raise broken_rule("is no time zone", 'write zone = "Asia/Shanghai"')


def _after_opening(closes: time, info: ValidationInfo) -> time:
    if closes <= info.data.get("opens", time.min):
        raise broken_rule("is not later on the day than opens", "write closes = 18:00:00")
    return closes


def _in_order(spans: Spans, info: ValidationInfo) -> Spans:
    zone = info.data.get("zone", CHINA)
    begins, ends = ([span[end].replace(tzinfo=span[end].tzinfo or zone) for span in spans] for end in (0, 1))
    if any(begin >= end for begin, end in zip(begins, ends, strict=True)):
        raise broken_rule("ends before it begins", "write [[2026-12-05T22:00:00, 2026-12-06T04:00:00]]")
    return tuple(zip(begins, ends, strict=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """
    When an agency answers, in its own time zone: `opens` to `closes` on `days`, whole days off (`holidays`), days on
    that would be off (`working_days`), and `maintenance` from–to.  Without any of these: always.
    """

    zone: Annotated[tzinfo, PlainValidator(_zone)] = CHINA
    days: Annotated[frozenset[WeekDay], Field(min_length=1)] = frozenset(WEEK)
    opens: TimeOfDay = time.min
    closes: Annotated[TimeOfDay, AfterValidator(_after_opening)] | None = None
    holidays: frozenset[Day] = frozenset()
    working_days: frozenset[Day] = frozenset()
    maintenance: Annotated[Spans, AfterValidator(_in_order)] = ()

    def open_at(self, moment: datetime) -> bool:
        """Whether a question of this aware moment is in time."""
        local = moment.astimezone(self.zone)
        if any(begins <= moment < ends for begins, ends in self.maintenance):
            return False
        within = self.opens <= local.time() and (self.closes is None or local.time() < self.closes)
        return within and self._works(local.date())

    def next_opening(self, moment: datetime) -> datetime | None:
        """The first moment from `moment` on at which the agency answers; None if it has none within a year."""
        ends = sorted(ends for begins, ends in self.maintenance if ends > moment)
        local = moment.astimezone(self.zone)
        days = (local.date() + timedelta(days=ahead) for ahead in range(_HORIZON))
        openings = (datetime.combine(day, self.opens, tzinfo=self.zone) for day in days if self._works(day))
        candidates = [moment, *ends]
        for opening in openings:
            if opening > moment:
                candidates.append(opening)
                # Nothing later can come first, unless maintenance covers this very opening.
                if self.open_at(opening):
                    break
        return min((one for one in candidates if one >= moment and self.open_at(one)), default=None)

    def _works(self, day: date) -> bool:
        if day in self.working_days:
            return True
        return day not in self.holidays and WEEK[day.weekday()] in self.days


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerPolicy:
    """
    When questions are kept back because they fail: after `failures` in a row, or when of at least `calls` within 30 s
    the share `failing` failed or the share `slow` took longer than 0.8 of an attempt.  `open_for` seconds, doubling to
    `longest`.
    """

    failures: Annotated[Integer, Field(ge=1, le=1_000)] = 5
    calls: Annotated[Integer, Field(ge=1, le=10_000)] = 20
    failing: Annotated[Number, Field(ge=0.01, le=1)] = 0.5
    slow: Annotated[Number, Field(ge=0.01, le=1)] = 0.8
    open_for: Annotated[Number, Field(ge=0.1, le=3_600)] = 15.0
    longest: Annotated[Number, Field(ge=0.1, le=86_400)] = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CallPolicy:
    """
    How one capability is asked.  `timeout` seconds of one attempt; `attempts` at most, 1 where the agency's facts do
    not say that a repeated question is harmless; `fresh_for` seconds in which an answer is not asked for again under
    the same grant; quotas per minute and per day of the agency's zone, shared by all replicas.
    """

    timeout: float = 4.0
    attempts: int = 3
    per_minute: int | None = None
    per_day: int | None = None
    fresh_for: float = 0.0
    breaker: BreakerPolicy = field(default_factory=BreakerPolicy)
    hours: Hours = field(default_factory=Hours)

    @property
    def counted(self) -> bool:
        """Whether the agency states a quota."""
        return self.per_minute is not None or self.per_day is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class AgencyPolicy:
    """
    What all capabilities of an agency share: `in_flight` questions at once, `queue` more that wait up to
    `longest_wait` seconds.
    """

    in_flight: int = 10
    queue: int = 20
    longest_wait: float = 1.0
    calls: Mapping[str, CallPolicy] = field(default_factory=dict)

"""
Anomaly rules: pure functions over one person's uses of one day, each with a reason in words and its evidence.

A rule asks for a review and nothing else: most signals have a good explanation.  The queue counts how often each rule
was right (`gateway.compliance.review_queue`).
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

from audit.format.event import EventType
from gateway.compliance.calendar import CourtCalendar
from gateway.compliance.surnames import COMMON, surname
from gateway.compliance.usage import UsageEvent
from schemas.codes import Code

NO_PARTY_FROM: Final = 3
REFUSALS_FROM: Final = 5
VOLUME_FROM: Final = 10
FEWEST_PEERS: Final = 5
# Median absolute deviations, scaled to those of a normal distribution: one in some thousand by chance.
FAR_OUT: Final = 3.5
MAD_SCALE: Final = 1.4826
MOST_EVIDENCE: Final = 50

VIEW_EVENTS: Final = frozenset(
    {EventType.LOOKUP_INTENT, EventType.RESULT_READ, EventType.FIELD_REVEALED, EventType.RECORD_PRINTED}
)
_PARTY_RULES: Final = frozenset({"party_not_named", "party_name_differs"})


class AnomalyRule(Code):
    """A pattern of use that is worth a review."""

    NO_MATCHING_PARTY = (
        "no_matching_party",
        "多次查询工单未列明的人",
        "Repeated lookups of people whom no work order names",
    )
    SAME_SURNAME = "same_surname", "与查询人同姓", "Same surname as the holder"
    AFTER_HOURS = "after_hours", "非工作时间", "Outside the court's hours"
    VOLUME = "volume", "查询量明显高于同事", "Far more lookups than the colleagues"
    REPEATED_REFUSALS = "repeated_refusals", "多次被拒", "Repeated refusals"
    BREAK_GLASS = "break_glass", "应急查询", "Emergency access"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """
    The result of one rule: weight, reason in words, and the records that show it (at most 50 indexes).
    """

    rule: AnomalyRule
    weight: int
    zh: str
    en: str
    evidence: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DayContext:
    """The context of a day: the court's calendar, and the number of lookups of each person."""

    calendar: CourtCalendar
    volumes: Mapping[str, int]


def signals(uses: Sequence[UsageEvent], around: DayContext) -> tuple[Signal, ...]:
    """The signals of one person's uses of one day, the heaviest first."""
    results = [rule(uses, around) for rule in _RULES]
    return tuple(sorted(filter(None, results), key=lambda signal: (-signal.weight, signal.rule)))


def lookup_volumes(uses: Sequence[UsageEvent]) -> Mapping[str, int]:
    """The number of lookups of each person."""
    return Counter(use.user for use in uses if use.type is EventType.LOOKUP_INTENT)


def _no_matching_party(uses: Sequence[UsageEvent], _around: DayContext) -> Signal | None:
    those = [use for use in uses if use.rule in _PARTY_RULES]
    n = len(those)
    if n < NO_PARTY_FROM:
        return None
    return _signal(
        AnomalyRule.NO_MATCHING_PARTY,
        3 + min(n // 5, 3),
        f"{n}次查询的人不在工单所列当事人之中",
        f"{n} lookups of people who are no party of the work order",
        those,
    )


def _same_surname(uses: Sequence[UsageEvent], _around: DayContext) -> Signal | None:
    those = [use for use in uses if (own := surname(use.name)) and own in map(surname, use.names)]
    if not those:
        return None
    common = surname(those[0].name) in COMMON
    return _signal(
        AnomalyRule.SAME_SURNAME,
        1 if common else 3,
        f"{len(those)}条记录的当事人与查询人同姓{'（大姓）' if common else ''}",
        f"{len(those)} records about a person of the holder's surname{' (a common one)' if common else ''}",
        those,
    )


def _after_hours(uses: Sequence[UsageEvent], around: DayContext) -> Signal | None:
    those = [use for use in uses if use.type in VIEW_EVENTS and not around.calendar.is_open(use.at)]
    if not those:
        return None
    return _signal(
        AnomalyRule.AFTER_HOURS,
        1 + min(len(those) // 5, 2),
        f"{len(those)}次在工作时间之外",
        f"{len(those)} times outside the court's hours",
        those,
    )


def _volume(uses: Sequence[UsageEvent], around: DayContext) -> Signal | None:
    those = [use for use in uses if use.type is EventType.LOOKUP_INTENT]
    n = len(those)
    if n < VOLUME_FROM or len(around.volumes) <= FEWEST_PEERS:
        return None
    middle = median(around.volumes.values())
    spread = MAD_SCALE * median(abs(volume - middle) for volume in around.volumes.values())
    # Where colleagues hardly differ, one lookup more is no deviation.
    if n - middle <= FAR_OUT * max(spread, 1.0):
        return None
    return _signal(
        AnomalyRule.VOLUME,
        2 + (n > 3 * middle),
        f"查询{n}次，同事中位数为{middle:g}次",
        f"{n} lookups, where the median of the colleagues is {middle:g}",
        those,
    )


def _repeated_refusals(uses: Sequence[UsageEvent], _around: DayContext) -> Signal | None:
    refused = {EventType.LOOKUP_DENIED, EventType.ACCESS_REFUSED}
    those = [use for use in uses if use.type in refused and use.rule not in _PARTY_RULES]
    if len(those) < REFUSALS_FROM:
        return None
    kinds = len({use.rule for use in those})
    return _signal(
        AnomalyRule.REPEATED_REFUSALS,
        2 + (kinds > 2),
        f"被拒{len(those)}次，涉及{kinds}条规则",
        f"refused {len(those)} times, by {kinds} rules",
        those,
    )


def _break_glass(uses: Sequence[UsageEvent], _around: DayContext) -> Signal | None:
    those = [use for use in uses if use.emergency]
    if not those:
        return None
    return _signal(
        AnomalyRule.BREAK_GLASS,
        4,
        f"发起应急查询{len(those)}次",
        f"stated {len(those)} emergencies",
        those,
    )


def _signal(rule: AnomalyRule, weight: int, zh: str, en: str, those: Sequence[UsageEvent]) -> Signal:
    evidence = tuple(use.index for use in those[:MOST_EVIDENCE])
    return Signal(rule=rule, weight=weight, zh=zh, en=en, evidence=evidence)


_RULES: Final[tuple[Callable[[Sequence[UsageEvent], DayContext], Signal | None], ...]] = (
    _no_matching_party,
    _same_surname,
    _after_hours,
    _volume,
    _repeated_refusals,
    _break_glass,
)

"""
The rules of the review queue: what each says of a day's uses, with its reason and its evidence.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.errors import ConfigurationError
from audit.format.event import EventType
from gateway.compliance.anomaly_rules import AnomalyRule, DayContext, Signal, lookup_volumes, signals
from gateway.compliance.calendar import CourtCalendar
from gateway.compliance.review_ranking import rank_cases
from gateway.compliance.surnames import surname
from gateway.compliance.usage import UsageEvent
from schemas.china_time import CHINA, day_in_china

TUESDAY = datetime(2026, 11, 24, 10, 0, tzinfo=CHINA)
CALENDAR = CourtCalendar()
QUIET = DayContext(calendar=CALENDAR, volumes={})


def use(index: int = 1, **changes: object) -> UsageEvent:
    """A lookup on a Tuesday morning by somebody whose surname is rare."""
    plain = UsageEvent(
        index=index, at=TUESDAY, type=EventType.LOOKUP_INTENT, user="li.ting", name="端木婷", names=("钱多多",)
    )
    return replace(plain, **changes)


def denied(index: int, rule: str) -> UsageEvent:
    """A refusal."""
    return use(index, type=EventType.LOOKUP_DENIED, rule=rule)


def signals_by_rule(uses: Sequence[UsageEvent], around: DayContext = QUIET) -> dict[str, Signal]:
    """What the rules say, by rule."""
    return {signal.rule.value: signal for signal in signals(uses, around)}


def test_an_ordinary_day_says_nothing() -> None:
    """A few lookups in the morning, of people of other names."""
    assert signals([use(n) for n in range(9)], QUIET) == ()


def test_repeated_lookups_of_people_outside_the_work_order_are_a_signal_with_evidence() -> None:
    """Two are a slip; three are a signal, and more weigh more."""
    two, three = ([denied(n, "party_not_named") for n in range(count)] for count in (2, 3))
    factories = [denied(n, "party_name_differs") for n in range(20)]

    assert signals_by_rule(two) == {}
    assert signals_by_rule(three) == {
        "no_matching_party": Signal(
            rule=AnomalyRule.NO_MATCHING_PARTY,
            weight=3,
            zh="3次查询的人不在工单所列当事人之中",
            en="3 lookups of people who are no party of the work order",
            evidence=(0, 1, 2),
        )
    }
    assert signals_by_rule(factories)["no_matching_party"].weight == 6


def test_a_shared_surname_weighs_less_where_it_is_common() -> None:
    """王 and 王 are seldom related; 端木 and 端木 may be."""
    rare = signals_by_rule([use(4, names=("端木磊", "张三"))])["same_surname"]
    common = signals_by_rule([use(4, name="王强", names=("王伟",))])["same_surname"]

    assert (rare.weight, rare.evidence, common.weight) == (3, (4,), 1)
    assert "（大姓）" in common.zh
    assert signals_by_rule([use(name="王强", names=("汪洋",))]) == {}


@pytest.mark.parametrize(
    ("name", "expected"),
    [("王强", "王"), ("欧阳修", "欧阳"), ("欧阳", "欧"), ("Zhang Wei", ""), ("", ""), (" 李婷 ", "李")],
)
def test_surnames_of_han_names_are_recognised(name: str, expected: str) -> None:
    """Compound ones too, unless nothing would be left of the name."""
    assert surname(name) == expected


@pytest.mark.parametrize(
    ("moment", "unusual"),
    [
        ("2026-11-24T08:00:00+08:00", False),
        ("2026-11-24T07:59:59+08:00", True),
        ("2026-11-24T18:00:00+08:00", True),
        ("2026-11-28T10:00:00+08:00", True),
        ("2026-10-01T10:00:00+08:00", True),
        ("2026-10-10T10:00:00+08:00", False),
    ],
)
def test_hours_are_those_of_the_court_with_its_holidays_and_worked_weekends(moment: str, unusual: bool) -> None:
    """By the clock of the court, whatever zone a record's time is in."""
    calendar = CourtCalendar.read(Path("config/calendar.example.toml"))
    at = datetime.fromisoformat(moment).astimezone(UTC)

    assert ("after_hours" in signals_by_rule([use(at=at)], DayContext(calendar=calendar, volumes={}))) is unusual


def test_a_volume_is_a_signal_only_far_above_enough_colleagues() -> None:
    """Median and deviation, so that one busy colleague does not hide another."""
    mine = [use(n) for n in range(30)]
    peers = dict.fromkeys("abcdefg", 6) | {"h": 25}
    volume = signals_by_rule(mine, DayContext(calendar=CALENDAR, volumes=peers | {"li.ting": 30}))["volume"]

    assert (volume.en, volume.weight, len(volume.evidence)) == (
        "30 lookups, where the median of the colleagues is 6",
        3,
        30,
    )
    assert "volume" not in signals_by_rule(mine, DayContext(calendar=CALENDAR, volumes={"li.ting": 30, "a": 6}))
    assert "volume" not in signals_by_rule(mine[:9], DayContext(calendar=CALENDAR, volumes=peers | {"li.ting": 9}))


def test_refusals_by_several_rules_weigh_more_and_those_about_parties_count_elsewhere() -> None:
    """Five of one rule may be a closed work order; five of three rules are attempts."""
    same = [denied(n, "work_order_not_open") for n in range(5)]
    mixed = [*same, denied(6, "grant_ended"), denied(7, "role_missing")]

    assert (signals_by_rule(same)["repeated_refusals"].weight, signals_by_rule(mixed)["repeated_refusals"].weight) == (
        2,
        3,
    )
    assert signals_by_rule(same[:4]) == {}
    assert list(signals_by_rule([denied(n, "party_not_named") for n in range(9)])) == ["no_matching_party"]


def test_every_emergency_is_looked_at() -> None:
    """Whatever else the day says."""
    broken = use(8, type=EventType.WORK_ORDER_CHANGED, emergency=True, names=())
    assert (signals_by_rule([broken])["break_glass"].weight, signals_by_rule([broken])["break_glass"].evidence) == (
        4,
        (8,),
    )


USES = st.builds(
    use,
    index=st.integers(0, 10_000),
    at=st.integers(0, 96).map(lambda hours: TUESDAY - timedelta(hours=hours)),
    type=st.sampled_from([EventType.LOOKUP_INTENT, EventType.LOOKUP_DENIED, EventType.RESULT_READ]),
    user=st.sampled_from("abcdefgh"),
    name=st.sampled_from(["王强", "端木婷", "李婷", ""]),
    rule=st.sampled_from(["", "party_not_named", "work_order_not_open"]),
    names=st.lists(st.sampled_from(["王伟", "端木磊", "钱多多"]), max_size=2).map(tuple),
)


@given(st.lists(USES, max_size=60))
def test_evidence_is_always_of_the_uses_themselves(uses: list[UsageEvent]) -> None:
    """No rule speaks without records, or of records that it was not given."""
    for signal in signals(uses, DayContext(calendar=CALENDAR, volumes=lookup_volumes(uses))):
        assert signal.evidence
        assert set(signal.evidence) <= {each.index for each in uses}
        assert signal.weight > 0


@given(st.lists(USES, max_size=60), st.integers(0, 4))
def test_cases_are_ranked_by_score_with_a_random_sample_of_others(uses: list[UsageEvent], sample: int) -> None:
    """Every signalled case is there, and on each day at most so many are drawn."""
    cases = rank_cases(uses, CALENDAR, lambda day, user: f"{day.isoformat()}{user}".encode(), sample=sample)
    days = {day_in_china(event.at) for event in uses}
    quiet = {day: sum(case.sampled for case in cases if case.day == day) for day in days}
    of_day = {day: [event for event in uses if day_in_china(event.at) == day] for day in days}
    people = {day: {event.user for event in own} for day, own in of_day.items()}
    loud = {day: sum(not case.sampled for case in cases if case.day == day) for day in days}

    assert [case.score for case in cases] == sorted((case.score for case in cases), reverse=True)
    assert all(quiet[day] == min(sample, len(people[day]) - loud[day]) for day in days)
    assert {(case.day, case.user) for case in cases} <= {(day, user) for day in days for user in people[day]}


def test_the_random_sample_is_reproducible_with_the_key_only() -> None:
    """Who is drawn follows from the day and a key, and changes from day to day."""
    days = [TUESDAY + timedelta(days=n) for n in range(3)]
    uses = [use(n, at=at, user=f"user.{n % 20}") for at in days for n in range(20)]

    def draw(key: str) -> list[tuple[date, str]]:
        return [
            (case.day, case.user)
            for case in rank_cases(uses, CALENDAR, lambda day, who: _mark(key, day, who), sample=2)
        ]

    assert draw("key") == draw("key")
    assert draw("key") != draw("other key")
    assert len({user for _, user in draw("key")}) > 2


def _mark(key: str, day: date, user: str) -> bytes:
    return hashlib.sha256(f"{key}{day}{user}".encode()).digest()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("opens = 9", "opens: is not a time of day; fix: write a time such as 09:00:00, without quotes"),
        ("opens = 18:00:00\ncloses = 08:00:00", "line 2: closes: is not later on the day than opens"),
        ("opens = 19:00:00", "closes: is not later on the day than opens"),
        ("holidays = ['2026-10-01']", "holidays: is not a day; fix: write a day such as 2026-10-01, without quotes"),
        ("hours = 8", "hours: is not known here; fix: write one of opens, closes, holidays, workdays; or remove it"),
        ("opens = ", "line 1: is not TOML; fix: correct that line"),
    ],
)
def test_a_calendar_that_cannot_be_right_is_refused_at_the_start(folder: Path, text: str, message: str) -> None:
    """With what is wrong."""
    file = folder / "calendar.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError, match=message):
        CourtCalendar.read(file)


def test_without_a_file_the_court_works_from_eight_to_six() -> None:
    """On five days."""
    assert (CourtCalendar.read(None).opens, CourtCalendar.read(None).closes) == (time(8), time(18))
    assert not CALENDAR.works_on(date(2026, 11, 28))

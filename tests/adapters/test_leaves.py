"""
How single leaves are read: days, months, flags, codes.
"""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.field_readers import SEX, YES_NO, day, month, ms_day, registry_day
from adapters.mapping import UnlistedCode
from schemas.china_time import day_start
from schemas.codes import Sex

MIDNIGHT_1970_IN_CHINA = -28_800_000


def test_milliseconds_are_read_as_a_day_in_china() -> None:
    """The same moment read as UTC would be the day before."""
    assert ms_day(1434556800000) == date(2015, 6, 18)
    assert ms_day("1434556800000") == date(2015, 6, 18)
    assert ms_day(MIDNIGHT_1970_IN_CHINA) == date(1970, 1, 1)


@given(st.dates(min_value=date(1600, 1, 1)))
def test_every_midnight_in_china_is_read_as_its_day(expected: date) -> None:
    """Written by the clock in China and read back, before 1970 too."""
    milliseconds = round(day_start(expected).timestamp() * 1000)

    assert ms_day(milliseconds) == expected
    assert registry_day(str(milliseconds)) == expected or len(str(milliseconds)) == 8


@given(st.dates(min_value=date(1950, 1, 1)).filter(lambda day: not 1986 <= day.year <= 1991))
def test_midnight_outside_1986_to_1991_is_at_16_hours_utc(expected: date) -> None:
    """Without summer time China is eight hours ahead."""
    midnight = datetime(expected.year, expected.month, expected.day, tzinfo=UTC) - timedelta(hours=8)

    assert ms_day(round(midnight.timestamp() * 1000)) == expected


def test_midnight_in_a_summer_of_1986_to_1991_is_at_15_hours_utc() -> None:
    """In summer time China was nine hours ahead; eight hours are no midnight of that day."""
    midnight = round(datetime(1988, 7, 1, tzinfo=UTC).timestamp() - 9 * 3600) * 1000

    assert ms_day(midnight) == date(1988, 7, 1)
    with pytest.raises(ValueError, match="midnight"):
        ms_day(midnight + 3_600_000)


@given(st.integers(min_value=-(10**15), max_value=10**15).filter(lambda ms: ms % 60_000))
def test_a_moment_that_is_no_midnight_is_not_rounded(milliseconds: int) -> None:
    """Another format in this element (20150618, seconds) is unreadable and not a wrong day."""
    with pytest.raises(ValueError, match=r"midnight|milliseconds"):
        ms_day(milliseconds)


@given(st.dates())
def test_a_day_is_read_in_both_spellings(asked: date) -> None:
    """Eight digits as text or number, or with hyphens; the business register takes the texts as well."""
    digits = f"{asked:%Y%m%d}".rjust(8, "0")

    assert day(digits) == day(asked.isoformat()) == registry_day(digits) == asked
    assert asked.year < 1000 or day(int(digits)) == asked


@pytest.mark.parametrize(
    "raw", ["1990", "199003", "19900300", "1990-0307", "19900230", "2015/06/18", "１９９００３０７", ""]
)
def test_less_or_other_than_a_day_is_refused_without_quoting_it(raw: str) -> None:
    """A year does not become its first of January, and the error does not repeat a birth date."""
    with pytest.raises(ValueError, match=r".") as caught:
        day(raw)

    assert not raw or raw not in str(caught.value)


@given(st.one_of(st.text(), st.integers(), st.floats(), st.booleans(), st.none(), st.lists(st.integers())))
def test_readers_raise_nothing_but_what_the_map_expects(raw: object) -> None:
    """Whatever stands in a leaf, a reader returns or raises a `ValueError`, `TypeError` or `OverflowError`."""
    for reader in (day, month, ms_day, registry_day, YES_NO, SEX):
        try:
            reader(raw)
        except (ValueError, TypeError, OverflowError):
            continue


def test_a_month_stays_a_month() -> None:
    """Periods have the precision of their source."""
    assert (month(202312), month("202301")) == ("2023-12", "2023-01")
    with pytest.raises(ValueError, match="not a month"):
        month(202313)


@pytest.mark.parametrize(
    ("raw", "sex"),
    [
        ("1", Sex.MALE),
        ("02", Sex.FEMALE),
        (1, Sex.MALE),
        ("00", Sex.UNKNOWN),
        ("9", Sex.NOT_STATED),
        ("女", Sex.FEMALE),
    ],
)
def test_sex_is_read_as_a_number_or_a_word(raw: object, sex: Sex) -> None:
    """Some regions write 01 and 02."""
    assert SEX(raw) is sex


@given(st.text().filter(lambda raw: raw.strip() not in {"0", "1"}))
def test_a_flag_is_one_of_two_words(raw: str) -> None:
    """Anything but 0 and 1 is outside the table, and the error does not quote it."""
    with pytest.raises(UnlistedCode, match=r"^yes or no$"):
        YES_NO(raw)

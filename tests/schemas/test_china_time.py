"""
Chinese time: which day a moment belongs to, and when a day begins.
"""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_agencies import clock
from schemas.china_time import CHINA, day_end, day_in_china, day_start


@pytest.mark.parametrize(
    ("before_midnight", "day"),
    [
        (datetime(2026, 7, 31, 15, 59, 59, tzinfo=UTC), date(2026, 7, 31)),
        (datetime(1985, 7, 31, 15, 59, 59, tzinfo=UTC), date(1985, 7, 31)),
        (datetime(1992, 7, 31, 15, 59, 59, tzinfo=UTC), date(1992, 7, 31)),
        (datetime(1986, 7, 31, 14, 59, 59, tzinfo=UTC), date(1986, 7, 31)),
        (datetime(1991, 7, 31, 14, 59, 59, tzinfo=UTC), date(1991, 7, 31)),
        (datetime(1988, 1, 31, 15, 59, 59, tzinfo=UTC), date(1988, 1, 31)),
    ],
)
def test_a_day_ends_at_16_hours_utc_and_in_the_summers_of_1986_to_1991_at_15(
    before_midnight: datetime, day: date
) -> None:
    """Eight hours ahead of UTC, nine in summer time."""
    assert day_in_china(before_midnight) == day
    assert day_in_china(before_midnight + timedelta(seconds=1)) == day + timedelta(days=1)


def test_a_plain_date_is_its_own_day() -> None:
    """A register's date has no time of day that could move it."""
    assert day_in_china(date(1988, 7, 1)) == date(1988, 7, 1)


@given(st.dates(min_value=date(2, 1, 1), max_value=date(9998, 12, 31)))
def test_a_day_begins_where_the_day_before_ends(day: date) -> None:
    """Every moment belongs to one day."""
    start = day_start(day).astimezone(UTC)

    assert day_end(day - timedelta(days=1)).astimezone(UTC) == start
    assert day_in_china(start) == day
    assert day_in_china(start - timedelta(microseconds=1)) == day - timedelta(days=1)


def test_mock_agencies_keep_the_same_time() -> None:
    """They import nothing of the hub, so their own definition is compared with it."""
    assert clock.CHINA.key == CHINA.key

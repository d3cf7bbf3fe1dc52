"""
Chinese time: the zone `Asia/Shanghai`, and days in it.

By zone data and not by a fixed offset: in the summers of 1986 to 1991 clocks stood at UTC+9.
"""

from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

CHINA: Final = ZoneInfo("Asia/Shanghai")


def day_in_china(moment: date) -> date:
    """The day of an aware moment in China; a plain date is itself."""
    return moment.astimezone(CHINA).date() if isinstance(moment, datetime) else moment


def day_start(day: date) -> datetime:
    """The first moment of a day in China."""
    return datetime.combine(day, time(), CHINA)


def day_end(day: date) -> datetime:
    """The first moment after a day in China."""
    return day_start(day + timedelta(days=1))

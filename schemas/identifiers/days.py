"""
Days as identifiers hold them, and the day that a moment belongs to in a Chinese court.
"""

from datetime import date, datetime, timedelta, timezone

# Fixed, because a minimal machine has no time zone tables; China has had one time since 1991.
_CHINA = timezone(timedelta(hours=8))


def day_in_china(moment: datetime) -> date:
    """The date at UTC+8 of a moment that knows its own zone."""
    return moment.astimezone(_CHINA).date()


def real_day(digits: str) -> date | None:
    """The day that eight digits (yyyymmdd) name, or None if there is no such day."""
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return None


def years_between(earlier: date, later: date) -> int:
    """Whole years; who was born on 29 February turns a year older on 1 March of a common year."""
    return later.year - earlier.year - ((later.month, later.day) < (earlier.month, earlier.day))

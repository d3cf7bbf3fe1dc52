"""
Days inside identifiers, and ages.
"""

from datetime import date


def real_day(digits: str) -> date | None:
    """The day that eight digits (yyyymmdd) name, or None if there is no such day."""
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return None


def years_between(earlier: date, later: date) -> int:
    """Whole years; an age that begins on 29 February changes on 1 March of a common year."""
    return later.year - earlier.year - ((later.month, later.day) < (earlier.month, earlier.day))

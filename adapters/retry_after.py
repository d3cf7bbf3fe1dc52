"""
The one parser of `Retry-After` (RFC 9110, section 10.2.3) for agencies and receivers of callbacks.

`shuniu_client.retries` holds a copy, because it imports nothing of ours; a test compares both.
"""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

MAX_SECONDS: Final = timedelta(hours=24).total_seconds()


def parse_retry_after(header: str | None, now: datetime) -> float | None:
    """
    The seconds that the header asks for, as a number or as a date, within 0 … 24 h; None if it is missing or
    unreadable.  `now` is aware.  Never raises.
    """
    text = (header or "").strip()
    if text.isascii() and text.isdigit():
        # Nine digits are beyond the maximum, and int() refuses the longest numbers.
        return min(float(text.lstrip("0")[:9] or "0"), MAX_SECONDS)
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    date = date if date.tzinfo else date.replace(tzinfo=UTC)
    return min(max((date - now).total_seconds(), 0.0), MAX_SECONDS)

"""
What an HTTP status means, in one table for all families.

    200                     read the body
    401                     CredentialsRejected
    403                     AgencyRefused
    429                     AgencyThrottled, until Retry-After
    408, 5xx                AgencyUnavailable, another attempt may succeed
    anything else, 3xx too  AgencyFault: no redirect is followed and no other status is agreed
"""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

from adapters.errors import (
    AgencyError,
    AgencyFault,
    AgencyRefused,
    AgencyThrottled,
    AgencyUnavailable,
    CredentialsRejected,
)
from schemas.codes import Reason

LONGEST_WAIT: Final = timedelta(hours=24).total_seconds()


def failure(status: int, retry_after: str | None, now: datetime) -> AgencyError:
    """The error that a status other than 200 means; `retry_after` is the header as it came, `now` is aware."""
    match status:
        case 401:
            return CredentialsRejected()
        case 403:
            return AgencyRefused()
        case 429:
            return AgencyThrottled(wait(retry_after, now))
        case _ if status == 408 or 500 <= status < 600:
            return AgencyUnavailable(Reason.HTTP, retry_after=wait(retry_after, now))
        case _:
            return AgencyFault(Reason.HTTP)


def wait(header: str | None, now: datetime) -> float | None:
    """
    Seconds that a `Retry-After` header asks for, as seconds or as a date, within 0 … 24 h; None if it is unreadable.
    """
    if header is None:
        return None
    text = header.strip()
    if text.isascii() and text.isdigit():
        # Longer numbers are beyond any clamp, and int() would refuse the longest of them.
        return min(float(text.lstrip("0")[:9] or "0"), LONGEST_WAIT)
    try:
        then = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    then = then if then.tzinfo else then.replace(tzinfo=UTC)
    return min(max((then - now).total_seconds(), 0.0), LONGEST_WAIT)

"""
What an HTTP status means, in one table for all families.

    200                     read the body
    401                     CredentialsRejected
    403                     AgencyRefused
    429                     AgencyThrottled, until Retry-After
    408, 5xx                AgencyUnavailable, another attempt may succeed
    anything else, 3xx too  AgencyFault: no redirect is followed and no other status is agreed
"""

from datetime import datetime

from adapters.errors import (
    AgencyError,
    AgencyFault,
    AgencyRefused,
    AgencyThrottled,
    AgencyUnavailable,
    CredentialsRejected,
)
from adapters.retry_after import parse_retry_after
from schemas.codes import Reason


def error_for_status(status: int, retry_after: str | None, now: datetime) -> AgencyError:
    """The error that a status other than 200 means; `retry_after` is the header as it came, `now` is aware."""
    match status:
        case 401:
            return CredentialsRejected()
        case 403:
            return AgencyRefused()
        case 429:
            return AgencyThrottled(parse_retry_after(retry_after, now))
        case _ if status == 408 or 500 <= status < 600:
            return AgencyUnavailable(Reason.HTTP, retry_after=parse_retry_after(retry_after, now))
        case _:
            return AgencyFault(Reason.HTTP)

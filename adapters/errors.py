"""
What can go wrong when an agency is asked.  Inside an adapter these are raised; the hub turns them into values.

    AgencyError                 .reason .retry_after
    ├─ AgencyUnavailable        worth another attempt if the agency says that repeating is harmless
    │  ├─ AgencyTimeout
    │  ├─ AgencyUnreachable     .sent: False when surely nothing left the house
    │  └─ AgencyThrottled       .retry_after
    ├─ AgencyRefused            never repeated: state refused
    ├─ CredentialsRejected      never repeated, and an operator is told
    ├─ AgencyClosed             it is not asked at this hour: state not_asked
    ├─ AgencyFault              they say that they failed; never repeated
    └─ AnswerUnreadable         .field .at; their answer broke the contract, the evidence is kept
    UnsupportedLookup           .reason .authority; this agency does not offer it: state not_asked
    ConfigurationError          start-up only, outside the tree

No text of these errors holds anything that came from a person or an agency: only our own words, field names and
paths.  They are raised outside of `except` blocks, so that no library's exception hangs on as their context.
"""

from schemas.codes import Reason
from schemas.identifiers import Authority


class AgencyError(Exception):
    """Any way in which an agency does not answer our question."""

    repeatable = False

    def __init__(self, reason: Reason, *, retry_after: float | None = None) -> None:
        super().__init__(f"agency {reason.en}")
        self.reason = reason
        self.retry_after = retry_after


class AgencyUnavailable(AgencyError):
    """The agency could not be heard; another attempt may succeed."""

    repeatable = True


class AgencyTimeout(AgencyUnavailable, TimeoutError):
    """No whole answer before the deadline."""

    def __init__(self) -> None:
        super().__init__(Reason.TIMEOUT)


class AgencyUnreachable(AgencyUnavailable, ConnectionError):
    """The connection failed or broke; `sent` is False when surely nothing left the house."""

    def __init__(self, *, sent: bool) -> None:
        super().__init__(Reason.UNREACHABLE)
        self.sent = sent


class AgencyThrottled(AgencyUnavailable):
    """The agency asks us to wait; repeated only as `retry_after` (seconds) says."""

    repeatable = False

    def __init__(self, retry_after: float | None = None, *, reason: Reason = Reason.THROTTLED) -> None:
        super().__init__(reason, retry_after=retry_after)


class AgencyRefused(AgencyError, PermissionError):
    """The agency does not permit this question."""

    def __init__(self, reason: Reason = Reason.NO_PERMISSION) -> None:
        super().__init__(reason)


class CredentialsRejected(AgencyError, PermissionError):
    """Our credentials are not accepted, even after the one bounded refresh."""

    def __init__(self) -> None:
        super().__init__(Reason.AUTH)


class AgencyClosed(AgencyError):
    """The agency is closed by its calendar, so nothing is sent; `retry_after` until it opens."""

    def __init__(self, retry_after: float | None) -> None:
        super().__init__(Reason.OUTSIDE_HOURS, retry_after=retry_after)


class AgencyFault(AgencyError):
    """The agency or its data provider reports an error of its own, or a code outside the agreed table."""


class AnswerUnreadable(AgencyError, ValueError):
    """
    Their answer broke the contract: `field` is ours, `at` is the path in their answer, neither holds a value.
    """

    def __init__(self, reason: Reason = Reason.UNDECODABLE, *, field: str | None = None, at: str | None = None) -> None:
        super().__init__(reason)
        self.field = field
        self.at = at

    def __str__(self) -> str:
        where = f" ({f'{self.field} ' if self.field else ''}at {self.at})" if self.at else ""
        return f"agency {self.reason.en}{where}"


class UnsupportedLookup(LookupError):
    """
    This agency does not offer this question, or not for this type of identifier.

    `authority` names the one that would know (`民政部门`, `Civil affairs`), where that is certain.
    """

    def __init__(self, reason: Reason = Reason.ID_TYPE_NOT_SUPPORTED, *, authority: Authority | None = None) -> None:
        super().__init__(f"agency {reason.en}")
        self.reason = reason
        self.authority = authority


class ConfigurationError(Exception):
    """The hub cannot start like this; the text names file, key, rule and the fix."""

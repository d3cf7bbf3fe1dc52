"""
Problems of a hub (RFC 9457) as exceptions.

    HubUnreachable          no answer, or an incomplete one
    HubProblem              the hub answered with a problem
    ├─ NotAuthenticated     401  the token is missing, wrong or expired
    ├─ NotPermitted         403  `rule` names the rule, `detail` says who can help
    ├─ NotFound             404
    ├─ Conflict             409  `current` is the version in force, if it concerns a version
    ├─ InvalidInput         422  `errors` name each field
    └─ HubUnavailable       429, 5xx

No text of these holds anything that was sent.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


class HubUnreachable(Exception):
    """No answer in time, or an incomplete one.  It is unknown whether the hub has processed the call."""


@dataclass(frozen=True, slots=True)
class InvalidField:
    """One broken rule of the input."""

    field: str
    rule: str
    detail: str


class HubProblem(Exception):
    """
    The hub refused or could not.  `retryable`: the same call may succeed later, `retry_after` (seconds) says when.
    """

    def __init__(self, status: int, body: Mapping[str, Any], retry_after: float | None = None) -> None:
        self.status = status
        self.type = str(body.get("type", "about:blank"))
        self.rule: str | None = body.get("rule")
        self.detail = str(body.get("detail", ""))
        self.detail_zh = str(body.get("detail_zh", ""))
        self.retryable = bool(body.get("retryable", False))
        self.retry_after = retry_after if retry_after is not None else body.get("retry_after")
        self.current: int | None = body.get("current")
        self.errors = tuple(
            InvalidField(str(error.get("field", "")), str(error.get("rule", "")), str(error.get("detail", "")))
            for error in body.get("errors") or ()
        )
        super().__init__(f"{self.type} ({self.rule})" if self.rule else self.type)


class NotAuthenticated(HubProblem):
    """401."""


class NotPermitted(HubProblem):
    """403."""


class NotFound(HubProblem):
    """404."""


class Conflict(HubProblem):
    """409."""


class InvalidInput(HubProblem):
    """422."""


class HubUnavailable(HubProblem):
    """429, or the hub itself failed."""


_BY_STATUS: Mapping[int, type[HubProblem]] = {
    401: NotAuthenticated,
    403: NotPermitted,
    404: NotFound,
    409: Conflict,
    422: InvalidInput,
    429: HubUnavailable,
}


def problem_from_answer(status: int, body: Any, retry_after: float | None = None) -> HubProblem:
    """The exception for an answer; a body that is not a problem yields one without details."""
    kind = _BY_STATUS.get(status, HubUnavailable if status >= 500 else HubProblem)
    return kind(status, body if isinstance(body, Mapping) else {}, retry_after)

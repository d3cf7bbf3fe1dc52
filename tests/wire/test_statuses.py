"""
What an HTTP status means, the same in every family.
"""

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from adapters.errors import (
    AgencyError,
    AgencyFault,
    AgencyRefused,
    AgencyThrottled,
    AgencyUnavailable,
    CredentialsRejected,
)
from adapters.wire.status import error_for_status
from schemas.codes import Reason

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)

MEANINGS = [
    (201, AgencyFault, Reason.HTTP, False),
    (204, AgencyFault, Reason.HTTP, False),
    (301, AgencyFault, Reason.HTTP, False),
    (302, AgencyFault, Reason.HTTP, False),
    (307, AgencyFault, Reason.HTTP, False),
    (400, AgencyFault, Reason.HTTP, False),
    (401, CredentialsRejected, Reason.AUTH, False),
    (403, AgencyRefused, Reason.NO_PERMISSION, False),
    (404, AgencyFault, Reason.HTTP, False),
    (408, AgencyUnavailable, Reason.HTTP, True),
    (429, AgencyThrottled, Reason.THROTTLED, False),
    (500, AgencyUnavailable, Reason.HTTP, True),
    (503, AgencyUnavailable, Reason.HTTP, True),
    (599, AgencyUnavailable, Reason.HTTP, True),
    (999, AgencyFault, Reason.HTTP, False),
]


@pytest.mark.parametrize(("status", "error", "reason", "repeatable"), MEANINGS)
def test_each_status_has_one_meaning(status: int, error: type[AgencyError], reason: Reason, repeatable: bool) -> None:
    """Whether another attempt is worth it follows from the class."""
    meant = error_for_status(status, None, NOW)

    assert (type(meant), meant.reason, meant.repeatable) == (error, reason, repeatable)


@pytest.mark.anyio
@pytest.mark.parametrize("family", ["irs", "national", "population", "rbsp"])
@pytest.mark.parametrize(("status", "error", "reason", "repeatable"), MEANINGS)
async def test_each_family_hears_a_status_alike_and_keeps_the_answer(
    bench: Any, family: str, status: int, error: type[AgencyError], reason: Reason, repeatable: bool
) -> None:
    """The body of an error is evidence too, and is not read."""
    bench.answers(family, httpx.Response(status, headers={"Retry-After": "7"}, content=b"\xff\x00"))
    question = bench.question()

    with pytest.raises(error) as caught:
        await bench.wire(family).ask(question, "lookup", bench.terms)

    assert type(caught.value) is error
    assert caught.value.retry_after == (7.0 if status in {408, 429} or 500 <= status < 600 else None)
    assert [(raw.status, raw.body) for raw in question.evidence.answers] == [(status, b"\xff\x00")]

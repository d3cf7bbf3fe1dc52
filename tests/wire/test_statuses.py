"""
What an HTTP status means, the same in every family, and how long an agency may ask us to wait.
"""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.errors import (
    AgencyError,
    AgencyFault,
    AgencyRefused,
    AgencyThrottled,
    AgencyUnavailable,
    CredentialsRejected,
)
from adapters.wire.status import LONGEST_WAIT, failure, wait
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
    meant = failure(status, None, NOW)

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


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("0", 0.0),
        ("7", 7.0),
        (" 120 ", 120.0),
        ("0000000000000007", 7.0),
        ("86401", LONGEST_WAIT),
        ("9" * 5000, LONGEST_WAIT),
        ("-1", None),
        ("1.5", None),
        ("٣", None),
        ("", None),
        ("soon", None),
        ("Tue, 24 Nov 2026 12:00:30 GMT", 30.0),
        ("Tue, 24 Nov 2026 12:00:30", 30.0),
        ("Tue, 24 Nov 2026 20:00:30 +0800", 30.0),
        ("Tue, 24 Nov 2026 11:00:00 GMT", 0.0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", LONGEST_WAIT),
        ("Tue, 99 Nov 2026 12:00:30 GMT", None),
        ("Tue, 24 Nov 2026 12:00:30 +9999999", None),
    ],
)
def test_a_wait_is_read_as_seconds_or_as_a_date(header: str | None, seconds: float | None) -> None:
    """Never below zero and never beyond a day."""
    assert wait(header, NOW) == seconds


@given(seconds=st.integers(0, 86_400))
def test_both_forms_of_a_wait_say_the_same(seconds: int) -> None:
    """Seconds from now, or the moment they lead to."""
    date = format_datetime(NOW + timedelta(seconds=seconds), usegmt=True)

    assert wait(date, NOW) == wait(str(seconds), NOW) == seconds


@given(header=st.text())
def test_any_header_is_a_wait_within_a_day_or_none(header: str) -> None:
    """What an agency writes there never breaks anything."""
    seconds = wait(header, NOW)

    assert seconds is None or 0 <= seconds <= LONGEST_WAIT

"""
`Retry-After`: one parser in the hub, its copy in the client library, and no header that breaks either.
"""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.retry_after import MAX_SECONDS, parse_retry_after
from shuniu_client import retries

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)

# Pieces of dates, some out of range, so that many random headers get past the first checks of the date parser.
DATE_PIECES = st.sampled_from(
    [
        *[
            "Tue,",
            "24",
            "Nov",
            "2026",
            "12:00:30",
            "12.00",
            "99",
            "0001",
            "9999",
            "Feb",
            "GMT",
            "+0800",
            "-9999999",
            "+2359",
            "(",
            ",",
            ":",
            "-",
            "٣",
            "\x00",
        ],
        "9" * 5000,
    ]
)
HEADERS = st.text() | st.lists(DATE_PIECES, max_size=8).map(" ".join) | st.integers().map(str)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("0", 0.0),
        ("7", 7.0),
        (" 120 ", 120.0),
        ("0000000000000007", 7.0),
        ("86401", MAX_SECONDS),
        ("9" * 5000, MAX_SECONDS),
        ("-1", None),
        ("1.5", None),
        ("٣", None),
        ("", None),
        ("soon", None),
        ("Tue, 24 Nov 2026 12:00:30 GMT", 30.0),
        ("Tue, 24 Nov 2026 12:00:30", 30.0),
        ("Tue, 24 Nov 2026 20:00:30 +0800", 30.0),
        ("Tue, 24 Nov 2026 11:00:00 GMT", 0.0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", MAX_SECONDS),
        ("Tue, 99 Nov 2026 12:00:30 GMT", None),
        ("Tue, 24 Nov 2026 12:00:30 +9999999", None),
    ],
)
def test_retry_after_is_read_as_seconds_or_as_a_date(header: str | None, seconds: float | None) -> None:
    """Never below zero and never beyond a day, by both parsers."""
    assert parse_retry_after(header, NOW) == seconds
    assert retries.parse_retry_after(header, NOW) == seconds


@given(seconds=st.integers(0, 86_400))
def test_seconds_and_the_date_they_lead_to_mean_the_same(seconds: int) -> None:
    """Both forms of the header."""
    date = format_datetime(NOW + timedelta(seconds=seconds), usegmt=True)

    assert parse_retry_after(date, NOW) == parse_retry_after(str(seconds), NOW) == seconds


@given(header=HEADERS)
def test_hostile_header_never_raises_and_both_parsers_agree(header: str) -> None:
    """Within 0 … 24 h, or None."""
    seconds = parse_retry_after(header, NOW)

    assert seconds is None or 0 <= seconds <= MAX_SECONDS
    assert retries.parse_retry_after(header, NOW) == seconds

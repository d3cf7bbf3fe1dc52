"""
What is counted, and how Prometheus reads it.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from gateway.resilience.status import BreakerState, GuardState
from gateway.telemetry.metrics import BOUNDS, Durations, Histogram, Metrics
from gateway.telemetry.prometheus import rendered
from gateway.telemetry.snapshot import AuditStatus, PoolStatus, TelemetrySnapshot
from schemas.codes import AnswerState, Reason

NOW = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
GUARD = GuardState(
    agency="public_security",
    capability="identity",
    breaker=BreakerState.OPEN,
    opens_again_in=12.0,
    in_flight=3,
    in_flight_limit=10,
    waiting=2,
    waiting_limit=20,
    budget_left=7.5,
    minute_left=290,
    day_left=None,
    closed_until=NOW + timedelta(minutes=5),
    closed_because=Reason.THROTTLED,
    last_good_at=NOW - timedelta(hours=1),
    last_state=AnswerState.UNAVAILABLE,
    last_reason=Reason.TIMEOUT,
    last_at=NOW,
    drift=4,
)
AUDIT = AuditStatus(
    appended=12,
    refused=1,
    waiting=2,
    tree_size=12,
    checkpoint_size=10,
    checkpoint_age=0.5,
    broken=False,
    open_orphans=0,
    anchors=(),
)


def reading(figures: Metrics, **changes: Any) -> TelemetrySnapshot:
    """A hub with one capability, whose figures are these."""
    whole = TelemetrySnapshot(
        at=NOW,
        version="1.2.3",
        counted=figures.snapshot(),
        guards=(GUARD, replace(GUARD, capability="addresses", breaker=BreakerState.HALF_OPEN, closed_until=None)),
        audit=AUDIT,
        database=PoolStatus(connections=8, in_use=8, waiting=3),
        spans={"exported": 5},
        dropped_lines=0,
    )
    return replace(whole, **changes)


def samples(of: TelemetrySnapshot) -> dict[str, float]:
    """What is served, as `name{label="value",…}` to value."""
    body, _ = rendered(of, "text/plain")
    values = {}
    for family in text_string_to_metric_families(body.decode()):
        for sample in family.samples:
            labels = ",".join(f"{name}={value}" for name, value in sample.labels.items())
            values[sample.name + (f"{{{labels}}}" if labels else "")] = sample.value
    return values


def test_a_duration_counts_in_the_first_bucket_that_holds_it() -> None:
    """An upper bound is part of its bucket."""
    histogram = Histogram[tuple[str]]()
    for seconds in (0.0, BOUNDS[0], BOUNDS[0] + 1e-9, BOUNDS[-1], BOUNDS[-1] + 1):
        histogram.observe(("x",), seconds)

    counts = (2, 1, *[0] * (len(BOUNDS) - 3), 1, 1)
    assert histogram.snapshot() == {("x",): Durations(counts, pytest.approx(2 * BOUNDS[0] + 2 * BOUNDS[-1] + 1))}


def test_questions_and_attempts_are_counted_by_what_came_of_them() -> None:
    """A question that was never put is counted, and not timed."""
    figures = Metrics()
    figures.attempted("public_security", "identity", "timeout", 4.0)
    figures.attempted("public_security", "identity", "answered", 0.02)
    figures.answered("public_security", "identity", AnswerState.FOUND, None, 4.1)
    figures.answered("public_security", "identity", AnswerState.NOT_ASKED, Reason.OUTSIDE_HOURS, 0.0)

    served = samples(reading(figures))

    of = "agency=public_security,capability=identity"
    assert {name: value for name, value in served.items() if "_agency_a" in name and "_bucket" not in name} == {
        f"shuniu_agency_answers_total{{{of},reason=,state=found}}": 1,
        f"shuniu_agency_answers_total{{{of},reason=outside_hours,state=not_asked}}": 1,
        f"shuniu_agency_answer_seconds_count{{{of}}}": 1,
        f"shuniu_agency_answer_seconds_sum{{{of}}}": 4.1,
        f"shuniu_agency_attempts_total{{{of},outcome=timeout}}": 1,
        f"shuniu_agency_attempts_total{{{of},outcome=answered}}": 1,
        f"shuniu_agency_attempt_seconds_count{{{of}}}": 2,
        f"shuniu_agency_attempt_seconds_sum{{{of}}}": 4.02,
    }


def test_buckets_grow_and_end_with_the_count() -> None:
    """As Prometheus wants them: each holds all below it."""
    figures = Metrics()
    for seconds in (0.004, 0.2, 60.0):
        figures.requests.observe(("POST", "/v1/lookups", "200"), seconds)

    served = samples(reading(figures))

    buckets = [value for name, value in served.items() if name.startswith("http_server_request_duration_seconds_b")]
    assert len(buckets) == len(BOUNDS) + 1
    assert buckets == sorted(buckets)
    assert (buckets[0], buckets[-1]) == (1, 3)


def test_a_guard_is_shown_by_capability_and_what_an_agency_shares_once() -> None:
    """Adding up over capabilities never counts a bulkhead twice; a quota that nobody declared is not there."""
    served = samples(reading(Metrics()))

    shown = {name: value for name, value in served.items() if name.startswith("shuniu_agency_")}
    identity, addresses = ("agency=public_security,capability=" + name for name in ("identity", "addresses"))
    assert shown == {
        f"shuniu_agency_breaker{{{identity}}}": 2,
        f"shuniu_agency_breaker{{{addresses}}}": 1,
        f"shuniu_agency_closed_seconds{{{identity}}}": 300,
        f"shuniu_agency_closed_seconds{{{addresses}}}": 0,
        f"shuniu_agency_quota_left{{{identity},window=minute}}": 290,
        f"shuniu_agency_quota_left{{{addresses},window=minute}}": 290,
        f"shuniu_agency_last_good_timestamp_seconds{{{identity}}}": (NOW - timedelta(hours=1)).timestamp(),
        f"shuniu_agency_last_good_timestamp_seconds{{{addresses}}}": (NOW - timedelta(hours=1)).timestamp(),
        f"shuniu_agency_drift_total{{{identity}}}": 4,
        f"shuniu_agency_drift_total{{{addresses}}}": 4,
        "shuniu_agency_retries_left{agency=public_security}": 7.5,
        "shuniu_agency_in_flight{agency=public_security}": 3,
        "shuniu_agency_in_flight_limit{agency=public_security}": 10,
        "shuniu_agency_waiting{agency=public_security}": 2,
        "shuniu_agency_waiting_limit{agency=public_security}": 20,
    }


def test_what_the_database_does_not_tell_is_left_out_and_not_zero() -> None:
    """A dashboard must not show an empty log where nothing is known."""
    unknown = replace(AUDIT, tree_size=None, open_orphans=None, anchors=None)

    served = samples(reading(Metrics(), audit=unknown))

    assert set(samples(reading(Metrics()))) - set(served) == {
        "shuniu_audit_tree_size",
        "shuniu_audit_open_orphans",
    }

"""
The meters of a hub and their text for Prometheus.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from gateway.resilience.status import BreakerState, GuardState
from gateway.telemetry.metrics import BOUNDS, Metrics
from gateway.telemetry.prometheus import render
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


def snapshot(**changes: Any) -> TelemetrySnapshot:
    """The state of a hub with two capabilities."""
    whole = TelemetrySnapshot(
        at=NOW,
        version="1.2.3",
        guards=(GUARD, replace(GUARD, capability="addresses", breaker=BreakerState.HALF_OPEN, closed_until=None)),
        audit=AUDIT,
        database=PoolStatus(connections=8, in_use=8, waiting=3),
        spans={"exported": 5},
        dropped_lines=0,
    )
    return replace(whole, **changes)


def samples(metrics: Metrics | None = None, **changes: Any) -> dict[str, float]:
    """The samples of a scrape, as `name{label="value",…}` to value."""
    body, _ = render(metrics or Metrics(), snapshot(**changes), "text/plain")
    values = {}
    for family in text_string_to_metric_families(body.decode()):
        for sample in family.samples:
            labels = ",".join(f"{name}={value}" for name, value in sample.labels.items())
            values[sample.name + (f"{{{labels}}}" if labels else "")] = sample.value
    return values


def test_duration_counts_in_the_first_bucket_that_holds_it() -> None:
    """An upper bound is part of its bucket, and each bucket holds all below it."""
    metrics = Metrics()
    for seconds in (0.0, BOUNDS[0], BOUNDS[0] + 1e-9, BOUNDS[-1], BOUNDS[-1] + 1):
        metrics.loop_lag.observe(seconds)

    served = samples(metrics)

    buckets = [value for name, value in served.items() if name.startswith("shuniu_event_loop_lag_seconds_bucket")]
    assert buckets == [2, *[3] * (len(BOUNDS) - 2), 4, 5]
    assert served["shuniu_event_loop_lag_seconds_sum"] == pytest.approx(2 * BOUNDS[0] + 2 * BOUNDS[-1] + 1)


def test_questions_and_attempts_are_counted_by_outcome() -> None:
    """A question that was not asked is counted, and not timed."""
    metrics = Metrics()
    metrics.attempted("public_security", "identity", "timeout", 4.0)
    metrics.attempted("public_security", "identity", "answered", 0.02)
    metrics.answered("public_security", "identity", AnswerState.FOUND, None, 4.1)
    metrics.answered("public_security", "identity", AnswerState.NOT_ASKED, Reason.OUTSIDE_HOURS, 0.0)

    served = samples(metrics)

    question = "agency=public_security,capability=identity"
    assert {name: value for name, value in served.items() if "_agency_a" in name and "_bucket" not in name} == {
        f"shuniu_agency_answers_total{{{question},reason=,state=found}}": 1,
        f"shuniu_agency_answers_total{{{question},reason=outside_hours,state=not_asked}}": 1,
        f"shuniu_agency_answer_seconds_count{{{question}}}": 1,
        f"shuniu_agency_answer_seconds_sum{{{question}}}": 4.1,
        f"shuniu_agency_attempts_total{{{question},outcome=timeout}}": 1,
        f"shuniu_agency_attempts_total{{{question},outcome=answered}}": 1,
        f"shuniu_agency_attempt_seconds_count{{{question}}}": 2,
        f"shuniu_agency_attempt_seconds_sum{{{question}}}": 4.02,
    }


def test_buckets_grow_and_end_with_the_count() -> None:
    """As Prometheus wants them: each holds all below it."""
    metrics = Metrics()
    for seconds in (0.004, 0.2, 60.0):
        metrics.requests.labels("POST", "/v1/lookups", 200).observe(seconds)

    served = samples(metrics)

    buckets = [value for name, value in served.items() if name.startswith("http_server_request_duration_seconds_b")]
    assert len(buckets) == len(BOUNDS) + 1
    assert buckets == sorted(buckets)
    assert (buckets[0], buckets[-1]) == (1, 3)


def test_guard_is_shown_by_capability_and_shared_state_of_an_agency_once() -> None:
    """Adding up over capabilities never counts a bulkhead twice; a quota that nobody declared is not there."""
    served = samples()

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


def test_values_that_the_database_does_not_give_are_left_out_and_not_zero() -> None:
    """A dashboard must not show an empty log where nothing is known."""
    unknown = replace(AUDIT, tree_size=None, open_orphans=None, anchors=None)

    served = samples(audit=unknown)

    assert set(samples()) - set(served) == {
        "shuniu_audit_tree_size",
        "shuniu_audit_open_orphans",
    }

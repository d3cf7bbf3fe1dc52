"""
The meters of a hub as Prometheus reads them.  docs/operations/monitoring.md has a line for each.

Labels come from closed sets: agencies, capabilities, states, reasons, rules, templates of routes.  Bulkhead and retry
budget belong to an agency and are shown once for it; everything else of a guard is shown by capability.
"""

import platform
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from gateway.resilience.status import BreakerState, GuardState
from gateway.telemetry.metrics import BOUNDS, Durations
from gateway.telemetry.snapshot import AuditStatus, TelemetrySnapshot

BREAKER: Final = {BreakerState.CLOSED: 0, BreakerState.HALF_OPEN: 1, BreakerState.OPEN: 2}

Labels = tuple[str, ...]
Rows = Iterable[tuple[Labels, float | None]]

_REQUEST: Final = ("http_request_method", "http_route", "http_response_status_code")
_QUESTION: Final = ("agency", "capability")
_ANCHOR: Final = ("kind", "name")


def rendered(reading: TelemetrySnapshot, accept: str) -> tuple[bytes, str]:
    """The reading in the format that `accept` asks for, and its content type.  Blocks for some milliseconds."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collected(reading))
    ProcessCollector(registry=registry)
    encode, content_type = choose_encoder(accept)
    return encode(registry), content_type


class _Collected(Collector):
    def __init__(self, reading: TelemetrySnapshot) -> None:
        self._reading = reading

    def collect(self) -> Iterator[Metric]:
        yield from _calls(self._reading)
        yield from _agencies(self._reading)
        yield from _guards(self._reading)
        yield from _audit(self._reading.audit)
        yield from _process(self._reading)


def _calls(reading: TelemetrySnapshot) -> Iterator[Metric]:
    counted = reading.counted
    yield _histogram(
        "http_server_request_duration_seconds", "Duration of calls to the hub.", _REQUEST, counted.requests.items()
    )
    yield _gauge("http_server_active_requests", "Calls being answered.", (), [((), counted.active)])
    yield _counter("shuniu_refusals", "Calls that ended with a problem.", ("problem", "rule"), counted.refusals.items())
    yield _counter("shuniu_lookups", "Lookups that were asked, by their end.", ("outcome",), counted.lookups.items())


def _agencies(reading: TelemetrySnapshot) -> Iterator[Metric]:
    counted = reading.counted
    by_answer, by_attempt = (*_QUESTION, "state", "reason"), (*_QUESTION, "outcome")
    yield _counter("shuniu_agency_answers", "Questions by what came of them.", by_answer, counted.answers.items())
    yield _histogram(
        "shuniu_agency_answer_seconds", "Time until a question ended.", _QUESTION, counted.answering.items()
    )
    yield _counter("shuniu_agency_attempts", "Requests to agencies.", by_attempt, counted.attempts.items())
    yield _histogram(
        "shuniu_agency_attempt_seconds", "Time until a request ended.", _QUESTION, counted.attempting.items()
    )


def _guards(reading: TelemetrySnapshot) -> Iterator[Metric]:
    guards = reading.guards

    def each(value: Callable[[GuardState], float | None]) -> Rows:
        return [((guard.agency, guard.capability), value(guard)) for guard in guards]

    def of_agency(value: Callable[[GuardState], float]) -> Rows:
        return {(guard.agency,): value(guard) for guard in guards}.items()

    def closed_for(guard: GuardState) -> float:
        return max(0.0, (guard.closed_until - reading.at).total_seconds()) if guard.closed_until else 0.0

    quotas = [
        ((guard.agency, guard.capability, window), left)
        for guard in guards
        for window, left in (("minute", guard.minute_left), ("day", guard.day_left))
    ]
    agency = ("agency",)
    yield _gauge(
        "shuniu_agency_breaker", "0 closed, 1 half open, 2 open.", _QUESTION, each(lambda g: BREAKER[g.breaker])
    )
    yield _gauge("shuniu_agency_closed_seconds", "Until it may be asked again.", _QUESTION, each(closed_for))
    yield _gauge("shuniu_agency_quota_left", "Questions left of a quota.", (*_QUESTION, "window"), quotas)
    yield _gauge(
        "shuniu_agency_last_good_timestamp_seconds",
        "When it last answered.",
        _QUESTION,
        each(lambda g: g.last_good_at.timestamp() if g.last_good_at else None),
    )
    drift = [(labels, value) for labels, value in each(lambda g: g.drift) if value is not None]
    yield _counter("shuniu_agency_drift", "Leaves of answers that nobody agreed on.", _QUESTION, drift)
    yield _gauge(
        "shuniu_agency_retries_left", "Attempts that may be repeated now.", agency, of_agency(lambda g: g.budget_left)
    )
    yield _gauge("shuniu_agency_in_flight", "Questions under way.", agency, of_agency(lambda g: g.in_flight))
    yield _gauge("shuniu_agency_in_flight_limit", "The most at once.", agency, of_agency(lambda g: g.in_flight_limit))
    yield _gauge("shuniu_agency_waiting", "Questions waiting for a place.", agency, of_agency(lambda g: g.waiting))
    yield _gauge("shuniu_agency_waiting_limit", "The most that may wait.", agency, of_agency(lambda g: g.waiting_limit))


def _audit(audit: AuditStatus) -> Iterator[Metric]:
    anchors = [((one.status.kind.value, one.status.name), one) for one in audit.anchors or ()]
    yield _counter("shuniu_audit_appends", "Records made durable by this process.", (), [((), audit.appended)])
    yield _counter("shuniu_audit_append_failures", "Records that could not be made.", (), [((), audit.refused)])
    yield _gauge("shuniu_audit_waiting", "Records waiting for their turn.", (), [((), audit.waiting)])
    yield _gauge("shuniu_audit_tree_size", "Records in the log.", (), [((), audit.tree_size)])
    yield _gauge(
        "shuniu_audit_checkpoint_size", "Records under the newest checkpoint.", (), [((), audit.checkpoint_size)]
    )
    yield _gauge("shuniu_audit_checkpoint_age_seconds", "Since all was signed.", (), [((), audit.checkpoint_age)])
    yield _gauge("shuniu_audit_broken", "1: the log contradicts what was signed.", (), [((), audit.broken)])
    yield _gauge("shuniu_audit_open_orphans", "Intents without an outcome.", (), [((), audit.open_orphans)])
    yield _gauge(
        "shuniu_audit_anchor_age_seconds", "Since an anchor.", _ANCHOR, [(key, one.age_s) for key, one in anchors]
    )
    yield _gauge("shuniu_audit_anchor_late", "1: waits too long.", _ANCHOR, [(key, one.late) for key, one in anchors])
    failures = [(key, one.failures) for key, one in anchors]
    yield _counter("shuniu_audit_anchor_failures", "Failed attempts at an anchor.", _ANCHOR, failures)


def _process(reading: TelemetrySnapshot) -> Iterator[Metric]:
    database = reading.database
    build = (reading.version, platform.python_version())
    yield _gauge("shuniu_database_connections", "Connections of the pool.", (), [((), database.connections)])
    yield _gauge("shuniu_database_in_use", "Connections at work.", (), [((), database.in_use)])
    yield _gauge("shuniu_database_waiting", "Calls waiting for a connection.", (), [((), database.waiting)])
    yield _histogram("shuniu_event_loop_lag_seconds", "How late the loop awakes.", (), reading.counted.loop_lag.items())
    spans = [((state,), reading.spans.get(state, 0)) for state in ("exported", "lost")]
    yield _counter("shuniu_spans", "Spans of traces.", ("state",), spans)
    yield _counter("shuniu_log_lines_dropped", "Log lines that were not written.", (), [((), reading.dropped_lines)])
    yield _gauge("shuniu_build_info", "Always 1.", ("version", "python"), [(build, 1)])


def _gauge(name: str, text: str, labels: Labels, rows: Rows) -> Metric:
    """What is None is not known, and left out."""
    family = GaugeMetricFamily(name, text, labels=labels)
    for values, value in rows:
        if value is not None:
            family.add_metric(values, value)
    return family


def _counter(name: str, text: str, labels: Labels, rows: Iterable[tuple[Labels, float]]) -> Metric:
    family = CounterMetricFamily(name, text, labels=labels)
    for values, value in rows:
        family.add_metric(values, value)
    return family


def _histogram(name: str, text: str, labels: Labels, rows: Iterable[tuple[Labels, Durations]]) -> Metric:
    family = HistogramMetricFamily(name, text, labels=labels)
    for values, durations in rows:
        buckets, below = [], 0
        for bound, count in zip((*map(str, BOUNDS), "+Inf"), durations.counts, strict=True):
            below += count
            buckets.append((bound, float(below)))
        family.add_metric(values, buckets, durations.total)
    return family

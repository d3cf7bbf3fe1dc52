"""
The text of a scrape: the meters of a hub and the state of its guards, log, pool and process.

Bulkhead and retry budget belong to an agency and are shown once for it; everything else of a guard is shown by
capability.
"""

import platform
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from gateway.resilience.status import BreakerState, GuardState
from gateway.telemetry.metrics import QUESTION_LABELS, Metrics
from gateway.telemetry.snapshot import AuditStatus, TelemetrySnapshot

BREAKER: Final = {BreakerState.CLOSED: 0, BreakerState.HALF_OPEN: 1, BreakerState.OPEN: 2}

Labels = tuple[str, ...]
Rows = Iterable[tuple[Labels, float | None]]

_ANCHOR: Final = ("kind", "name")


def render(metrics: Metrics, snapshot: TelemetrySnapshot, accept: str) -> tuple[bytes, str]:
    """The scrape in the format that `accept` asks for, and its content type.  Blocks for some milliseconds."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_ScrapeCollector(metrics, snapshot))
    ProcessCollector(registry=registry)
    encode, content_type = choose_encoder(accept)
    return encode(registry), content_type


@dataclass(frozen=True, slots=True, eq=False)
class _ScrapeCollector(Collector):
    metrics: Metrics
    snapshot: TelemetrySnapshot

    def collect(self) -> Iterator[Metric]:
        yield from self.metrics.registry.collect()
        yield from _guards(self.snapshot)
        yield from _audit(self.snapshot.audit)
        yield from _process(self.snapshot)


def _guards(snapshot: TelemetrySnapshot) -> Iterator[Metric]:
    guards = snapshot.guards

    def each(value: Callable[[GuardState], float | None]) -> Rows:
        return [((guard.agency, guard.capability), value(guard)) for guard in guards]

    def each_agency(value: Callable[[GuardState], float]) -> Rows:
        return {(guard.agency,): value(guard) for guard in guards}.items()

    def closed_for(guard: GuardState) -> float:
        return max(0.0, (guard.closed_until - snapshot.at).total_seconds()) if guard.closed_until else 0.0

    quotas = [
        ((guard.agency, guard.capability, window), left)
        for guard in guards
        for window, left in (("minute", guard.minute_left), ("day", guard.day_left))
    ]
    agency = ("agency",)
    yield _gauge(
        "shuniu_agency_breaker", "0 closed, 1 half open, 2 open.", QUESTION_LABELS, each(lambda g: BREAKER[g.breaker])
    )
    yield _gauge("shuniu_agency_closed_seconds", "Until it may be asked again.", QUESTION_LABELS, each(closed_for))
    yield _gauge("shuniu_agency_quota_left", "Questions left of a quota.", (*QUESTION_LABELS, "window"), quotas)
    yield _gauge(
        "shuniu_agency_last_good_timestamp_seconds",
        "When it last answered.",
        QUESTION_LABELS,
        each(lambda g: g.last_good_at.timestamp() if g.last_good_at else None),
    )
    drift = [(labels, value) for labels, value in each(lambda g: g.drift) if value is not None]
    yield _counter("shuniu_agency_drift", "Elements of answers that no mapping knows.", QUESTION_LABELS, drift)
    yield _gauge(
        "shuniu_agency_retries_left", "Attempts that may be repeated now.", agency, each_agency(lambda g: g.budget_left)
    )
    yield _gauge("shuniu_agency_in_flight", "Questions under way.", agency, each_agency(lambda g: g.in_flight))
    yield _gauge("shuniu_agency_in_flight_limit", "The limit.", agency, each_agency(lambda g: g.in_flight_limit))
    yield _gauge("shuniu_agency_waiting", "Questions waiting for a place.", agency, each_agency(lambda g: g.waiting))
    yield _gauge("shuniu_agency_waiting_limit", "The limit.", agency, each_agency(lambda g: g.waiting_limit))


def _audit(audit: AuditStatus) -> Iterator[Metric]:
    anchors = [((anchor.status.kind.value, anchor.status.name), anchor) for anchor in audit.anchors or ()]
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
        "shuniu_audit_anchor_age_seconds", "Since an anchor.", _ANCHOR, [(key, anchor.age_s) for key, anchor in anchors]
    )
    yield _gauge(
        "shuniu_audit_anchor_late", "1: waits too long.", _ANCHOR, [(key, anchor.late) for key, anchor in anchors]
    )
    failures = [(key, anchor.failures) for key, anchor in anchors]
    yield _counter("shuniu_audit_anchor_failures", "Failed attempts at an anchor.", _ANCHOR, failures)


def _process(snapshot: TelemetrySnapshot) -> Iterator[Metric]:
    database = snapshot.database
    build = (snapshot.version, platform.python_version())
    yield _gauge("shuniu_database_connections", "Connections of the pool.", (), [((), database.connections)])
    yield _gauge("shuniu_database_in_use", "Connections at work.", (), [((), database.in_use)])
    yield _gauge("shuniu_database_waiting", "Calls waiting for a connection.", (), [((), database.waiting)])
    spans = [((state,), snapshot.spans.get(state, 0)) for state in ("exported", "lost")]
    yield _counter("shuniu_spans", "Spans of traces.", ("state",), spans)
    yield _counter("shuniu_log_lines_dropped", "Log lines that were not written.", (), [((), snapshot.dropped_lines)])
    yield _gauge("shuniu_build_info", "Always 1.", ("version", "python"), [(build, 1)])


def _gauge(name: str, text: str, labels: Labels, rows: Rows) -> Metric:
    """A gauge; rows whose value is not known (None) are left out."""
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

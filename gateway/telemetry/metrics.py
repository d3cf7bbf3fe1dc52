"""
The meters of one hub: counters and histograms of prometheus_client, in a registry of the hub's own.

Labels are words of ours from closed sets.  docs/operations/monitoring.md has a line for each meter.
"""

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics

from schemas.codes import AnswerState, Reason

BOUNDS: Final = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0, 30.0)
"""Upper bounds in seconds: those of the OpenTelemetry convention, and the longest deadline of a lookup."""

REQUEST_LABELS: Final = ("http_request_method", "http_route", "http_response_status_code")
QUESTION_LABELS: Final = ("agency", "capability")

# The time at which each series began would double the number of samples.
disable_created_metrics()  # type: ignore[no-untyped-call]


class Metrics:
    """
    What one hub counts since it started.  Safe to use from any thread.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()

        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(name, text, labels, registry=self.registry)

        def histogram(name: str, text: str, *labels: str) -> Histogram:
            return Histogram(name, text, labels, buckets=BOUNDS, registry=self.registry)

        self.requests = histogram(
            "http_server_request_duration_seconds", "Duration of calls to the hub.", *REQUEST_LABELS
        )
        self.active = Gauge("http_server_active_requests", "Calls being answered.", registry=self.registry)
        self.refusals = counter("shuniu_refusals", "Calls that ended with a problem.", "problem", "rule")
        self.lookups = counter("shuniu_lookups", "Lookups by their outcome.", "outcome")
        self.answers = counter(
            "shuniu_agency_answers", "Questions by state and reason.", *QUESTION_LABELS, "state", "reason"
        )
        self.answer_seconds = histogram(
            "shuniu_agency_answer_seconds", "Time until a question ended.", *QUESTION_LABELS
        )
        self.attempts = counter("shuniu_agency_attempts", "Requests to agencies.", *QUESTION_LABELS, "outcome")
        self.attempt_seconds = histogram("shuniu_agency_attempt_seconds", "Duration of requests.", *QUESTION_LABELS)
        self.loop_lag = histogram("shuniu_event_loop_lag_seconds", "Delay of a timer of the event loop.")

    def attempted(self, agency: str, capability: str, outcome: str, seconds: float) -> None:
        """Counts a request to an agency that has ended: `answered`, or a reason."""
        self.attempts.labels(agency, capability, outcome).inc()
        self.attempt_seconds.labels(agency, capability).observe(seconds)

    def answered(self, agency: str, capability: str, state: AnswerState, reason: Reason | None, seconds: float) -> None:
        """Counts a question that has ended.  A question that was not asked is counted and not timed."""
        self.answers.labels(agency, capability, state.value, reason.value if reason else "").inc()
        if state is not AnswerState.NOT_ASKED:
            self.answer_seconds.labels(agency, capability).observe(seconds)

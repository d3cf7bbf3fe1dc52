"""
A mock agency: operations behind paths, a script of faults, and a control API at /_control/.
"""

import json
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from mock_agencies.clock import MockClock
from mock_agencies.exchange import MockRequest, MockResponse, OperationRefused
from mock_agencies.faults.catalogue import CATALOGUE
from mock_agencies.faults.delivery import DELIVERIES
from mock_agencies.faults.replies import REPLIES
from mock_agencies.faults.script import ArmedFault, FaultScript
from mock_agencies.operation import Operation

_JOURNAL: Final = 200


@dataclass(frozen=True, slots=True)
class RequestLogEntry:
    """One request as the server saw it, and its verdict: "answered", or the word that says why it was refused."""

    operation: str
    verdict: str
    request: MockRequest


class MockAgency:
    """
    One agency's server: routes a request to its operation, counts it, and lets the script disturb the answer.

    The ledger counts requests per operation.  The journal keeps the latest 200 requests in memory only.
    """

    def __init__(self, name: str, operations: Sequence[Operation], clock: MockClock) -> None:
        self.name = name
        self.clock = clock
        self.script = FaultScript()
        self.ledger: Counter[str] = Counter({operation.name: 0 for operation in operations})
        self.journal: deque[RequestLogEntry] = deque(maxlen=_JOURNAL)
        self.operations = {operation.name: operation for operation in operations}
        self._routes = {path: operation for operation in operations for path in operation.paths}
        self._desk: dict[tuple[str, str], Callable[[MockRequest], MockResponse]] = {
            ("GET", "/_control/faults"): self._show_faults,
            ("POST", "/_control/faults"): self._arm,
            ("DELETE", "/_control/faults"): self._disarm,
            ("GET", "/_control/ledger"): self._show_ledger,
            ("DELETE", "/_control/ledger"): self._clear_ledger,
            ("GET", "/_control/journal"): self._show_journal,
            ("POST", "/_control/clock"): self._move_clock,
        }

    def respond(self, request: MockRequest) -> MockResponse:
        """Answers any request; nothing that a caller sends makes it raise."""
        operation = self._routes.get(request.path)
        if operation is None:
            return self._elsewhere(request)
        self.ledger[operation.name] += 1
        armed = self.script.take(operation.name)
        verdict = "answered"
        if request.method not in operation.methods:
            verdict, answer = "method", MockResponse(b"", "text/plain", 405)
        else:
            try:
                answer = operation.answer(request, armed)
            except OperationRefused as refusal:
                verdict, answer = refusal.why, refusal.answer
        self.journal.append(RequestLogEntry(operation.name, verdict, request))
        if armed is None:
            return answer
        if armed.name in REPLIES:
            return REPLIES[armed.name](answer, armed.options)
        if armed.name in DELIVERIES:
            return replace(answer, deliver=DELIVERIES[armed.name](armed.options))
        return answer

    def _elsewhere(self, request: MockRequest) -> MockResponse:
        desk = self._desk.get((request.method, request.path))
        if desk is not None:
            return desk(request)
        if request.path == "/_trap":
            self.ledger["trap"] += 1
            return MockResponse(b"you should not be here", "text/plain")
        return MockResponse(b"404", "text/plain", 404)

    def arm(self, fault: str, operation: str | None = None, **script: Any) -> None:
        """
        Arms a fault for one operation, or for every operation to which it applies.

        `times` (None: until cleared), `after` (so many requests pass first) and `options` are as in the HTTP call.
        Raises `ValueError` for a fault or operation that does not exist or does not apply.
        """
        self.script.arm(_armed(fault, self._operations_for(fault, operation), **script))

    def _operations_for(self, fault: str, operation: str | None) -> frozenset[str]:
        if operation is not None and operation not in self.operations:
            raise ValueError(f"no such operation; there are {', '.join(sorted(self.operations))}")
        applies = {name for name, candidate in self.operations.items() if fault in candidate.faults}
        meant = frozenset(applies if operation is None else applies & {operation})
        if not meant:
            raise ValueError("no such fault here; GET /_control/faults lists them")
        return meant

    # The control API

    def _show_faults(self, _request: MockRequest) -> MockResponse:
        listed = [
            {
                **asdict(fault),
                "operations": [
                    operation for operation in sorted(self.operations) if name in self.operations[operation].faults
                ],
            }
            for name, fault in CATALOGUE.items()
        ]
        armed = [{**asdict(fault), "operations": sorted(fault.operations)} for fault in self.script.armed]
        return _json({"faults": [fault for fault in listed if fault["operations"]], "armed": armed})

    def _arm(self, request: MockRequest) -> MockResponse:
        try:
            order = json.loads(request.body)
            fault = order.pop("fault")
            self.arm(fault, order.pop("operation", None), **order)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            return _json({"error": f"{type(error).__name__}: {error}"}, status=422)
        return self._show_faults(request)

    def _disarm(self, _request: MockRequest) -> MockResponse:
        self.script.clear()
        return _json({"armed": []})

    def _show_ledger(self, _request: MockRequest) -> MockResponse:
        return _json(dict(self.ledger))

    def _clear_ledger(self, _request: MockRequest) -> MockResponse:
        self.ledger.update({name: -count for name, count in self.ledger.items()})
        self.journal.clear()
        return _json(dict(self.ledger))

    def _show_journal(self, _request: MockRequest) -> MockResponse:
        shown = [
            {
                "operation": entry.operation,
                "verdict": entry.verdict,
                "method": entry.request.method,
                "path": entry.request.path,
                "query": entry.request.query,
                "headers": entry.request.headers,
                "body": entry.request.body.decode("utf-8", "replace"),
            }
            for entry in self.journal
        ]
        return _json({"entries": shown})

    def _move_clock(self, request: MockRequest) -> MockResponse:
        try:
            self.clock.advance(float(json.loads(request.body)["advance_seconds"]))
        except (ValueError, TypeError, KeyError) as error:
            return _json({"error": type(error).__name__}, status=422)
        return _json({"now_ms": self.clock.now_ms()})


def _armed(
    fault: str,
    operations: frozenset[str],
    *,
    times: int | None = None,
    after: int = 0,
    options: dict[str, Any] | None = None,
) -> ArmedFault:
    if times is not None and not isinstance(times, int):
        raise TypeError("times is a whole number or null")
    return ArmedFault(fault, operations, times, int(after), dict(options or {}))


def _json(value: Any, status: int = 200) -> MockResponse:
    return MockResponse(json.dumps(value, ensure_ascii=False).encode(), status=status)

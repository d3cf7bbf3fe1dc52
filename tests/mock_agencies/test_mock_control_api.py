"""
The control API at /_control/: faults in their order, counts, a journal, and a clock that can be moved.
"""

import json
from typing import Any

import pytest

from mock_agencies.faults.script import ArmedFault, FaultScript

COMPANY = "91330802DEM000014A"
JSON = {"content-type": "application/json"}


def control(court: Any, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    """A call to market regulation's control API: status and JSON."""
    answer = court.send("market_regulation", f"/_control/{path}", JSON, json.dumps(body).encode(), method)
    return answer.status, json.loads(answer.body)


def test_a_fault_is_applied_as_often_as_armed(court: Any) -> None:
    """Two throttled answers, then the record."""
    court.registration(COMPANY)
    control(court, "POST", "faults", {"fault": "unknown_envelope_code", "operation": "registration", "times": 2})

    assert [court.registration(COMPANY)["code"] for _ in range(3)] == [277, 277, 200]


def test_faults_of_one_operation_are_applied_in_order(court: Any) -> None:
    """The first armed is used up before the second begins; a third without times stays until it is cleared."""
    script = FaultScript()
    here = frozenset({"registration"})
    script.arm(ArmedFault("reset", here, times=1))
    script.arm(ArmedFault("hang", here, times=1, after=1))
    script.arm(ArmedFault("truncated", here))
    taken = [script.take("registration") for _ in range(5)]

    assert [fault.name if fault else None for fault in taken] == ["reset", None, "hang", "truncated", "truncated"]
    script.clear()
    assert script.take("registration") is None


def test_a_fault_of_one_operation_does_not_affect_others(court: Any) -> None:
    """Armed for one operation it is armed for that one only; armed for none in particular, for all it applies to."""
    court.registration(COMPANY)
    control(court, "POST", "faults", {"fault": "unknown_envelope_code", "operation": "positions"})
    assert court.registration(COMPANY)["code"] == 200

    control(court, "POST", "faults", {"fault": "unknown_envelope_code", "operation": None, "times": None})
    assert court.registration(COMPANY)["code"] == 277
    control(court, "DELETE", "faults")
    assert court.registration(COMPANY)["code"] == 200


def test_after_lets_the_first_requests_pass(court: Any) -> None:
    """`after` lets the first questions pass."""
    moved = ("33080219900307005X", "沈知溪")
    court.agencies["human_resources"].arm("over_quota", "participation", after=2)

    assert [court.participation(*moved)["code"] for _ in range(4)] == ["00", "00", "18", "18"]


@pytest.mark.parametrize(
    "order",
    [
        {"fault": "over_quota"},
        {"fault": "no such fault"},
        {"fault": "hang", "operation": "identity"},
        {"fault": "hang", "times": "twice"},
        {"fault": "hang", "surprise": 1},
        {"operation": "registration"},
        {"fault": ["hang"]},
        [],
        None,
    ],
)
def test_a_fault_that_does_not_apply_is_refused(court: Any, order: Any) -> None:
    """Unknown names, other agencies' faults and ill-formed orders are 422 and arm nothing."""
    status, answer = control(court, "POST", "faults", order)

    assert (status, list(answer)) == (422, ["error"])
    assert control(court, "GET", "faults")[1]["armed"] == []


def test_the_catalogue_lists_names_options_state_and_reasons(court: Any) -> None:
    """Name, both languages, operations, options, expected state and reasons."""
    _, answer = control(court, "GET", "faults")
    throttled = next(fault for fault in answer["faults"] if fault["name"] == "throttled")

    assert throttled == {
        "name": "throttled", "zh": "请求过于频繁", "en": "429, Retry-After in `seconds` (7) or with `form` date",
        "state": "unavailable", "reasons": ["throttled"], "options": ["seconds", "form"],
        "operations": ["positions", "refresh", "registration"],
    }  # fmt: skip
    assert all(fault["operations"] for fault in answer["faults"])


def test_armed_faults_are_listed(court: Any) -> None:
    """The script as it stands, with what is left of it."""
    control(
        court, "POST", "faults", {"fault": "latency", "operation": "positions", "times": 3, "options": {"seconds": 1}}
    )

    assert control(court, "GET", "faults")[1]["armed"] == [
        {"name": "latency", "operations": ["positions"], "times": 3, "after": 0, "options": {"seconds": 1}}
    ]


def test_the_ledger_counts_requests_per_operation(court: Any) -> None:
    """Refused requests count too; clearing starts anew."""
    court.registration(COMPANY)
    court.registration(COMPANY, sign="AAAA")

    assert control(court, "GET", "ledger") == (200, {"refresh": 1, "registration": 2, "positions": 0})
    assert control(court, "DELETE", "ledger") == (200, {"refresh": 0, "registration": 0, "positions": 0})


def test_the_journal_has_each_request_and_its_verdict(court: Any) -> None:
    """Operation, verdict, and the request as it came."""
    court.registration(COMPANY, sign="AAAA")
    _, answer = control(court, "GET", "journal")
    entry = answer["entries"][-1]

    assert {key: entry[key] for key in ("operation", "verdict", "method", "path", "query")} == {
        "operation": "registration", "verdict": "bad_signature", "method": "POST", "path": "/sysapi/enterprise/basic",
        "query": "",
    }  # fmt: skip
    assert json.loads(entry["body"])["uniscid"] == COMPANY
    assert entry["headers"]["gjgxjhpt_sign"] == "AAAA"


def test_the_clock_can_be_moved(court: Any) -> None:
    """The mock time moves without waiting; a wrong order is refused."""
    before = court.clock.now_ms()

    assert control(court, "POST", "clock", {"advance_seconds": 90}) == (200, {"now_ms": before + 90_000})
    assert [control(court, "POST", "clock", body)[0] for body in ({}, {"advance_seconds": "x"}, None)] == [422] * 3


def test_an_unknown_control_path_is_not_found(court: Any) -> None:
    """Only what is documented exists."""
    assert court.send("market_regulation", "/_control/secrets", {}, b"", "GET").status == 404

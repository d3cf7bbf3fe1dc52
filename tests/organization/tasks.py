"""
Work orders, lookups and emergencies in a house, in one line each.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.organization.house import Answer, House

PARTY = {"kind": "person", "id_type": "resident_id", "id_number": "330802196503140014", "name": "某甲"}
HOLDER = {
    "user": "li.ting",
    "name": "李婷",
    "id_number": "330802199003071239",
    "unit_code": "11330800DEM000196R",
    "unit_name": "示例市柯城区人民法院",
    "terminal": "10.0.0.17",
}


def told(answer: Answer) -> tuple[int, str]:
    """The status, and the rule or kind of a refusal."""
    if answer.status_code < 400:
        return answer.status_code, ""
    body = answer.json()
    assert body["detail"]
    assert body["detail_zh"]
    return answer.status_code, body.get("rule") or body["type"].removeprefix("urn:shuniu:problem:")


def whole(answer: Answer) -> tuple[int, dict[str, Any]]:
    """All that a refusal says, but for the trace of the call, which is every call's own."""
    return answer.status_code, answer.json() | {"trace_id": ""}


def dispatch(house: House, number: str = "T-1", *, kind: str = "service-of-process", **changes: Any) -> Answer:
    """A work order of li.ting's, as the ticket system states it."""
    body = {
        "version": 1,
        "status": "dispatched",
        "kind": kind,
        "court": "浙0802",
        "case_number": "（2026）浙0802民初1877号",
        "holder": HOLDER,
        "parties": [{"role": "defendant", **PARTY}],
    }
    token = house.issuer.token("ticket-system", "浙0802", scope="work-orders:write", client_id="ticket-system")
    return house.call_with(token, "PUT", f"/v1/work-orders/{number}", body | changes)


def look_up(house: House, who: str, number: str = "T-1", want: str = "identity", **changes: Any) -> Answer:
    """A lookup of the party."""
    subject = {name: PARTY[name] for name in ("kind", "id_type", "id_number")}
    return house.call(who, "POST", "/v1/lookups", {"work_order": number, "subject": subject, "want": [want]}, **changes)


def emergency(house: House, who: str, **changes: Any) -> Answer:
    """An emergency about the party."""
    body = {
        "case_number": "（2026）浙0802民初1877号",
        "party": {"role": "defendant", **PARTY},
        "want": ["identity"],
        "reason": "deadline",
        "note": "保全期限今日届满，某甲下落不明。",
    }
    return house.call(who, "POST", "/v1/emergencies", body | changes)


def confirm(house: House, who: str, number: str, version: int = 1, **place: Any) -> Answer:
    """A second person's word."""
    return house.call(who, "POST", f"/v1/work-orders/{number}/confirmations", {"version": version}, **place)


def review(house: House, who: str, number: str, finding: str = "justified", **place: Any) -> Answer:
    """A reviewer's word."""
    body = {"finding": finding, "note": "卷宗核对无误。"}
    return house.call(who, "POST", f"/v1/reviews/{number}", body, **place)


def delegate(house: House, who: str, absent: str, deputy: str, *, begins: int = 0, days: int = 7) -> Answer:
    """Somebody stands in, from `begins` days from now on."""
    start = datetime.now(UTC) + timedelta(days=begins)
    body = {"absent": absent, "deputy": deputy, "starts_at": start.isoformat()}
    return house.call(who, "POST", "/v1/delegations", body | {"ends_at": (start + timedelta(days=days)).isoformat()})

"""
Work orders, lookups and emergencies in a house, in one line each.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.organization.court import Answer, OrganizationCourt

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


def dispatch(
    court: OrganizationCourt, number: str = "T-1", *, kind: str = "service-of-process", **changes: Any
) -> Answer:
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
    token = court.issuer.token("ticket-system", "浙0802", scope="work-orders:write", client_id="ticket-system")
    return court.call_with(token, "PUT", f"/v1/work-orders/{number}", body | changes)


def look_up(
    court: OrganizationCourt, /, who: str, number: str = "T-1", want: str = "identity", **changes: Any
) -> Answer:
    """A lookup of the party."""
    subject = {name: PARTY[name] for name in ("kind", "id_type", "id_number")}
    return court.call(who, "POST", "/v1/lookups", {"work_order": number, "subject": subject, "want": [want]}, **changes)


def emergency(court: OrganizationCourt, /, who: str, **changes: Any) -> Answer:
    """An emergency about the party."""
    body = {
        "case_number": "（2026）浙0802民初1877号",
        "party": {"role": "defendant", **PARTY},
        "want": ["identity"],
        "reason": "deadline",
        "note": "保全期限今日届满，某甲下落不明。",
    }
    return court.call(who, "POST", "/v1/emergencies", body | changes)


def confirm(court: OrganizationCourt, /, who: str, number: str, version: int = 1, **place: Any) -> Answer:
    """A second person's word."""
    return court.call(who, "POST", f"/v1/work-orders/{number}/confirmations", {"version": version}, **place)


def review(court: OrganizationCourt, /, who: str, number: str, finding: str = "justified", **place: Any) -> Answer:
    """A reviewer's word."""
    body = {"finding": finding, "note": "卷宗核对无误。"}
    return court.call(who, "POST", f"/v1/reviews/{number}", body, **place)


def delegate(
    court: OrganizationCourt, /, who: str, absent: str, deputy: str, *, begins: int = 0, days: int = 7
) -> Answer:
    """Somebody stands in, from `begins` days from now on."""
    start = datetime.now(UTC) + timedelta(days=begins)
    body = {"absent": absent, "deputy": deputy, "starts_at": start.isoformat()}
    return court.call(who, "POST", "/v1/delegations", body | {"ends_at": (start + timedelta(days=days)).isoformat()})

"""
Bad input gets a problem that names the rule and the next step, and never repeats what was sent.
"""

import httpx
import pytest

from tests.court import RunningCourt

PROBLEM = "application/problem+json"


def problem_of(answer: httpx.Response) -> tuple[int, str, list[str]]:
    """What a problem says: status, kind, broken rules."""
    body = answer.json()
    assert answer.headers["content-type"] == PROBLEM
    assert answer.headers["cache-control"] == "no-store"
    assert body["detail"]
    assert body["detail_zh"]
    rules = [f"{error['field']}: {error['rule']}" for error in body.get("errors", [])]
    return answer.status_code, body["type"].removeprefix("urn:shuniu:problem:"), rules or [body.get("rule", "")]


def raw(court: RunningCourt, content: bytes, **headers: str) -> httpx.Response:
    """A lookup with a body of our own making."""
    return httpx.post(
        court.demo.address + "/v1/lookups",
        content=content,
        headers={"Authorization": f"Bearer {court.token(user='li.ting')}", "Content-Type": "application/json"}
        | headers,
        trust_env=False,
    )


def test_a_wrong_check_digit_is_refused_by_its_rule(court: RunningCourt) -> None:
    """The identifier's own rule is named, before any right is looked at."""
    number = court.dispatch(court.cast["moved"])
    wrong = court.cast["moved"] | {"id_number": "330802199003071230"}

    answer = court.look_up(number, wrong)

    assert problem_of(answer) == (422, "invalid-input", ["subject.id_number: check_digit"])
    assert "330802199003071230" not in answer.text


def test_an_unknown_member_is_refused_and_not_repeated(court: RunningCourt) -> None:
    """A member of our shape is named; one that could be somebody's number is not."""
    number = court.dispatch(court.cast["moved"])

    shaped = court.look_up(number, court.cast["moved"], reason_text="x")
    personal = court.look_up(number, court.cast["moved"], **{"330802199003071239": "x"})

    assert problem_of(shaped) == (422, "invalid-input", ["reason_text: extra_forbidden"])
    assert problem_of(personal) == (422, "invalid-input", ["(unknown member): extra_forbidden"])
    assert "330802199003071239" not in personal.text


def test_a_body_of_ten_megabytes_is_refused_unread(court: RunningCourt) -> None:
    """Declared or not, a body beyond the bound is refused."""
    declared = raw(court, b" " * 10_000_000)

    assert problem_of(declared)[:2] == (413, "body-too-large")


def test_a_chunked_body_is_counted_while_it_streams(court: RunningCourt) -> None:
    """Without a declared length the bytes are counted."""
    answer = httpx.post(
        court.demo.address + "/v1/lookups",
        content=(b" " * 65_536 for _ in range(160)),
        headers={"Authorization": f"Bearer {court.token(user='li.ting')}", "Content-Type": "application/json"},
        trust_env=False,
    )

    assert problem_of(answer)[:2] == (413, "body-too-large")


@pytest.mark.parametrize("kind", ["text/plain", "application/xml", "application/json; charset=gb18030"])
def test_a_body_that_is_not_json_is_refused_by_its_type(court: RunningCourt, kind: str) -> None:
    """The content type is checked before anything is read."""
    assert problem_of(raw(court, b"{}", **{"Content-Type": kind}))[:2] == (415, "wrong-content-type")


def test_malformed_json_is_refused_by_its_rule(court: RunningCourt) -> None:
    """Half a body is bad input, not a failure of ours."""
    assert problem_of(raw(court, b'{"work_order": "T'))[:2] == (422, "invalid-input")


def test_a_call_without_a_token_is_401(court: RunningCourt) -> None:
    """No token, no answer, and the header that says how."""
    answer = httpx.post(court.demo.address + "/v1/lookups", json={}, trust_env=False)

    assert problem_of(answer) == (401, "not-signed-in", ["missing"])
    assert answer.headers["www-authenticate"].startswith("Bearer ")


def test_a_token_of_a_foreign_sign_on_server_is_refused(court: RunningCourt) -> None:
    """A token that another key signed is nobody's."""
    token = court.token(user="li.ting")
    head, body, signature = token.split(".")
    forged = ".".join([head, body, ("A" if signature[0] != "A" else "B") + signature[1:]])

    answer = court.demo.call(forged, "GET", "/v1/agencies")

    assert problem_of(answer) == (401, "not-signed-in", ["bad_signature"])


def test_an_expired_token_is_refused(court: RunningCourt) -> None:
    """An hour later the same token opens nothing."""
    expired = court.token(user="li.ting", age="3600")

    assert problem_of(court.demo.call(expired, "GET", "/v1/agencies")) == (401, "not-signed-in", ["expired"])


def test_an_address_that_does_not_exist_is_a_problem_too(court: RunningCourt) -> None:
    """Every error has the same form."""
    assert problem_of(court.call("GET", "/v2/nothing", user="li.ting"))[:2] == (404, "not-found")
    assert problem_of(court.call("DELETE", "/v1/lookups", user="li.ting"))[:2] == (405, "method-not-allowed")

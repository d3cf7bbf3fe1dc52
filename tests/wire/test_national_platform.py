"""
How a question is put to the national platform, when its secret is renewed, and what its answers mean.
"""

import asyncio
import json
from typing import Any

import httpx
import pytest

from adapters.contract import Rows
from adapters.errors import AgencyFault, AgencyRefused, AnswerUnreadable, ConfigurationError, CredentialsRejected
from adapters.wire.national import sign
from schemas.codes import Reason

pytestmark = pytest.mark.anyio

REFRESH = "http://127.0.0.1:9/sysapi/auth/refreshappsecret"
SID = "s_1200000900000_2108"
ROW = {"uniscid": "91330800MA00000000", "entname": "甲公司", "opto": None}


def relay(cxjg: Any, *, code: Any = 200, head: Any = None, **more: Any) -> httpx.Response:
    """An answer in the relay envelope of a ministry."""
    head = {"code": "0000", "msg": "success"} if head is None else head
    data = {"head": head, "data": {"cxjg": cxjg}}
    return httpx.Response(200, json={"code": code, "message": "ok", "data": data, **more})


async def ask(bench: Any, **changes: Any) -> Rows:
    """One question to the mounted agency."""
    rows = await bench.wire("national", **changes).ask(bench.question(), "lookup", bench.terms)
    assert isinstance(rows, Rows)
    return rows


async def test_four_headers_carry_the_signature_and_the_body_names_the_official(bench: Any) -> None:
    """Keys in lower case, and nothing about a person in the address."""
    business = bench.answers("national", relay([ROW]))

    rows = await ask(bench)

    request = business.calls.last.request
    rid = request.headers["gjgxjhpt_rid"]
    assert request.url.query == b""
    assert {name: request.headers[f"gjgxjhpt_{name}"] for name in ("sid", "rtime", "sign")} == {
        "sid": SID,
        "rtime": "1700000000000",
        "sign": sign(SID, rid, "1700000000000", "demo_app_secret"),
    }
    assert json.loads(request.content) == {
        "cerno": "33080219900307123X",
        "name": "甲某某",
        "usercardid": "330802198506181225",
        "username": "李某婷",
        "userdept": "某区人民法院",
        "projectid": "WO-2026-1",
        "powermatters": "许可0000-00",
    }
    assert rows == Rows(records=(ROW,), answered_at=bench.hands.now, reference=rid)


async def test_a_proxy_may_want_the_four_fields_in_the_body(bench: Any) -> None:
    """And another prefix, a suffix of the request number, and an address on its white list."""
    business = bench.answers("national", relay([]))

    await ask(
        bench,
        options={
            "fields_in": "body",
            "prefix": "gjzwfwpt_",
            "rid_suffix": "@court",
            "forwarded_for": "10.8.0.1",
        },
    )

    request = business.calls.last.request
    body = json.loads(request.content)
    assert request.headers["x-forwarded-for"] == "10.8.0.1"
    assert not any(name.startswith("gj") for name in request.headers)
    assert body["gjzwfwpt_rid"].endswith("@court")
    assert body["gjzwfwpt_sign"] == sign(SID, body["gjzwfwpt_rid"], "1700000000000", "demo_app_secret")


async def test_the_secret_is_fetched_with_the_application_key(bench: Any) -> None:
    """The same four fields in a JSON body, signed with the long-term key."""
    renewal = bench.grant_platform_secret()
    bench.answers("national", relay([]))

    await ask(bench)

    body = json.loads(renewal.calls.last.request.content)
    rid = body["gjgxjhpt_rid"]
    assert body == {
        "gjgxjhpt_rid": rid,
        "gjgxjhpt_sid": SID,
        "gjgxjhpt_rtime": "1700000000000",
        "gjgxjhpt_sign": sign(SID, rid, "1700000000000", "demo_app_key"),
    }


async def test_the_secret_is_renewed_a_minute_before_its_end(bench: Any) -> None:
    """By time, and never by guess: a dead secret has no code of its own."""
    bench.answers("national", relay([]))
    renewal = bench.grant_platform_secret()
    wire = bench.wire("national")

    await wire.ask(bench.question(), "lookup", bench.terms)
    bench.hands.forward(minutes=13, seconds=59)
    await wire.ask(bench.question(), "lookup", bench.terms)
    assert renewal.call_count == 1

    bench.hands.forward(seconds=1)
    await wire.ask(bench.question(), "lookup", bench.terms)
    assert renewal.call_count == 2


async def test_questions_that_arrive_together_share_one_refresh(bench: Any) -> None:
    """One refresher per application key."""
    bench.answers("national", relay([]))
    renewal = bench.grant_platform_secret()
    wire = bench.wire("national")

    await asyncio.gather(*(wire.ask(bench.question(), "lookup", bench.terms) for _ in range(20)))

    assert renewal.call_count == 1


@pytest.mark.parametrize(
    "answer",
    [
        {"code": "1", "message": "x", "data": None},
        {"code": 200, "data": {"secret": "H6FhzsPyBrdHSiftdQY7Nw==", "secretEndTime": 1_700_000_900_000}},
        {"code": "0", "data": {"secret": "AAAAAAAAAAAAAAAAAAAAAA==", "secretEndTime": 1_700_000_900_000}},
        {"code": "0", "data": {"secret": "not base64", "secretEndTime": 1_700_000_900_000}},
    ],
)
async def test_a_refusal_or_a_secret_that_does_not_open_means_rejected_credentials(bench: Any, answer: Any) -> None:
    """An operator has to look at the application key, and no question about a person was sent."""
    bench.agency.post(REFRESH).mock(return_value=httpx.Response(200, json=answer))
    question = bench.question()

    with pytest.raises(CredentialsRejected):
        await bench.wire("national").ask(question, "lookup", bench.terms)

    assert question.evidence.attempts == 0


@pytest.mark.parametrize(
    "answer",
    [
        [],
        {},
        {"code": "0"},
        {"code": "0", "data": {"secretEndTime": 1_700_000_900_000}},
        {"code": "0", "data": {"secret": "H6FhzsPyBrdHSiftdQY7Nw=="}},
    ],
)
async def test_a_refresh_without_a_secret_or_its_end_is_unreadable(bench: Any, answer: Any) -> None:
    """Half a secret is no secret."""
    bench.agency.post(REFRESH).mock(return_value=httpx.Response(200, json=answer))

    with pytest.raises(AnswerUnreadable):
        await ask(bench)


async def test_a_refresh_that_is_forbidden_is_a_refusal(bench: Any) -> None:
    """Where the white list lacks us, the status says so."""
    bench.agency.post(REFRESH).mock(return_value=httpx.Response(403))

    with pytest.raises(AgencyRefused):
        await ask(bench)


@pytest.mark.parametrize("code", [200, "200"])
async def test_the_business_code_is_compared_as_text(bench: Any, code: Any) -> None:
    """The two kinds of call disagree about its type."""
    bench.answers("national", relay([ROW], code=code))

    assert (await ask(bench)).records == (ROW,)


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (300, Reason.PROVIDER_ERROR),
        ("300", Reason.PROVIDER_ERROR),
        ("api-012", Reason.PROVIDER_ERROR),
        ("catalog-001", Reason.PROVIDER_ERROR),
        (500, Reason.UNKNOWN_CODE),
        ("0", Reason.UNKNOWN_CODE),
        ("", Reason.UNKNOWN_CODE),
    ],
)
async def test_any_other_business_code_is_a_permanent_failure(bench: Any, code: Any, reason: Reason) -> None:
    """Whatever else the answer holds."""
    bench.answers("national", relay([ROW], code=code))

    with pytest.raises(AgencyFault) as caught:
        await ask(bench)

    assert (caught.value.reason, caught.value.repeatable) == (reason, False)


@pytest.mark.parametrize("head", [{"code": "0001"}, {"code": "0"}, {}, {"status": "0000"}])
async def test_a_relay_whose_head_is_not_ok_is_a_fault(bench: Any, head: Any) -> None:
    """The platform succeeded and the ministry behind it did not."""
    bench.answers("national", relay([ROW], head=head))

    with pytest.raises(AgencyFault):
        await ask(bench)


async def test_the_relay_of_the_population_base_says_status_zero(bench: Any) -> None:
    """Which field and which value is a setting of the route."""
    bench.answers("national", relay([ROW], head={"status": "0", "msg": "查询成功"}))

    rows = await ask(bench, options={"head_field": "status", "head_ok": "0"})

    assert (rows.records, rows.drift) == ((ROW,), ())


async def test_unknown_names_in_the_envelopes_are_drift_and_the_answer_stands(bench: Any) -> None:
    """On each of the three layers."""
    data = {"head": {"code": "0000", "took": 1}, "data": {"cxjg": [ROW], "total": 1}, "node": "n"}
    answer = {"code": 200, "message": "", "data": data, "trace": "t"}
    bench.answers("national", httpx.Response(200, json=answer))

    rows = await ask(bench)

    assert rows.records == (ROW,)
    assert rows.drift == ("envelope/trace", "data/node", "data/head/took", "data/data/total")


@pytest.mark.parametrize(
    "data",
    [None, [], "", {}, {"head": {"code": "0000"}}, {"head": {"code": "0000"}, "data": []}, {"data": {"cxjg": []}}],
)
async def test_success_without_the_relay_is_unreadable(bench: Any, data: Any) -> None:
    """ "No record" is what the route declares, and nothing that merely lacks records."""
    bench.answers("national", httpx.Response(200, json={"code": 200, "message": "", "data": data}))

    with pytest.raises(AnswerUnreadable):
        await ask(bench)


@pytest.mark.parametrize("cxjg", [None, "", {}, {"a": 1}, [1], [{}], "[]", 0])
async def test_records_of_another_shape_are_unreadable(bench: Any, cxjg: Any) -> None:
    """A list of records, or the empty list."""
    bench.answers("national", relay(cxjg))

    with pytest.raises(AnswerUnreadable):
        await ask(bench)


@pytest.mark.parametrize(("cxjg", "form"), [([], "array"), (None, "null"), ("", "text")])
async def test_a_declared_empty_form_is_no_record(bench: Any, cxjg: Any, form: str) -> None:
    """Each form where the route declares it."""
    bench.answers("national", relay(cxjg))

    assert (await ask(bench, options={"empty": [form]})).records == ()


async def test_without_a_relay_the_data_are_the_record(bench: Any) -> None:
    """One object or a list."""
    bench.answers("national", httpx.Response(200, json={"code": 200, "message": "", "data": {"a": {"b": 1}}}))

    assert (await ask(bench, options={"body": "plain"})).records == ({"a/b": 1},)


@pytest.mark.parametrize(
    "changes",
    [
        {"parameters": {"id_number": "cerNo"}},
        {"options": {"prefix": "gj_"}},
        {"options": {"forwarded_for": "here\r\nX: y"}},
        {"options": {"rid_suffix": "court"}},
        {"credentials": {"app_key": "k"}},
        {"credentials": {"app_key": "k", "sid": "2108"}},
    ],
)
def test_a_route_that_cannot_work_stops_the_start(bench: Any, changes: Any) -> None:
    """The text names the file, the key and the fix."""
    with pytest.raises(ConfigurationError, match=r"/(agencies|credentials)\.toml, line 1: synthetic\..*; fix: "):
        bench.wire("national", **changes)

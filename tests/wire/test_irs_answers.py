"""
How a question is put to the IRS platform, and what its answers mean.
"""

import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest

from adapters.contract import Rows
from adapters.errors import (
    AgencyError,
    AgencyFault,
    AgencyThrottled,
    AnswerUnreadable,
    ConfigurationError,
    UnsupportedLookup,
)
from schemas.codes import Reason

pytestmark = pytest.mark.anyio

ADDITIONAL = {
    "powerMatters": "许可0000-00",
    "accesscardId": "330802198506181225",
    "projectId": "WO-2026-1",
    "materialName": "",
    "sponsorName": "某区人民法院",
    "sponsorCode": "11330800MB0000000X",
}

READABLE = [
    pytest.param([{"AAC003": "甲"}], ({"AAC003": "甲"},), id="array"),
    pytest.param({"AAC003": "甲"}, ({"AAC003": "甲"},), id="object"),
    pytest.param('[{"AAC003": "甲"}]', ({"AAC003": "甲"},), id="text"),
    pytest.param(' {"AAC003": "甲"}', ({"AAC003": "甲"},), id="text of an object"),
    pytest.param({"success": True, "data": [{"AAC003": "甲"}], "errorMsg": None}, ({"AAC003": "甲"},), id="provider"),
    pytest.param(
        {"code": 200, "data": {"AAC003": "甲"}, "message": "success"}, ({"AAC003": "甲"},), id="provider by code"
    ),
    pytest.param('{"code": "200", "data": [{"a": 1}]}', ({"a": 1},), id="provider inside a text"),
    pytest.param({"success": True, "data": '[{"a": 1}]'}, ({"a": 1},), id="text inside a provider"),
    pytest.param(
        "<GMSFHM&gt;330802199003071239</GMSFHM&gt;<XM&gt;甲</XM&gt;",
        ({"GMSFHM": "330802199003071239", "XM": "甲"},),
        id="half-escaped leaves",
    ),
    pytest.param(
        "<R&gt;<XM&gt;甲</XM&gt;</R&gt;<R&gt;<XM&gt;乙</XM&gt;</R&gt;",
        ({"XM": "甲"}, {"XM": "乙"}),
        id="half-escaped records",
    ),
    pytest.param([{"a": {"b": 1, "c": [2, {"d": 3}]}, "e": []}], ({"a/b": 1, "a/c/0": 2, "a/c/1/d": 3},), id="nested"),
    pytest.param("", (), id="empty text"),
    pytest.param(None, (), id="null"),
    pytest.param([], (), id="empty array"),
    pytest.param("[]", (), id="text of an empty array"),
    pytest.param({"success": True, "data": []}, (), id="provider without record"),
]
UNREADABLE = [
    pytest.param(7, id="number"),
    pytest.param(True, id="flag"),
    pytest.param({}, id="empty object"),
    pytest.param([[]], id="array of arrays"),
    pytest.param([{"a": 1}, 2], id="a stranger among records"),
    pytest.param([{}], id="empty record"),
    pytest.param("nothing found", id="sentence"),
    pytest.param("[{", id="text cut short"),
    pytest.param('"[]"', id="text in a text"),
    pytest.param('{"success": true, "data": "[{\\"a\\": \\"x\\"}"}', id="text cut short on the second layer"),
    pytest.param('{"success": true, "data": "{\\"success\\": true, \\"data\\": []}"}', id="three layers"),
    pytest.param({"success": True}, id="provider without data"),
    pytest.param("<XM&gt;甲", id="half-escaped, cut short"),
    pytest.param("<R&gt;<A&gt;<B&gt;1</B&gt;</A&gt;</R&gt;", id="half-escaped, too deep"),
    pytest.param("<XM&gt;甲</XM&gt;<XM&gt;乙</XM&gt;", id="half-escaped, one leaf twice"),
    pytest.param('<!DOCTYPE a [<!ENTITY x "y"&gt;]&gt;<XM&gt;&x;</XM&gt;', id="half-escaped, with an entity"),
    pytest.param([{"a/b": 1, "a": {"b": 2}}], id="two leaves on one path"),
]
EVERY_SHAPE = {"datas": ["array", "object", "text", "provider", "xml"]}


async def ask(bench: Any, **changes: Any) -> Rows:
    """One question to the mounted agency."""
    rows = await bench.wire("irs", **changes).ask(bench.question(), "lookup", bench.terms)
    assert isinstance(rows, Rows)
    return rows


async def test_style_a_puts_everything_into_a_form_body(bench: Any) -> None:
    """Nothing about a person stands in the address, and the names keep their mixed case."""
    business = bench.answers("irs", bench.irs_answer([]))

    await ask(bench)

    request = business.calls.last.request
    form = {name: values[0] for name, values in parse_qs(request.content.decode()).items()}
    assert (request.method, request.url.query) == ("POST", b"")
    assert request.headers["content-type"] == "application/x-www-form-urlencoded; charset=UTF-8"
    assert set(form) == {"appKey", "sign", "requestTime", "AAC002", "aac003", "additional"}
    assert (form["AAC002"], form["aac003"]) == ("33080219900307123X", "甲某某")
    assert json.loads(form["additional"]) == ADDITIONAL


async def test_style_b_signs_in_headers_and_asks_in_json(bench: Any) -> None:
    """`additional` stays a JSON text inside the JSON body."""
    business = bench.answers("irs", bench.irs_answer([]))

    await ask(bench, options={"style": "json", "sub_matters": {"service": "许可0000-0101"}, "material": "户口簿"})

    request = business.calls.last.request
    body = json.loads(request.content)
    assert request.headers["content-type"] == "application/json; charset=UTF-8"
    assert {name: request.headers[name] for name in ("appKey", "requestTime", "sign")} == {
        "appKey": "DEMO_APP_KEY",
        "requestTime": "1700000000000",
        "sign": "99952b2da3d4b7efac002b529489e404",
    }
    assert (body["AAC002"], body["aac003"]) == ("33080219900307123X", "甲某某")
    assert json.loads(body["additional"]) == ADDITIONAL | {
        "subPowerMatters": "许可0000-0101",
        "materialName": "户口簿",
    }


async def test_a_small_check_character_is_sent_as_a_capital(bench: Any) -> None:
    """To the platform the two are different numbers."""
    business = bench.answers("irs", bench.irs_answer([]))

    await bench.wire("irs").ask(bench.question(), "lookup", {**bench.terms, "id_number": "33080219900307123x"})

    assert b"AAC002=33080219900307123X&" in business.calls.last.request.content


async def test_a_kind_of_matter_without_a_registered_code_is_not_asked_for(bench: Any) -> None:
    """No code is better than a wrong one."""
    with pytest.raises(UnsupportedLookup) as caught:
        await ask(bench, options={"matters": {"other": "许可0000-00"}})

    assert caught.value.reason is Reason.NOT_CONFIGURED


@pytest.mark.parametrize(("datas", "records"), READABLE)
async def test_a_declared_shape_is_read(bench: Any, datas: Any, records: tuple[Any, ...]) -> None:
    """Each shape that the platform is known to use, and each form of "no record"."""
    bench.answers("irs", bench.irs_answer(datas))

    rows = await ask(bench, options=EVERY_SHAPE)

    assert rows == Rows(records=records, answered_at=bench.hands.now, reference="0" * 32)


@pytest.mark.parametrize("datas", UNREADABLE)
async def test_any_other_shape_is_unreadable(bench: Any, datas: Any) -> None:
    """Nothing is guessed, and at most two layers are unwrapped."""
    bench.answers("irs", bench.irs_answer(datas))

    with pytest.raises(AnswerUnreadable):
        await ask(bench, options=EVERY_SHAPE)


@pytest.mark.parametrize("datas", ['[{"a": 1}]', {"success": True, "data": [{"a": 1}]}, "<a&gt;1</a&gt;", {"a": 1}])
async def test_a_shape_that_the_route_does_not_declare_is_unreadable(bench: Any, datas: Any) -> None:
    """A route says once what it answers in."""
    bench.answers("irs", bench.irs_answer(datas))

    with pytest.raises(AnswerUnreadable):
        await ask(bench, options={"datas": ["array"]})


@pytest.mark.parametrize("datas", ["", None, "[]"])
async def test_an_empty_form_that_the_route_does_not_declare_is_unreadable(bench: Any, datas: Any) -> None:
    """ "No record" has serious consequences: only what the route declares says so."""
    bench.answers("irs", bench.irs_answer(datas))

    with pytest.raises(AnswerUnreadable):
        await ask(bench, options={"empty": ["array"]})


@pytest.mark.parametrize(
    "datas",
    [
        {"success": False, "data": [], "errorMsg": "x"},
        {"success": False, "errorMsg": "x"},
        {"code": 500, "errMsg": "x"},
        {"success": True, "code": 500, "data": []},
        {"success": "true", "data": []},
        '{"success": false, "data": null}',
    ],
)
async def test_a_provider_that_says_it_failed_is_believed(bench: Any, datas: Any) -> None:
    """Its failure is neither an empty answer nor a record."""
    bench.answers("irs", bench.irs_answer(datas))

    with pytest.raises(AgencyFault) as caught:
        await ask(bench, options=EVERY_SHAPE)

    assert caught.value.reason is Reason.PROVIDER_ERROR


async def test_unknown_names_in_the_envelopes_are_drift_and_the_answer_stands(bench: Any) -> None:
    """Agencies add fields on working days."""
    datas = {"success": True, "data": [{"a": 1}], "traceId": "t"}
    bench.answers("irs", bench.irs_answer(datas, extra=1, dataCount=1, totalPage=1))

    rows = await ask(bench, options=EVERY_SHAPE)

    assert (rows.records, rows.drift) == (({"a": 1},), ("envelope/extra", "datas/traceId"))


@pytest.mark.parametrize("pages", [2, "3", "10", 99999999999999999999])
async def test_one_page_of_several_does_not_pass_for_the_whole(bench: Any, pages: Any) -> None:
    """One page is asked for and one is read."""
    bench.answers("irs", bench.irs_answer([{"a": 1}], totalPage=pages))

    with pytest.raises(AnswerUnreadable):
        await ask(bench)


@pytest.mark.parametrize("pages", [0, 1, "1", "", None])
async def test_a_single_page_is_the_whole(bench: Any, pages: Any) -> None:
    """Whichever way the platform writes it."""
    bench.answers("irs", bench.irs_answer([{"a": 1}], totalPage=pages))

    assert (await ask(bench)).records == ({"a": 1},)


async def test_a_used_up_quota_is_not_asked_again_before_the_day_turns(bench: Any) -> None:
    """14 November 2023, 22:13:20 UTC, is 06:13:20 in China: 17 h 46 min 40 s are left."""
    bench.answers("irs", bench.irs_answer("", code="18"))
    question = bench.question()

    with pytest.raises(AgencyThrottled) as caught:
        await bench.wire("irs").ask(question, "lookup", bench.terms)

    assert bench.hands.now == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
    assert (caught.value.reason, caught.value.retry_after) == (Reason.QUOTA, 64_000.0)
    assert (caught.value.repeatable, question.evidence.attempts) == (False, 1)


async def test_a_refusal_outside_service_hours_is_named_as_such(bench: Any) -> None:
    """The national relay answers from nine to five."""
    bench.answers("irs", bench.irs_answer("", code="99", msg="请在工作时间段内查询"))

    with pytest.raises(AgencyThrottled) as caught:
        await ask(bench)

    assert caught.value.reason is Reason.OUTSIDE_HOURS


@pytest.mark.parametrize("code", ["0", "000", "01", "-1", ""])
async def test_a_code_outside_the_agreed_table_is_a_fault(bench: Any, code: str) -> None:
    """And is never asked again."""
    bench.answers("irs", bench.irs_answer([{"a": 1}], code=code))

    with pytest.raises(AgencyFault) as caught:
        await ask(bench)

    assert (caught.value.reason, caught.value.repeatable) == (Reason.UNKNOWN_CODE, False)


@pytest.mark.parametrize("envelope", [[], {}, {"code": 0, "datas": []}, {"code": None}, {"code": "00"}, "00"])
async def test_an_answer_without_the_agreed_envelope_is_unreadable(bench: Any, envelope: Any) -> None:
    """The code is a text, and success comes with `datas`."""
    bench.answers("irs", httpx.Response(200, json=envelope))

    with pytest.raises(AnswerUnreadable):
        await ask(bench)


async def test_an_empty_answer_is_asked_again_only_where_the_route_says_so(bench: Any) -> None:
    """Off by default: it triples the quota that an honest "no record" costs."""
    business = bench.answers("irs", bench.irs_answer([]))

    assert (await ask(bench)).records == ()
    assert business.call_count == 1
    assert (await ask(bench, options={"ask_empty_again": 2})).records == ()
    assert business.call_count == 4


async def test_a_transient_empty_answer_is_overcome(bench: Any) -> None:
    """The second answer counts, and both are kept."""
    bench.answers("irs", bench.irs_answer(""), bench.irs_answer([{"a": 1}]))
    question = bench.question()

    rows = await bench.wire("irs", options={"ask_empty_again": 1}).ask(question, "lookup", bench.terms)

    assert rows.records == ({"a": 1},)
    assert (question.evidence.attempts, len(question.evidence.answers)) == (2, 2)


@pytest.mark.parametrize(
    "changes",
    [
        {"options": {"style": "query"}},
        {"options": {"datas": ["list"]}},
        {"options": {"matters": {}}},
        {"options": {"matters": "x"}},
        {"options": {"ask_empty_again": 3}},
        {"options": {"stile": "form"}},
        {"options": {"by_key": "gateway"}},
        {"options": {"content_types": "application/json"}},
        {"credentials": {"app_key": "k"}},
        {"credentials": {"app_key": "k", "app_secret": "with blank"}},
    ],
)
def test_a_route_that_cannot_work_stops_the_start(bench: Any, changes: Any) -> None:
    """The text names the file, the key and the fix, and holds no credential."""
    place = r"/(agencies|credentials)\.toml, line 1: synthetic\."
    with pytest.raises(ConfigurationError, match=rf"{place}.*; fix: ") as caught:
        bench.wire("irs", **changes)

    assert not isinstance(caught.value, AgencyError)
    assert "with blank" not in str(caught.value)

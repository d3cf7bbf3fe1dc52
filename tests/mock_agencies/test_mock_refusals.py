"""
Refusals of the mock agencies: parts of a question that are missing, stale, unsigned or ill-formed.
"""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from mock_agencies import human_resources, market_regulation, public_security
from mock_agencies.clock import MockClock
from mock_agencies.exchange import MockRequest
from mock_agencies.population import Population

MOVED, NAME = "33080219900307005X", "沈知溪"
COMPANY = "91330802DEM000014A"
STALE = str(1_795_000_000_000 - 6 * 60_000)

PLATFORM_FIELDS: tuple[tuple[dict[str, Any], str], ...] = (
    ({"sign": "dQ9ifRk4me1bgNUHx1/mSf2/f5JEHHPGjGWSn67DQa4="}, "bad_signature"),
    ({"sign": None}, "missing_field"),
    ({"rtime": STALE}, "stale_rtime"),
    ({"rtime": "now"}, "stale_rtime"),
    ({"rid": "no uuid"}, "malformed_rid"),
    ({"sid": "s_1200000900000_2109"}, "unknown_sid"),
)


@pytest.mark.parametrize(("wrong", "why"), PLATFORM_FIELDS)
def test_platform_refuses_wrong_fields_in_headers(court: Any, wrong: dict[str, Any], why: str) -> None:
    """Market regulation answers code 300 and no record."""
    answer = court.registration(COMPANY, **wrong)

    assert (answer["code"], answer["data"], court.verdict("market_regulation")) == (300, None, why)


@pytest.mark.parametrize(("wrong", "why"), PLATFORM_FIELDS)
def test_platform_refuses_wrong_fields_in_a_soap_header(court: Any, wrong: dict[str, Any], why: str) -> None:
    """The population base answers a Fault on HTTP 500."""
    answer = court.identity(MOVED, NAME, **wrong)

    assert (answer.status, court.verdict("public_security")) == (500, why)
    assert etree.fromstring(answer.body).find(".//faultstring") is not None


@pytest.mark.parametrize(("wrong", "why"), PLATFORM_FIELDS)
def test_platform_renews_no_secret_for_wrong_fields(court: Any, wrong: dict[str, Any], why: str) -> None:
    """The refresh call is checked the same way."""
    reply = court.refresh("market_regulation", "s_1500000900000_0001", "demo_app_key", **wrong)

    assert (reply["code"], reply["data"], court.verdict("market_regulation")) == ("1", None, why)


def test_a_platform_secret_ends_after_two_hours(court: Any) -> None:
    """It counts to its stated end and not a moment longer; a renewed one counts again."""
    sid, app_key = "s_1500000900000_0001", "demo_app_key"
    end = court.refresh("market_regulation", sid, app_key)["data"]["secretEndTime"]
    assert court.registration(COMPANY)["code"] == 200

    court.clock.advance((end - court.clock.now_ms()) / 1000)
    assert (court.registration(COMPANY)["code"], court.verdict("market_regulation")) == (300, "no_live_secret")

    court.refresh("market_regulation", sid, app_key)
    assert court.registration(COMPANY)["code"] == 200


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"usercardid": None}, "official_id_number"),
        ({"usercardid": "330802198501010013"}, "official_id_number"),
        ({"username": ""}, "official_username"),
        ({"userdept": None}, "official_userdept"),
        ({"projectid": " "}, "official_projectid"),
        ({"powermatters": None}, "official_powermatters"),
        ({"uniscid": None}, "parameter_missing"),
        ({"EntName": "衢州衡川商贸有限公司"}, "upper_case_key"),
        ({"page": 1}, "body"),
        ({"headers": {"content-type": "text/plain"}}, "content_type"),
    ],
)
def test_market_regulation_refuses_an_incomplete_question(court: Any, wrong: dict[str, Any], why: str) -> None:
    """An anonymous official, a wrong key, another content type: code 300."""
    answer = court.registration(COMPANY, **wrong)

    assert (answer["code"], answer["data"], court.verdict("market_regulation")) == (300, None, why)


def test_positions_need_number_and_name(court: Any) -> None:
    """Without the name there is no answer; with another name there is no record."""
    assert court.positions(MOVED, "", name=None)["code"] == 300
    assert court.positions(MOVED, "别名")["data"]["data"]["cxjg"] == []


@pytest.mark.parametrize(
    ("wrong", "code", "why"),
    [
        ({"sign": "0" * 32}, "14", "bad_signature"),
        ({"sign": None}, "91", "missing_parameter"),
        ({"requestTime": STALE}, "14", "stale_request_time"),
        ({"requestTime": "soon"}, "14", "stale_request_time"),
        ({"appKey": "a330800000000001"}, "14", "unknown_app_key"),
        ({"AAC002": None}, "91", "missing_parameter"),
        ({"aac003": None, "AAC003": NAME}, "91", "missing_parameter"),
        ({"AAC002": None, "aac002": MOVED}, "91", "missing_parameter"),
        ({"AAC002": MOVED.lower()}, "91", "lower_case_number"),
        ({"additional": None}, "91", "additional"),
        ({"additional": "[]"}, "91", "additional"),
        ({"additional": "[" * 100_000}, "91", "additional"),
        ({"matter": {"accesscardId": None}}, "91", "official_id_number"),
        ({"matter": {"projectId": None}}, "91", "official_projectId"),
        ({"matter": {"powerMatters": ""}}, "91", "official_powerMatters"),
    ],
)
@pytest.mark.parametrize("style", ["form", "headers"])
def test_gateway_refuses_a_wrong_question(court: Any, wrong: dict[str, Any], code: str, why: str, style: str) -> None:
    """Signature, time, exact parameter names and the acting official are checked in both styles."""
    answer = court.participation(MOVED, NAME, style=style, **wrong)

    assert (answer["code"], answer["datas"], court.verdict("human_resources")) == (code, "", why)


def test_a_second_refresh_invalidates_the_first_secrets(court: Any) -> None:
    """The secrets of the last refresh are the only valid ones; the first holder gets 14."""
    court.irs_secrets()
    first = dict(court.secrets)
    court.irs_secrets()
    second = dict(court.secrets)

    court.secrets = first
    assert court.participation(MOVED, NAME)["code"] == "14"
    court.secrets = second
    assert court.participation(MOVED, NAME)["code"] == "00"


def test_a_request_secret_ends_after_fifteen_minutes(court: Any) -> None:
    """It is told 11; the refresh secret gets new ones until two days are over, and then only the appSecret does."""
    court.irs_secrets()
    court.clock.advance(15 * 60)
    assert court.participation(MOVED, NAME)["code"] == "11"

    renewed = json.loads(court.irs("/gateway/app/refreshTokenBySec.htm", court.secrets["refresh"], {}).body)
    court.secrets = {"request": renewed["datas"]["requestSecret"], "refresh": renewed["datas"]["refreshSecret"]}
    assert court.participation(MOVED, NAME)["code"] == "00"

    court.clock.advance(48 * 3600)
    late = json.loads(court.irs("/gateway/app/refreshTokenBySec.htm", court.secrets["refresh"], {}).body)
    assert late["code"] == "11"


def test_county_issues_secrets_in_two_steps(court: Any) -> None:
    """appSecret for refresh secret, refresh secret for request secret, then `appkey` with a small k."""
    json_type = {"content-type": "application/json"}
    wrong = {"appKey": "A330800000000001", "appSecret": "guess"}
    query = {"appKey": "A330800000000001", "appSecret": "demo_app_secret"}
    refused = json.loads(court.send("human_resources", "/appsecert", json_type, json.dumps(wrong).encode()).body)
    first = json.loads(court.send("human_resources", "/appsecert", json_type, json.dumps(query).encode()).body)["data"]
    then = {"appKey": "A330800000000001", **first}
    reply = court.send("human_resources", "/interfaceSecurity", json_type, json.dumps(then).encode())
    court.secrets["request"] = json.loads(reply.body)["data"]["requestSecret"]
    path = "/dataSharing/socialPersonalParticipationInfo"

    assert refused["code"] == "14"
    assert court.participation(MOVED, NAME, path=path, style="query", appkey="A330800000000001")["code"] == "00"
    assert court.participation(MOVED, NAME, path=path, style="query")["code"] == "91"


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"user": "stranger"}, "wrong_user"),
        ({"password": "guess"}, "wrong_user"),
        ({"namespace": "http://example.com/"}, "unknown_operation"),
        ({"cdata": ("", "")}, "no_cdata"),
        ({"before": "<!DOCTYPE x>"}, "envelope_unreadable"),
    ],
)
def test_the_population_base_refuses_a_wrong_call_with_a_fault(court: Any, wrong: dict[str, Any], why: str) -> None:
    """User, password, namespace, CDATA and a document type: a SOAP Fault."""
    answer = court.identity(MOVED, NAME, **wrong)

    assert (answer.status, court.verdict("public_security")) == (500, why)


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"QQRGMSFHM": None}, "head_QQRGMSFHM"),
        ({"QQRGMSFHM": "330802198501010013"}, "official_id_number"),
        ({"QQRXM": None}, "head_QQRXM"),
        ({"QQRDWDM": "11330800DEM000196X"}, "official_unit_code"),
        ({"QQRDWMC": None}, "head_QQRDWMC"),
        ({"FWQQBH": "1"}, "head_form"),
        ({"JLS": "2"}, "head_form"),
        ({"FSSJ": "2026-11-24"}, "head_form"),
        ({"QQYWLXDM": None}, "head_QQYWLXDM"),
    ],
)
def test_the_population_base_answers_no_anonymous_official(court: Any, wrong: dict[str, Any], why: str) -> None:
    """The package's head must be whole: the reply's FHDM says so, and there is no record."""
    answer = court.identity(MOVED, NAME, **wrong)
    out = etree.fromstring(answer.body).findtext(".//{*}out") or ""

    assert ("<FHDM>21</FHDM>" in out, "<DATA></DATA>" in out, court.verdict("public_security")) == (True, True, why)


@pytest.mark.parametrize(
    ("wrong", "status", "why"),
    [
        ({"UserCardId": None}, "104", "official_id_number"),
        ({"UserName": None}, "104", "official_UserName"),
        ({"UserDept": ""}, "104", "official_UserDept"),
        ({"UserIp": None}, "104", "official_UserIp"),
        ({"Condition": "SFZH='' OR '1'='1'"}, "102", "condition"),
        ({"Condition": f"XM='{NAME}'"}, "102", "condition"),
        ({"RequiredItems": "XM,XP"}, "103", "unknown_column"),
        ({"RequiredItems": ""}, "103", "unknown_column"),
        ({"Method": "Report"}, "101", "message_incomplete"),
    ],
)
def test_the_request_service_refuses_a_wrong_message(court: Any, wrong: dict[str, Any], status: str, why: str) -> None:
    """A status row other than 000, and not one column."""
    rows = list(etree.fromstring(court.addresses(MOVED, **wrong).body).iter("Row"))

    assert (rows[0][0].text, len(rows), court.verdict("public_security")) == (status, 1, why)


@pytest.mark.parametrize("wrong", [{"RequesterID": "C330800-00000002"}, {"ServiceID": "S10-00000002"}])
def test_request_service_refuses_unknown_requesters_in_plain_text(court: Any, wrong: dict[str, str]) -> None:
    """A requester without permission gets `SrcReceiver:` and no XML."""
    answer = court.addresses(MOVED, **wrong)

    assert answer.body.startswith(b"SrcReceiver:")
    assert court.verdict("public_security") == "unknown_requester"


@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_another_method_is_refused(court: Any, method: str) -> None:
    """A GET of an operation that takes POST is refused."""
    assert court.send("public_security", "/rbsp/request", {}, b"", method).status == 405


def test_another_path_is_not_found(court: Any) -> None:
    """A path that no operation has is 404."""
    assert court.send("public_security", "/rbsp/other", {}, b"").status == 404


SERVERS = [
    create(Population(1), MockClock())
    for create in (public_security.create, human_resources.create, market_regulation.create)
]
PATHS = [(agency, path) for agency in SERVERS for operation in agency.operations.values() for path in operation.paths]
TYPES = st.sampled_from(["application/json", "text/xml", "application/x-www-form-urlencoded", ""])


@given(
    where=st.sampled_from(PATHS),
    media=TYPES,
    body=st.binary(max_size=60)
    | st.recursive(st.none() | st.integers() | st.text(), st.lists).map(lambda value: json.dumps(value).encode())
    | st.dictionaries(
        st.sampled_from(["appKey", "sign", "requestTime", "gjgxjhpt_sign", "gjgxjhpt_rid", "appSecret"]), st.text()
    ).map(lambda value: json.dumps(value).encode()),
)
def test_any_body_is_answered_and_never_with_data(where: Any, media: str, body: bytes) -> None:
    """Whatever is sent, there is an answer, and without a valid signature never one with data."""
    agency, path = where
    agency.respond(MockRequest("POST", path, "", {"content-type": media}, body))

    assert agency.journal[-1].verdict != "answered"

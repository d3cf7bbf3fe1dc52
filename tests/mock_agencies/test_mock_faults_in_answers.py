"""
The faults of content: each is on the wire as its name says, and none is a fault by accident.
"""

import base64
import json
import re
import zlib
from contextlib import suppress
from typing import Any

import pytest
from lxml import etree

from mock_agencies import human_resources, market_regulation, public_security
from mock_agencies.clock import MockClock
from mock_agencies.exchange import MockResponse
from mock_agencies.faults.catalogue import CATALOGUE
from mock_agencies.faults.delivery import DELIVERIES
from mock_agencies.faults.replies import REPLIES
from mock_agencies.population import Population

MOVED, NAME, COMPANY = "33080219900307005X", "沈知溪", "91330802DEM000014A"
AGENCY_OF = {
    "identity": "public_security",
    "addresses": "public_security",
    "participation": "human_resources",
    "registration": "market_regulation",
    "positions": "market_regulation",
}
MAKERS = (public_security.create, human_resources.create, market_regulation.create)
OPERATIONS = {
    name: operation for create in MAKERS for name, operation in create(Population(1), MockClock()).operations.items()
}
CONTENT_FAULTS = [
    (operation, fault) for operation in AGENCY_OF for fault in sorted(OPERATIONS[operation].faults - DELIVERIES.keys())
]


def ask(court: Any, operation: str) -> MockResponse:
    """Asks one operation about the mover or the company; the answer as bytes, readable or not."""
    questions = {
        "identity": lambda: court.identity(MOVED, NAME),
        "addresses": lambda: court.addresses(MOVED),
        "participation": lambda: court.participation(MOVED, NAME),
        "registration": lambda: court.registration(COMPANY),
        "positions": lambda: court.positions(MOVED, NAME),
    }
    with suppress(ValueError, RecursionError):
        questions[operation]()
    answer: MockResponse = court.latest
    return answer


def disturbed(court: Any, operation: str, fault: str, **options: Any) -> MockResponse:
    """The answer under a fault, after one without."""
    ask(court, operation)
    court.agencies[AGENCY_OF[operation]].arm(fault, operation, options=options)
    return ask(court, operation)


def constant(answer: MockResponse) -> tuple[int, str, bytes]:
    """An answer without what differs from call to call anyway."""
    body = re.sub(rb'"requestId":"[0-9a-f]{32}"|\xef\xbc\x88[0-9a-f]{8}\xef\xbc\x89', b"", answer.body)
    return answer.status, answer.content_type, body


def test_the_catalogue_lists_exactly_the_faults_of_the_servers() -> None:
    """Every fault of an operation is described, and every described fault can be armed somewhere."""
    assert {fault for operation in OPERATIONS.values() for fault in operation.faults} == set(CATALOGUE)


@pytest.mark.parametrize(("operation", "fault"), CONTENT_FAULTS)
def test_a_content_fault_changes_the_answer_once(court: Any, operation: str, fault: str) -> None:
    """The answer under the fault differs from the answer without, and is undisturbed once the fault is over."""
    before = constant(ask(court, operation))
    after = constant(disturbed(court, operation, fault))
    court.agencies[AGENCY_OF[operation]].script.clear()
    court.secrets.clear()

    assert after != before
    assert constant(ask(court, operation)) == before


@pytest.mark.parametrize("operation", AGENCY_OF)
def test_wrong_charset_is_gb18030_labelled_as_utf_8(court: Any, operation: str) -> None:
    """The bytes are not UTF-8, though the header says so; read as GB18030 they are the right answer."""
    answer = disturbed(court, operation, "wrong_charset")

    assert "UTF-8" in answer.content_type
    with pytest.raises(UnicodeDecodeError):
        answer.body.decode()
    assert "衢" in answer.body.decode("gb18030") or NAME in answer.body.decode("gb18030")


@pytest.mark.parametrize(
    ("form", "pattern"), [("seconds", r"7"), ("date", r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT")]
)
def test_throttling_has_retry_after_in_both_forms(court: Any, form: str, pattern: str) -> None:
    """429 with Retry-After as seconds or as a date."""
    answer = disturbed(court, "registration", "throttled", form=form)

    assert answer.status == 429
    assert re.fullmatch(pattern, dict(answer.headers)["retry-after"])


def test_a_gzip_bomb_is_small_until_unpacked(court: Any) -> None:
    """Some kilobytes that unpack to 64 MiB."""
    answer = disturbed(court, "registration", "gzip_bomb")

    assert dict(answer.headers)["content-encoding"] == "gzip"
    assert len(answer.body) < 100_000
    assert len(zlib.decompress(answer.body, wbits=31)) == 64 * 1024 * 1024


@pytest.mark.parametrize(
    ("fault", "options", "status"),
    [
        ("html_error_page", {}, 200), ("unauthorized", {}, 401), ("forbidden", {}, 403), ("redirect", {}, 307),
        ("server_error", {}, 500), ("server_error", {"status": 503}, 503), ("empty_body", {}, 200),
    ],
)  # fmt: skip
def test_http_faults_have_their_status(court: Any, fault: str, options: dict[str, Any], status: int) -> None:
    """A proxy's page comes with the proxy's status."""
    assert disturbed(court, "registration", fault, **options).status == status


def test_a_followed_redirect_is_counted_in_the_ledger(court: Any) -> None:
    """A request to the trap stands in the ledger."""
    agency = court.agencies["market_regulation"]
    location = dict(disturbed(court, "registration", "redirect").headers)["location"]
    court.send("market_regulation", location, {}, b"")

    assert agency.ledger["trap"] == 1


@pytest.mark.parametrize(
    ("form", "expected"), [("text", ""), ("null", None), ("list", []), ("list_text", "[]"), (None, [])]
)
def test_no_record_has_four_forms_at_the_gateway(court: Any, form: str | None, expected: Any) -> None:
    """Every empty form of `datas`, under code 00."""
    options = {"form": form} if form else {}
    body = json.loads(disturbed(court, "participation", "no_record", **options).body)

    assert (body["code"], body["datas"]) == ("00", expected)


def test_transient_empty_answers_end_after_two(court: Any) -> None:
    """Empty twice, and the third time the record is there."""
    court.participation(MOVED, NAME)
    court.agencies["human_resources"].arm("transient_empty", "participation")

    assert [len(court.participation(MOVED, NAME)["datas"]) for _ in range(3)] == [0, 0, 4]


@pytest.mark.parametrize(
    ("fault", "code"),
    [("over_quota", "18"), ("expired_secret", "11"), ("bad_signature", "14"), ("unknown_envelope_code", "77")],
)
def test_gateway_codes_come_on_http_200(court: Any, fault: str, code: str) -> None:
    """Quota, expiry, signature and an unknown code."""
    answer = disturbed(court, "participation", fault)

    assert (answer.status, json.loads(answer.body)["code"]) == (200, code)


def test_one_refresh_replaces_an_expired_or_rotated_secret(court: Any) -> None:
    """11 and 14 come once; after a refresh the record is there."""
    for fault in ("expired_secret", "bad_signature"):
        court.participation(MOVED, NAME)
        court.agencies["human_resources"].arm(fault, "participation", times=1)
        assert court.participation(MOVED, NAME)["code"] != "00"
        court.irs_secrets()
        assert court.participation(MOVED, NAME)["code"] == "00"


def test_shapes_of_datas_hold_the_same_rows(court: Any) -> None:
    """One object, double-encoded JSON, both provider envelopes, XML with only > escaped: the same rows in each."""
    rows = court.participation(MOVED, NAME)["datas"]

    def datas(fault: str, **options: Any) -> Any:
        value = json.loads(disturbed(court, "participation", fault, **options).body)["datas"]
        court.agencies["human_resources"].script.clear()
        return value

    assert datas("single_object") == rows[0]
    assert json.loads(datas("double_encoded_json")) == rows
    assert datas("provider_envelope") == {"code": 200, "data": rows, "message": "success"}
    assert datas("provider_envelope", form="success") == {"success": True, "data": rows, "errorMsg": None}
    assert datas("fault") == {"success": False, "data": None, "errorMsg": "系统内部错误"}
    half = datas("half_escaped_xml")
    assert (f"<AAC003&gt;{NAME}</AAC003&gt;" in half, ">" in half) == (True, False)


@pytest.mark.parametrize("operation", ["participation", "registration", "positions"])
def test_duplicate_keys_hold_two_values(court: Any, operation: str) -> None:
    """The required element stands twice in one object."""
    text = disturbed(court, operation, "duplicate_keys").body.decode()
    required = OPERATIONS[operation].fault_fields.required  # type: ignore[attr-defined]

    assert re.search(rf'"{required}":"另一个值","{required}":"', text)


@pytest.mark.parametrize("operation", ["participation", "registration"])
def test_nan_replaces_a_number(court: Any, operation: str) -> None:
    """Python's own reader would take it."""
    assert re.search(r'":NaN[,}]', disturbed(court, operation, "nan").body.decode())


def test_entities_are_in_the_inner_package(court: Any) -> None:
    """The envelope is clean; the package in `out` has a document type."""
    for fault, sign in (("dtd_inner", "<!ENTITY x"), ("external_entity", "SYSTEM"), ("entity_bomb", "<!ENTITY x9")):
        answer = disturbed(court, "identity", fault)
        court.agencies["public_security"].script.clear()
        root = etree.fromstring(answer.body)
        assert root.getroottree().docinfo.internalDTD is None
        assert sign in (root.findtext(".//{*}out") or "")


def test_soap_faults_come_on_500_and_on_200(court: Any) -> None:
    """The HTTP status is not documented, so both occur."""
    answers = [disturbed(court, "identity", "fault", status=status) for status in (500, 200)]
    court.agencies["public_security"].script.clear()

    assert answers[0].status == 500
    assert all(etree.fromstring(answer.body).find(".//{*}Fault") is not None for answer in answers)
    assert disturbed(court, "identity", "fault", status=200).status == 200


def test_faults_of_the_population_base(court: Any) -> None:
    """Another FHDM, a record with an error, CDATA, FHDM 11 with a record, and the provincial relay."""

    def out(fault: str) -> str:
        answer = disturbed(court, "identity", fault)
        court.agencies["public_security"].script.clear()
        return etree.fromstring(answer.body).findtext(".//{*}out") or ""

    assert "<FHDM>77</FHDM>" in out("unknown_envelope_code")
    assert '<RECORD no="1" code="0301" msg="数据提供方服务异常"/>' in out("provider_error")
    assert "工作时间段" in out("out_of_hours")
    assert "<FHDM>11</FHDM>" in out("success_variant")
    assert "<XM_PPDDM>0</XM_PPDDM>" in out("name_mismatch")
    assert b"<ns1:out><![CDATA[" in disturbed(court, "identity", "cdata_out").body
    court.agencies["public_security"].script.clear()
    relayed = json.loads(disturbed(court, "identity", "json_relay").body)
    assert (relayed["head"]["status"], relayed["data"]["cxjg"][0]["gmsfzh"]) == ("0", MOVED)
    assert relayed["data"]["cxjg"][0]["csrq"] == "1990-03-07"


def test_faults_of_the_request_service(court: Any) -> None:
    """Columns in another order with their values, a row that is too short, a plain text."""

    def rows(fault: str) -> list[list[str]]:
        answer = disturbed(court, "addresses", fault)
        court.agencies["public_security"].script.clear()
        return [[cell.text or "" for cell in row] for row in etree.fromstring(answer.body).iter("Row")]

    plain = [[cell.text or "" for cell in row] for row in etree.fromstring(ask(court, "addresses").body).iter("Row")]
    assert rows("columns_permuted") == [plain[0], plain[1][::-1], plain[2][::-1]]
    assert rows("short_row") == [plain[0], plain[1], plain[2][:-1]]
    assert [row[:1] for row in rows("fault")] == [["500"]]
    assert disturbed(court, "addresses", "plain_text_refusal").body.startswith(b"SrcReceiver:")


def test_registry_dates_in_other_forms(court: Any) -> None:
    """Text or empty instead of milliseconds."""
    for form, expected in (("text", "2015-06-18"), ("empty", "")):
        answer = disturbed(court, "registration", "odd_dates", form=form)
        court.agencies["market_regulation"].script.clear()
        assert json.loads(answer.body)["data"]["data"]["cxjg"][0]["estdate"] == expected


def test_unknown_codes_in_envelope_and_relay_head(court: Any) -> None:
    """Unknown codes occur in the envelope and in the relay's head."""
    envelope = json.loads(disturbed(court, "registration", "unknown_envelope_code").body)
    court.agencies["market_regulation"].script.clear()
    head = json.loads(disturbed(court, "registration", "unknown_envelope_code", at="head").body)

    assert (envelope["code"], head["code"], head["data"]["head"]["code"]) == (277, 200, "0007")


@pytest.mark.parametrize("operation", ["identity", "addresses", "participation", "registration"])
def test_wrong_subject_and_two_matches_are_about_others(court: Any, operation: str) -> None:
    """The number that was asked does not occur; with two matches it occurs with two names."""
    number = COMPANY if operation == "registration" else MOVED
    wrong = disturbed(court, operation, "wrong_subject").body.decode()
    court.agencies[AGENCY_OF[operation]].script.clear()
    two = disturbed(court, operation, "two_matches").body.decode()

    assert number not in wrong
    assert two.count(number) >= 2


def test_record_faults_accept_element_and_value(court: Any) -> None:
    """Which element is missing and which code is unknown can be chosen."""
    missing = json.loads(disturbed(court, "registration", "missing_field", leaf="regstateCn").body)
    court.agencies["market_regulation"].script.clear()
    unknown = json.loads(disturbed(court, "registration", "unknown_code", value="待定").body)
    court.agencies["market_regulation"].script.clear()
    extra = json.loads(disturbed(court, "registration", "extra_field").body)

    [first], [second], [third] = (answer["data"]["data"]["cxjg"] for answer in (missing, unknown, extra))
    assert "regstateCn" not in first
    assert second["regstateCn"] == "待定"
    assert third["XZDZBZ"] == "新增"


def test_faults_of_the_refresh_call(court: Any) -> None:
    """A clock that is off, a secret that does not decrypt, a refusal, and any fault of HTTP."""
    agency = court.agencies["market_regulation"]
    account = ("market_regulation", "s_1500000900000_0001", "demo_app_key")
    right = court.refresh(*account)["data"]["secretEndTime"]
    agency.arm("off_clock", "refresh", times=1, options={"seconds": -3600})
    assert court.refresh(*account)["data"]["secretEndTime"] == right - 3_600_000
    agency.arm("fault", "refresh", times=1)
    assert court.refresh(*account)["code"] == "1"
    agency.arm("undecryptable_secret", "refresh", times=1)
    assert len(base64.b64decode(court.refresh(*account)["data"]["secret"])) % 16 != 0
    hr = court.agencies["human_resources"]
    now = court.clock.now_ms()
    hr.arm("off_clock", "refresh_by_key", times=1, options={"seconds": 60})
    assert court.irs_secrets()["requestSecretEndTime"] == now + 900_000 + 60_000
    assert set(REPLIES) <= OPERATIONS["refresh"].faults

"""
How a question is put to the population base, and what its answers mean.
"""

from datetime import UTC, datetime
from typing import Any, get_args
from xml.sax.saxutils import escape

import httpx
import pytest
from lxml import etree

from adapters.contract import Rows
from adapters.errors import (
    AgencyError,
    AgencyFault,
    AgencyUnavailable,
    AnswerUnreadable,
    ConfigurationError,
    UnsupportedLookup,
)
from adapters.wire import soap_template
from adapters.wire.national import sign
from schemas.codes import Reason
from schemas.subject import Official

pytestmark = pytest.mark.anyio

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
NAMESPACE = "http://webservice.com/"
RECORD = '<RECORD no="1" code="" msg=""><GMSFHM>33080219900307123X</GMSFHM><XM>甲</XM><SWBS>0</SWBS></RECORD>'
LEAVES = {"GMSFHM": "33080219900307123X", "XM": "甲", "SWBS": "0"}
FAULT = f'<s:Envelope xmlns:s="{SOAP}"><s:Body><s:Fault><faultcode>s:Server</faultcode></s:Fault></s:Body></s:Envelope>'


def package(records: str = RECORD, *, code: str = "10", more: str = "") -> str:
    """A PACKAGE as the base answers it."""
    return (
        f"<PACKAGE><PACKAGEHEAD><FFQQBH>reference-1</FFQQBH><FSSJ>20231115061321</FSSJ><FHDM>{code}</FHDM>"
        f"<FHMS>x</FHMS>{more}</PACKAGEHEAD><DATA>{records}</DATA></PACKAGE>"
    )


def answer(
    document: str,
    *,
    namespace: str = NAMESPACE,
    cdata: bool = False,
    status: int = 200,
    service: str = "GK_JZCX_RKJCXXCX",
) -> httpx.Response:
    """A SOAP answer with a PACKAGE as escaped text or as CDATA."""
    out = f"<![CDATA[{document}]]>" if cdata else escape(document)
    return envelope(f'<n:{service}Response xmlns:n="{namespace}"><n:out>{out}</n:out></n:{service}Response>')


def envelope(body: str) -> httpx.Response:
    """A SOAP envelope around a body."""
    document = (
        f'<?xml version="1.0" encoding="UTF-8"?><s:Envelope xmlns:s="{SOAP}"><s:Body>{body}</s:Body></s:Envelope>'
    )
    return xml(document)


def xml(document: str, *, status: int = 200) -> httpx.Response:
    """An XML document as an HTTP answer."""
    headers = {"Content-Type": "text/xml;charset=UTF-8"}
    return httpx.Response(status, headers=headers, content=document.encode())


async def ask(bench: Any, **changes: Any) -> Rows:
    """One question to the mounted agency."""
    rows = await bench.wire("population", **changes).ask(bench.question(), "lookup", bench.terms)
    assert isinstance(rows, Rows)
    return rows


@pytest.mark.parametrize("namespace", get_args(soap_template.Namespace))
@pytest.mark.parametrize("service", get_args(soap_template.Service))
async def test_the_envelope_is_what_the_interface_asks_for(bench: Any, namespace: str, service: str) -> None:
    """Four fields in the header, the package as text of `in0`, user and password beside it."""
    business = bench.answers("population", answer(package(), namespace=namespace, service=service))

    await ask(bench, options={"namespace": namespace, "service": service})

    request = business.calls.last.request
    root = etree.fromstring(request.content)
    header = {field.tag: field.text for field in root.find(f"{{{SOAP}}}Header/tongtechheader")}
    call = root.find(f"{{{SOAP}}}Body/{{{namespace}}}{service}")
    in0, in1, in2 = call
    head, record = etree.fromstring(in0.text).find("PACKAGEHEAD"), etree.fromstring(in0.text).find("DATA/RECORD")
    said = {field.tag: field.text for field in head}
    assert (request.headers["content-type"], request.headers["soapaction"]) == ("text/xml;charset=UTF-8", '""')
    assert header == {
        "gjgxjhpt_rid": header["gjgxjhpt_rid"],
        "gjgxjhpt_sid": "s_1200000900000_2108",
        "gjgxjhpt_rtime": "1700000000000",
        "gjgxjhpt_sign": sign("s_1200000900000_2108", header["gjgxjhpt_rid"], "1700000000000", "demo_app_secret"),
    }
    assert [part.tag for part in call] == [f"{{{namespace}}}in{index}" for index in range(3)]
    assert (in1.text, in2.text) == ("demo_user", "demo_password")
    assert said == {
        "FWQQBH": said["FWQQBH"],
        "JLS": "1",
        "FSSJ": "20231115061320",
        "QQBWDM": "GJXXZX",
        "QQBWMC": "信息中心",
        "SJLYXTDM": "330800",
        "SJLYXTMC": "衢州",
        "QQYWLXDM": "01",
        "QQYWLXMC": "送达",
        "QQYWXTDM": "02",
        "QQYWXTMC": "枢纽",
        "QQRGMSFHM": "330802198506181225",
        "QQRXM": "李某婷",
        "QQRDWDM": "11330800MB0000000X",
        "QQRDWMC": "某区人民法院",
    }
    assert ({field.tag: field.text for field in record}, record.attrib) == (
        {"GMSFHM": "33080219900307123X", "XM": "甲某某"},
        {"no": "1"},
    )
    assert b"<![CDATA[<PACKAGE>" in request.content


@pytest.mark.parametrize("name", ["A&B", "<XM>", "a]]b", 'O"Neil', "&#60;", "@4@", "㐀𠀀"])
async def test_a_name_stays_a_name_whatever_characters_it_has(bench: Any, name: str) -> None:
    """It is escaped in the package and cannot end the section around it."""
    business = bench.answers("population", answer(package()))

    await bench.wire("population").ask(bench.question(), "lookup", {**bench.terms, "name": name})

    root = etree.fromstring(business.calls.last.request.content)
    asked = etree.fromstring(root.find(f".//{{{NAMESPACE}}}in0").text)
    assert asked.find("DATA/RECORD/XM").text == name


@pytest.mark.parametrize("value", ["a]]>b", "a\x00b", "a\x1bb", "a\ud800b", "a\ufffeb", "a\nb"])
@pytest.mark.parametrize("of", ["subject", "official"])
async def test_what_no_format_can_carry_is_not_sent(bench: Any, value: str, of: str) -> None:
    """The end of a CDATA section, control characters, half a surrogate pair."""
    business = bench.answers("population", answer(package()))
    terms = {**bench.terms, "name": value} if of == "subject" else bench.terms
    official = bench.official if of == "subject" else _renamed(bench.official, value)

    with pytest.raises(UnsupportedLookup) as caught:
        await bench.wire("population").ask(bench.question(official=official), "lookup", terms)

    assert (caught.value.reason, business.called) == (Reason.NOT_EXPRESSIBLE, False)


@pytest.mark.parametrize("cdata", [True, False])
@pytest.mark.parametrize("code", ["10", "11"])
async def test_a_record_is_read_from_escaped_text_and_from_cdata(bench: Any, cdata: bool, code: str) -> None:
    """Their reference and their time of the answer are kept."""
    bench.answers("population", answer(package(code=code), cdata=cdata))
    question = bench.question()

    rows = await bench.wire("population").ask(question, "lookup", bench.terms)

    assert rows == Rows(records=(LEAVES,), answered_at=bench.hands.now, reference="reference-1")
    assert question.evidence.answers[0].stated_at == datetime(2023, 11, 14, 22, 13, 21, tzinfo=UTC)


async def test_no_record_and_two_records_are_told_as_they_are(bench: Any) -> None:
    """An empty DATA is no record."""
    bench.answers("population", answer(package("")), answer(package(RECORD + RECORD)))
    wire = bench.wire("population")

    assert (await wire.ask(bench.question(), "lookup", bench.terms)).records == ()
    assert (await wire.ask(bench.question(), "lookup", bench.terms)).records == (LEAVES, LEAVES)


async def test_unknown_names_in_the_head_are_drift_and_the_answer_stands(bench: Any) -> None:
    """Agencies add fields on working days."""
    bench.answers("population", answer(package(more="<NEW>1</NEW>")))

    rows = await ask(bench)

    assert (rows.records, rows.drift) == ((LEAVES,), ("PACKAGEHEAD/NEW",))


@pytest.mark.parametrize("code", ["12", "00", "1O"])
async def test_another_return_code_is_a_fault_even_with_a_record(bench: Any, code: str) -> None:
    """The full table is not public: two codes are agreed."""
    bench.answers("population", answer(package(code=code)))

    with pytest.raises(AgencyFault) as caught:
        await ask(bench)

    assert caught.value.reason is Reason.UNKNOWN_CODE


@pytest.mark.parametrize("attributes", ['code="E1" msg=""', 'code="" msg="x"'])
async def test_a_record_with_an_error_of_its_own_is_the_providers_failure(bench: Any, attributes: str) -> None:
    """Not a record, and not "no record"."""
    bench.answers("population", answer(package(f'<RECORD no="1" {attributes}/>')))

    with pytest.raises(AgencyFault) as caught:
        await ask(bench)

    assert caught.value.reason is Reason.PROVIDER_ERROR


@pytest.mark.parametrize("status", [200, 500])
async def test_a_soap_fault_is_heard_on_either_status(bench: Any, status: int) -> None:
    """The interface does not say with which status it comes; it is never asked again."""
    bench.answers("population", xml(FAULT, status=status))
    question = bench.question()

    with pytest.raises(AgencyFault) as caught:
        await bench.wire("population").ask(question, "lookup", bench.terms)

    assert caught.value.reason is Reason.FAULT
    assert [raw.status for raw in question.evidence.answers] == [status]


@pytest.mark.parametrize("document", ["", "<html/>", "oops", package()])
async def test_status_500_without_a_fault_is_an_error_status(bench: Any, document: str) -> None:
    """Another attempt may succeed."""
    bench.answers("population", xml(document, status=500))

    with pytest.raises(AgencyUnavailable) as caught:
        await ask(bench)

    assert caught.value.reason is Reason.HTTP


DOCTYPE = '<!DOCTYPE PACKAGE [<!ENTITY x "10">]>'
BOMB = (
    '<!DOCTYPE PACKAGE [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">'
    '<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]><PACKAGE>&c;</PACKAGE>'
)


@pytest.mark.parametrize("cdata", [True, False])
@pytest.mark.parametrize(
    "document",
    [
        "",
        "not xml",
        package()[:-5],
        DOCTYPE + package(),
        BOMB,
        '<!DOCTYPE PACKAGE SYSTEM "file:///etc/hostname">' + package(),
        "<PACKAGE>" * 300 + "</PACKAGE>" * 300,
        "<OTHER/>",
        "<PACKAGE/>",
        "<PACKAGE><PACKAGEHEAD/><DATA/></PACKAGE>",
        "<PACKAGE><PACKAGEHEAD><FHDM>10</FHDM></PACKAGEHEAD></PACKAGE>",
        "<PACKAGE><PACKAGEHEAD><FHDM><X>10</X></FHDM></PACKAGEHEAD><DATA/></PACKAGE>",
        package() + package(),
        package("<OTHER/>"),
        package("<RECORD/>"),
        package("<RECORD><XM>甲</XM><XM>乙</XM></RECORD>"),
        package("<RECORD><XM><B>甲</B></XM></RECORD>"),
    ],
)
async def test_a_package_of_another_form_is_unreadable(bench: Any, document: str, cdata: bool) -> None:
    """No document type, no entity, no leaf twice, nothing cut short."""
    bench.answers("population", answer(document, cdata=cdata))

    with pytest.raises(AnswerUnreadable):
        await ask(bench)


@pytest.mark.parametrize(
    "response",
    [
        envelope(""),
        envelope(f'<n:GK_JZCX_RKJCXXCXResponse xmlns:n="{NAMESPACE}"/>'),
        answer(package(), namespace="http://webservice.example/"),
        answer(package(), service="GK_GXFW_SFHC"),
        xml(DOCTYPE.replace("PACKAGE", "Envelope") + FAULT),
        xml(f'<s:Envelope xmlns:s="{SOAP}"/>'),
        xml("<Envelope><Body/></Envelope>"),
        httpx.Response(200, headers={"Content-Type": "text/html"}, text="<html>busy</html>"),
        httpx.Response(200, headers={"Content-Type": "text/xml;charset=GBK"}, text=answer(package()).text),
        httpx.Response(200, headers={"Content-Type": "text/xml"}, content=answer(package()).text.encode("gbk")),
    ],
)
async def test_an_envelope_of_another_form_is_unreadable(bench: Any, response: httpx.Response) -> None:
    """Another service's answer, another namespace, HTML, another character set."""
    bench.answers("population", response)

    with pytest.raises(AnswerUnreadable):
        await ask(bench)


def test_only_documents_that_ship_with_the_hub_are_loaded() -> None:
    """Neither from the network nor from elsewhere on this machine."""
    documents = soap_template.ShippedDocuments(NAMESPACE)

    assert b'targetNamespace="http://webservice.com/"' in documents.load(
        str(soap_template._SHIPPED / "population.wsdl")
    )
    for url in ("http://127.0.0.1:9/a.xsd", "file:///etc/passwd", "/etc/passwd", "wsdl/../soap.py", "population.wsdl"):
        with pytest.raises(PermissionError):
            documents.load(url)


@pytest.mark.parametrize(
    "changes",
    [
        {"options": {"head": {"QQBWDM": "x"}}},
        {"options": {"namespace": "http://webservice.example/"}},
        {"options": {"service": "GK_OTHER"}},
        {"credentials": {"app_key": "k", "sid": "s_1200000900000_2108", "user": "u", "password": "a]]>b"}},
        {"credentials": {"app_key": "k", "sid": "s_1200000900000_2108", "user": "u"}},
    ],
)
def test_a_route_that_cannot_work_stops_the_start(bench: Any, changes: Any) -> None:
    """The text names the file, the key and the fix, and holds no credential."""
    place = r"/(agencies|credentials)\.toml, line 1: synthetic\."
    with pytest.raises(ConfigurationError, match=rf"{place}.*; fix: ") as caught:
        bench.wire("population", **changes)

    assert "a]]>b" not in str(caught.value)
    assert not isinstance(caught.value, AgencyError)


def _renamed(official: Official, name: str) -> Official:
    return Official(
        user=official.user,
        name=name,
        id_number=official.id_number,
        unit_code=official.unit_code,
        unit_name=official.unit_name,
        terminal=official.terminal,
    )

"""
No identifier, name, credential or address survives in an error, its chain, its traceback's values or the log.
"""

import asyncio
import json
import logging
import traceback
from typing import Any

import httpx
import pytest

from adapters.errors import AgencyError, UnsupportedLookup
from adapters.wire.reqwest_transport import ReqwestTransport
from adapters.wire.transport import AgencyTransport

pytestmark = pytest.mark.anyio

EVERY = pytest.mark.parametrize("family", ["irs", "national", "population", "rbsp"])
CANARIES = (
    "33080219900307123X",
    "甲某某",
    "李某婷",
    "330802198506181225",
    "某区人民法院",
    "10.8.0.7",
    "demo_app_secret",
    "demo_app_key",
    "DEMO_APP_KEY",
    "demo_password",
    "H6FhzsPyBrdHSiftdQY7Nw==",
    "fedcba9876543210",
    "127.0.0.1",
    "dataSharing",
    "ANSWER-CANARY",
)
ECHO = "33080219900307123X 甲某某 ANSWER-CANARY"
FORMS = {
    "irs": [
        {"code": "77", "msg": ECHO, "datas": ""},
        {"code": "18", "msg": ECHO, "datas": ECHO},
        {"code": "00", "msg": ECHO, "datas": ECHO},
        {"code": "00", "datas": f"[{ECHO}"},
        {"code": "00", "datas": f"<{ECHO}"},
        {"code": "00", "datas": {"success": False, "errorMsg": ECHO}},
        {"code": ECHO, "datas": []},
    ],
    "national": [
        {"code": ECHO, "message": ECHO, "data": ECHO},
        {"code": 300, "message": ECHO, "data": None},
        {"code": 200, "data": {"head": {"code": ECHO, "msg": ECHO}, "data": {"cxjg": []}}},
        {"code": 200, "data": {"head": {"code": "0000"}, "data": {"cxjg": ECHO}}},
    ],
}
XML_FORMS = [
    ECHO,
    f"<{ECHO}>",
    f"<a>{ECHO}</b>",
    f'<!DOCTYPE a [<!ENTITY x "{ECHO}">]><a>&x;</a>',
    '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><s:Fault><faultcode>s</faultcode>'
    f"<faultstring>{ECHO}</faultstring></s:Fault></s:Body></s:Envelope>",
    '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><n:GK_JZCX_RKJCXXCXResponse '
    f'xmlns:n="http://webservice.com/"><n:out>{ECHO}</n:out></n:GK_JZCX_RKJCXXCXResponse></s:Body></s:Envelope>',
    f"SrcReceiver: {ECHO}",
    f'<RBSPMessage><Method><Items><Item><Value Type="arrayOfArrayOf_string"><Row><Data>{ECHO}</Data></Row></Value>'
    "</Item></Items></Method></RBSPMessage>",
]


def bodies(family: str) -> list[httpx.Response]:
    """Answers of a family that echo the question and cannot be read or say that something failed."""
    if family in FORMS:
        answers = [json.dumps(form, ensure_ascii=False) for form in FORMS[family]]
        label = "application/json;charset=UTF-8"
        answers.append(f'{{"code": "{ECHO}')
    else:
        answers, label = XML_FORMS, "text/xml;charset=UTF-8"
    return [
        httpx.Response(
            status, headers={"Content-Type": label, "Location": "http://127.0.0.1/ANSWER-CANARY"}, text=answer
        )
        for answer in answers
        for status in (200, 302, 403, 429, 500)
    ]


def assert_clean(error: BaseException, caplog: pytest.LogCaptureFixture) -> None:
    """The error, everything that hangs on it, and the log hold no canary."""
    assert (error.__cause__, error.__context__) == (None, None)
    seen = [str(error), repr(error), repr(error.args), repr(vars(error)), caplog.text]
    seen += ["".join(traceback.format_exception_only(error)), *getattr(error, "__notes__", [])]
    for canary in CANARIES:
        assert not any(canary in text for text in seen), canary


@EVERY
async def test_an_answer_that_echoes_the_question_leaves_no_trace(
    bench: Any, family: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever the agency says, and with whichever status."""
    caplog.set_level(logging.DEBUG)
    for response in bodies(family):
        bench.answers(family, response)
        question = bench.question()

        with pytest.raises((AgencyError, UnsupportedLookup)) as caught:
            await bench.wire(family).ask(question, "lookup", bench.terms)

        assert_clean(caught.value, caplog)
        assert not any(canary in repr(question.evidence) for canary in CANARIES)


@EVERY
@pytest.mark.parametrize("raised", [httpx.ConnectError, httpx.ReadTimeout, httpx.RemoteProtocolError])
async def test_a_failed_exchange_leaves_no_trace(
    bench: Any, family: str, raised: type[httpx.RequestError], caplog: pytest.LogCaptureFixture
) -> None:
    """Errors of libraries hold the request."""
    caplog.set_level(logging.DEBUG)
    bench.answers(family, raised(ECHO))

    with pytest.raises(AgencyError) as caught:
        await bench.wire(family).ask(bench.question(), "lookup", bench.terms)

    assert_clean(caught.value, caplog)


@EVERY
@pytest.mark.parametrize("garbage", [b"ANSWER-CANARY\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nA"])
async def test_the_real_engine_leaves_no_trace(
    bench: Any, family: str, garbage: bytes, raw_server: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """Its texts hold the address, its logs stay silent."""
    caplog.set_level(logging.DEBUG)

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        writer.write(garbage)
        return False

    async with raw_server(answer).serving() as address:
        port = AgencyTransport(ReqwestTransport(connections=1, https_only=False))
        wire = bench.wire(family, port=port, address=address)
        with pytest.raises(AgencyError) as caught:
            await wire.ask(bench.question(), "lookup", bench.terms)
        await port.aclose()

    assert_clean(caught.value, caplog)


@EVERY
@pytest.mark.parametrize("value", ["33080219900307123X\x00", "甲某某\ud800", "甲某某]]>"])
async def test_a_question_that_cannot_be_written_leaves_no_trace(
    bench: Any, family: str, value: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Encoders quote what they cannot encode."""
    with pytest.raises(UnsupportedLookup) as caught:
        await bench.wire(family).ask(bench.question(), "lookup", {**bench.terms, "name": value})

    assert_clean(caught.value, caplog)


@EVERY
async def test_no_address_ever_holds_anything_about_a_person(bench: Any, family: str) -> None:
    """Addresses end in logs of proxies that nobody here controls."""
    bench.answers(family, httpx.Response(500))
    with pytest.raises(AgencyError):
        await bench.wire(family).ask(bench.question(), "lookup", bench.terms)

    addresses = [str(call.request.url) for call in bench.agency.calls]
    assert all(address.partition("?")[2] == "" for address in addresses)
    assert set(addresses) <= {
        f"http://127.0.0.1:9{path}"
        for path in (
            *bench.paths.values(),
            "/gateway/app/refreshTokenByKey.htm",
            "/sysapi/auth/refreshappsecret",
        )
    }


def test_a_route_shows_neither_address_nor_credentials(bench: Any) -> None:
    """A route ends in a log sooner or later."""
    shown = repr(bench.route("population"))

    assert not any(canary in shown for canary in (*CANARIES, "demo_user"))

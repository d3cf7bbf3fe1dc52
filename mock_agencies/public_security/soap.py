"""
The population base by SOAP 1.1: signed header, the question as a PACKAGE in CDATA, the acting official inside it.
"""

from dataclasses import replace
from typing import ClassVar, Final
from uuid import UUID, uuid4
from xml.sax.saxutils import escape

from lxml import etree

from mock_agencies import check_digits, markup
from mock_agencies.clock import MockClock
from mock_agencies.credentials import PopulationAccount
from mock_agencies.exchange import JSON, XML, MockRequest, MockResponse, OperationRefused
from mock_agencies.faults.documents import ELEMENT_DOCUMENTS
from mock_agencies.faults.records import FaultFields, Row
from mock_agencies.faults.script import ArmedFault
from mock_agencies.national import NationalPlatform, PlatformRejected, fields_of
from mock_agencies.officials import missing_part
from mock_agencies.operation import LookupOperation, OperationQuery, armed_name
from mock_agencies.population import SyntheticPerson
from mock_agencies.public_security import package
from mock_agencies.public_security.package import FOUND, NOT_FOUND
from mock_agencies.public_security.registers import NO_MATCH, PopulationBase
from mock_agencies.public_security.signing import SoapSigner

SERVICE: Final = "GK_JZCX_RKJCXXCX"
NAMESPACES: Final = ("http://webservice.com/", "http://webservice.tongtech.com/")
ENVELOPE: Final = "http://schemas.xmlsoap.org/soap/envelope/"

_HEAD_REQUIRED: Final = (
    "FWQQBH", "QQBWDM", "QQBWMC", "SJLYXTDM", "SJLYXTMC", "QQYWLXDM", "QQYWLXMC", "QQYWXTDM", "QQYWXTMC", "JLS", "FSSJ",
    "QQRGMSFHM", "QQRXM", "QQRDWDM", "QQRDWMC",
)  # fmt: skip
_UNKNOWN_RESULT: Final = "77"
_OUT_OF_HOURS: Final = "31"
_OFFICIAL_REFUSED: Final = "21"
_UUID_LENGTHS: Final = (32, 36)


class IdentityLookup(LookupOperation[SyntheticPerson]):
    """
    人口基准信息查询 (GK_JZCX_RKJCXXCX): number and, usually, name.  With a signer its answers are signed, refusals not.
    """

    name: ClassVar[str] = "identity"
    paths: ClassVar[tuple[str, ...]] = ("/gk/services/population",)
    content_type: ClassVar[str] = XML
    fault_fields: ClassVar[FaultFields] = FaultFields(coded="SWBS", required="XM")
    document_faults: ClassVar[frozenset[str]] = frozenset(
        {*ELEMENT_DOCUMENTS, "fault", "unknown_envelope_code", "provider_error", "out_of_hours", "name_mismatch"}
        | {"cdata_out", "success_variant", "json_relay", "expired_secret"}
    )

    def __init__(
        self, register: PopulationBase, platform: NationalPlatform, account: PopulationAccount, clock: MockClock,
        *, precomputed: bool, signer: SoapSigner | None = None,
    ) -> None:  # fmt: skip
        super().__init__(register, precomputed=precomputed)
        self.signer = signer
        self.platform = platform
        self.account = account
        self.clock = clock

    def answer(self, request: MockRequest, armed: ArmedFault | None) -> MockResponse:
        answer = super().answer(request, armed)
        if self.signer is None or answer.content_type != XML:
            return answer
        return replace(answer, body=self.signer.signed(answer.body, self.clock.now_ms()))

    def accept(self, request: MockRequest, armed: ArmedFault | None) -> OperationQuery:
        if request.media_type != "text/xml":
            raise _fault("content_type", "Client", "Content-Type应为text/xml")
        envelope = _parsed(request.body, "envelope")
        if envelope.tag != f"{{{ENVELOPE}}}Envelope":
            raise _fault("not_soap_1_1", "VersionMismatch", "SOAP版本不符")
        self._check_header(envelope, armed)
        call = markup.child(markup.child(envelope, "Body"), SERVICE)
        space = markup.namespace(call) if call is not None else ""
        if call is None or space not in NAMESPACES or any(markup.namespace(part) != space for part in call):
            raise _fault("unknown_operation", "Client", "服务方法不存在")
        parts = markup.texts(call)
        if (parts.get("in1"), parts.get("in2")) != (self.account.user, self.account.password):
            raise _fault("wrong_user", "Client", "用户名或密码错误")
        if b"<![CDATA[" not in request.body:
            raise _fault("no_cdata", "Client", "in0应为CDATA")
        return self._question(parts.get("in0", ""), space)

    def _check_header(self, envelope: etree._Element, armed: ArmedFault | None) -> None:
        header = markup.texts(markup.child(markup.child(envelope, "Header"), "tongtechheader"))
        try:
            self.platform.authenticate(fields_of(header), armed)
        except PlatformRejected as rejected:
            why = rejected.why
        else:
            return
        raise _fault(why, "Client", "签名校验失败")

    def _question(self, document: str, space: str) -> OperationQuery:
        root = _parsed(document.encode(), "package")
        head = markup.texts(markup.child(root, "PACKAGEHEAD"))
        reference = head.get("FWQQBH", "")
        gap = _gap(head)
        if gap:
            raise OperationRefused(
                gap, self._reply(package.empty(reference, self.clock, _OFFICIAL_REFUSED, "请求信息不完整"), space)
            )
        record = markup.texts(markup.child(markup.child(root, "DATA"), "RECORD"))
        if not record.get("GMSFHM"):
            raise OperationRefused(
                "no_number", self._reply(package.empty(reference, self.clock, "22", "缺少公民身份号码"), space)
            )
        return OperationQuery(record["GMSFHM"], record.get("XM") or None, variant=space, reference=reference)

    def write(self, query: OperationQuery, rows: list[Row], armed: ArmedFault | None) -> MockResponse:
        fault = armed.name if armed else ""
        if armed and fault == "fault":
            return _soap_fault("Server", "系统内部错误", int(armed.options.get("status", 500)))
        if fault == "json_relay":
            return MockResponse(package.relay(rows), JSON)
        if fault == "name_mismatch":
            rows = [
                {"GMSFHM": row["GMSFHM"], "GMSFHM_PPDDM": "1", "XM": row["XM"], "XM_PPDDM": NO_MATCH} for row in rows
            ]
        document = self._document(query.reference, rows, fault)
        if document_fault := armed_name(armed, ELEMENT_DOCUMENTS):
            document = ELEMENT_DOCUMENTS[document_fault](document, self.fault_fields)
        return self._reply(document, query.variant, cdata=fault == "cdata_out")

    def _document(self, reference: str, rows: list[Row], fault: str) -> str:
        match fault:
            case "unknown_envelope_code":
                return package.empty(reference, self.clock, _UNKNOWN_RESULT, "未知")
            case "out_of_hours":
                return package.empty(reference, self.clock, _OUT_OF_HOURS, "请在工作时间段（9:00-17:00）内查询")
            case "provider_error":
                return package.failed_record(reference, self.clock, "0301", "数据提供方服务异常")
        code = NOT_FOUND if not rows or fault == "success_variant" else FOUND
        return package.records(reference, self.clock, code, rows)

    def _reply(self, document: str, space: str, *, cdata: bool = False) -> MockResponse:
        out = f"<![CDATA[{document}]]>" if cdata else escape(document)
        return _in_envelope(
            f'<ns1:{SERVICE}Response xmlns:ns1="{space}"><ns1:out>{out}</ns1:out></ns1:{SERVICE}Response>'
        )


def _gap(head: dict[str, str]) -> str | None:
    missing = next((name for name in _HEAD_REQUIRED if not head.get(name)), None)
    if missing:
        return f"head_{missing}"
    if not _is_uuid(head["FWQQBH"]) or head["JLS"] != "1" or not (len(head["FSSJ"]) == 14 and head["FSSJ"].isdecimal()):
        return "head_form"
    if not check_digits.is_uscc(head["QQRDWDM"]):
        return "official_unit_code"
    return missing_part(id_number=head["QQRGMSFHM"], parts={"name": head["QQRXM"], "unit": head["QQRDWMC"]})


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return len(text) in _UUID_LENGTHS


def _parsed(text: bytes, what: str) -> etree._Element:
    root = markup.parse(text)
    if root is None:
        raise _fault(f"{what}_unreadable", "Client", "报文解析失败")
    return root


def _fault(why: str, code: str, text: str) -> OperationRefused:
    return OperationRefused(why, _soap_fault(code, text, 500))


def _soap_fault(code: str, text: str, status: int) -> MockResponse:
    detail = f"<faultcode>soap:{code}</faultcode><faultstring>{text}（{uuid4().hex[:8]}）</faultstring>"
    return _in_envelope(f"<soap:Fault>{detail}</soap:Fault>", status)


def _in_envelope(body: str, status: int = 200) -> MockResponse:
    text = (
        f'<?xml version="1.0" encoding="UTF-8"?><soap:Envelope xmlns:soap="{ENVELOPE}"><soap:Body>{body}</soap:Body>'
        "</soap:Envelope>"
    )
    return MockResponse(text.encode(), XML, status)

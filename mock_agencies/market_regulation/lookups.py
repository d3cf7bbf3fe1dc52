"""
Market regulation's two questions, as the national platform carries them: REST, JSON, keys in lower case.
"""

import json
from abc import abstractmethod
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, ClassVar, Final

from mock_agencies.clock import CHINA
from mock_agencies.exchange import MockRequest, MockResponse, OperationRefused
from mock_agencies.faults.documents import JSON_DOCUMENTS
from mock_agencies.faults.records import FaultFields, Row
from mock_agencies.faults.script import ArmedFault, Options
from mock_agencies.national import NationalPlatform, PlatformRejected, fields_of
from mock_agencies.officials import missing_part
from mock_agencies.operation import SUBJECT_FAULTS, LookupOperation, OperationQuery, Register, T, armed_name
from mock_agencies.population import SyntheticOrganization, SyntheticPerson

_OFFICIAL: Final = ("username", "userdept", "projectid", "powermatters")
_DATES: Final = ("estdate", "apprdate", "opfrom", "opto")
_EMPTY: Final[Mapping[str, Any]] = {"null": None, "object": {}, "text": ""}


class PlatformLookup(LookupOperation[T]):
    """A business call behind the national platform: signed headers, a JSON body, `{code, message, data}`."""

    document_faults: ClassVar[frozenset[str]] = frozenset(
        {*JSON_DOCUMENTS, "fault", "unknown_envelope_code", "out_of_hours", "not_whitelisted", "expired_secret"}
    )

    def __init__(self, register: Register[T], platform: NationalPlatform, *, precomputed: bool) -> None:
        super().__init__(register, precomputed=precomputed)
        self.platform = platform

    @abstractmethod
    def question(self, body: Mapping[str, str]) -> OperationQuery:
        """Reads the business parameters.  Raises `OperationRefused`."""

    def accept(self, request: MockRequest, armed: ArmedFault | None) -> OperationQuery:
        try:
            self.platform.authenticate(fields_of(request.headers), armed)
        except PlatformRejected as rejected:
            why = rejected.why
        else:
            return self.question(_business_body(request))
        raise _refused(why, "api-002 签名校验失败")

    def write(self, query: OperationQuery, rows: list[Row], armed: ArmedFault | None) -> MockResponse:  # noqa: ARG002
        options = armed.options if armed else {}
        fault = armed.name if armed else ""
        if fault == "odd_dates":
            rows = [_with_odd_dates(row, options) for row in rows]
        relay: Any = {"head": {"code": "0000", "msg": "success"}, "data": {"cxjg": rows}}
        if fault in SUBJECT_FAULTS and not rows:
            relay["data"]["cxjg"] = _EMPTY.get(str(options.get("form")), [])
        envelope = {"code": 200, "message": "success", "data": relay}
        disturb = _ENVELOPES.get(fault)
        text = json.dumps(
            disturb(envelope, options) if disturb else envelope, ensure_ascii=False, separators=(",", ":")
        )
        if document_fault := armed_name(armed, JSON_DOCUMENTS):
            text = JSON_DOCUMENTS[document_fault](text, self.fault_fields)
        return MockResponse(text.encode())


class RegistrationLookup(PlatformLookup[SyntheticOrganization]):
    """企业基本信息查询: by unified code or registration number, with or without the name."""

    name: ClassVar[str] = "registration"
    paths: ClassVar[tuple[str, ...]] = ("/sysapi/enterprise/basic",)
    fault_fields: ClassVar[FaultFields] = FaultFields(coded="regstateCn", required="entname", number="estdate")
    document_faults: ClassVar[frozenset[str]] = PlatformLookup.document_faults | {"odd_dates"}

    def question(self, body: Mapping[str, str]) -> OperationQuery:
        number = body.get("uniscid") or body.get("regno")
        if not number:
            raise _refused("parameter_missing", "res-001 缺少参数uniscid或regno")
        return OperationQuery(number, body.get("entname") or None)


class PositionsLookup(PlatformLookup[SyntheticPerson]):
    """A person's positions: by ID number and name together, no browsing."""

    name: ClassVar[str] = "positions"
    paths: ClassVar[tuple[str, ...]] = ("/sysapi/enterprise/positions",)
    fault_fields: ClassVar[FaultFields] = FaultFields(coded="regstateCn", required="entname")
    document_faults: ClassVar[frozenset[str]] = PlatformLookup.document_faults - {"nan"}

    @property
    def faults(self) -> frozenset[str]:
        # Its rows repeat neither the person's number nor name, so another person in them could not be noticed.
        return super().faults - {"wrong_subject", "two_matches"}

    def question(self, body: Mapping[str, str]) -> OperationQuery:
        number, name = body.get("cerno"), body.get("name")
        if not number or not name:
            raise _refused("parameter_missing", "res-001 缺少参数cerno或name")
        return OperationQuery(number, name)


def _business_body(request: MockRequest) -> Mapping[str, str]:
    if request.media_type != "application/json":
        raise _refused("content_type", "res-002 Content-Type应为application/json")
    body = request.texts()
    if body is None:
        raise _refused("body", "res-002 请求体不是JSON对象")
    if any(key != key.lower() for key in body):
        raise _refused("upper_case_key", "res-003 参数名应为小写")
    gap = missing_part(id_number=body.get("usercardid", ""), parts={part: body.get(part, "") for part in _OFFICIAL})
    if gap:
        raise _refused(gap, "catalog-004 办件人员信息不完整")
    return body


def _refused(why: str, message: str) -> OperationRefused:
    body = json.dumps({"code": 300, "message": message, "data": None}, ensure_ascii=False)
    return OperationRefused(why, MockResponse(body.encode()))


def _with_odd_dates(row: Row, options: Options) -> Row:
    def odd(value: int | None) -> str | None:
        if value is None or options.get("form") == "empty":
            return ""
        return f"{datetime.fromtimestamp(value / 1000, CHINA):%Y-%m-%d}"

    return {leaf: odd(value) if leaf in _DATES else value for leaf, value in row.items()}


def _failed(message: str) -> Callable[[Row, Options], Row]:
    return lambda _envelope, _options: {"code": 300, "message": message, "data": None}


def _unknown_code(envelope: Row, options: Options) -> Row:
    if options.get("at") == "head":
        return {**envelope, "data": {"head": {"code": "0007", "msg": "未知"}, "data": {"cxjg": []}}}
    return {**envelope, "code": 277, "message": "未知"}


_ENVELOPES: Final[dict[str, Callable[[Row, Options], Row]]] = {
    "fault": _failed("db-500 数据源连接失败"),
    "out_of_hours": _failed("catalog-009 请在工作时间段（9:00-17:00）内查询"),
    "not_whitelisted": _failed("api-006 调用方IP不在白名单"),
    "unknown_envelope_code": _unknown_code,
}  # fmt: skip

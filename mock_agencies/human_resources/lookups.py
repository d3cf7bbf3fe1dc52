"""
Human resources behind the provincial gateway: both refresh calls, and a person's insurance participations.
"""

import json
from collections.abc import Callable
from typing import Any, ClassVar, Final

from mock_agencies.clock import SECOND_MS
from mock_agencies.exchange import MockRequest, MockResponse
from mock_agencies.faults.documents import JSON_DOCUMENTS
from mock_agencies.faults.records import FaultFields, Row
from mock_agencies.faults.script import ArmedFault, Options
from mock_agencies.human_resources import gateway
from mock_agencies.human_resources.gateway import BAD_PARAMETERS, OK, OVER_QUOTA, IrsGateway, envelope, refused, written
from mock_agencies.officials import missing_part
from mock_agencies.operation import SUBJECT_FAULTS, LookupOperation, Operation, OperationQuery, Register, armed_name
from mock_agencies.population import SyntheticPerson

_MATTER: Final = ("projectId", "powerMatters")
_EMPTY: Final[dict[str, Any]] = {"text": "", "null": None, "list": [], "list_text": "[]"}


class RefreshByKey(Operation):
    """Step 1: the first time, or when the refresh secret has run out."""

    name: ClassVar[str] = "refresh_by_key"
    paths: ClassVar[tuple[str, ...]] = ("/gateway/app/refreshTokenByKey.htm",)
    methods: ClassVar[tuple[str, ...]] = ("GET", "POST")
    family_faults: ClassVar[frozenset[str]] = frozenset({"fault", "off_clock"})

    def __init__(self, gate: IrsGateway) -> None:
        self.gate = gate

    def answer(self, request: MockRequest, armed: ArmedFault | None) -> MockResponse:
        parameters = gateway.signed_parameters(request)
        fault = armed.name if armed else ""
        if fault == "fault":
            raise refused("fault", "99")
        off = float(armed.options.get("seconds", -3600)) if armed and fault == "off_clock" else 0.0
        datas = self.renew(parameters).as_datas(round(off * SECOND_MS))
        return MockResponse(written({**envelope(OK, datas, 1), "interfaces": []}).encode())

    def renew(self, parameters: dict[str, str]) -> gateway.GatewaySecrets:
        """Asks the gate for new secrets.  Raises `OperationRefused`."""
        return self.gate.refresh_by_key(parameters)


class RefreshBySecret(RefreshByKey):
    """Step 2: when the request secret has run out."""

    name: ClassVar[str] = "refresh_by_secret"
    paths: ClassVar[tuple[str, ...]] = ("/gateway/app/refreshTokenBySec.htm",)

    def renew(self, parameters: dict[str, str]) -> gateway.GatewaySecrets:
        return self.gate.refresh_by_secret(parameters)


class ParticipationLookup(LookupOperation[SyntheticPerson]):
    """
    社会保险个人参保信息: `AAC002` and `aac003` in one call, in exactly this case, the acting official in `additional`.

    The second path is the older one without department and channel.
    """

    name: ClassVar[str] = "participation"
    paths: ClassVar[tuple[str, ...]] = (
        "/gateway/api/001003085/dataSharing/socialPersonalParticipationInfo.htm",
        "/gateway/api/socialPersonalParticipationInfo.htm",
    )
    methods: ClassVar[tuple[str, ...]] = ("GET", "POST")
    fault_fields: ClassVar[FaultFields] = FaultFields(coded="AAC031", required="AAC003", number="AAC006")
    document_faults: ClassVar[frozenset[str]] = frozenset(
        {*JSON_DOCUMENTS, "fault", "unknown_envelope_code", "provider_error", "out_of_hours", "over_quota"}
        | {
            "single_object",
            "double_encoded_json",
            "half_escaped_xml",
            "provider_envelope",
            "expired_secret",
            "bad_signature",
        }
    )

    def __init__(self, register: Register[SyntheticPerson], gate: IrsGateway, *, precomputed: bool) -> None:
        super().__init__(register, precomputed=precomputed)
        self.gate = gate

    def accept(self, request: MockRequest, armed: ArmedFault | None) -> OperationQuery:
        if armed is not None and armed.name == "expired_secret":
            self.gate.expire()
        if armed is not None and armed.name == "bad_signature":
            self.gate.rotate()
        parameters = self.parameters(request)
        self.gate.authenticate(parameters)
        number, name = parameters.get("AAC002", ""), parameters.get("aac003", "")
        if not number or not name:
            raise refused("missing_parameter", BAD_PARAMETERS)
        if number != number.upper():
            raise refused("lower_case_number", BAD_PARAMETERS)
        _check_matter(parameters.get("additional", ""))
        return OperationQuery(number, name)

    def parameters(self, request: MockRequest) -> dict[str, str]:
        """Reads the parameters, signature included.  Raises `OperationRefused`."""
        return gateway.signed_parameters(request)

    def write(self, query: OperationQuery, rows: list[Row], armed: ArmedFault | None) -> MockResponse:  # noqa: ARG002
        datas: Any = rows
        if armed is not None and armed.name in SUBJECT_FAULTS and not rows:
            datas = _EMPTY.get(str(armed.options.get("form")), [])
        body = envelope(OK, datas, len(rows))
        if armed is not None and armed.name in _ENVELOPES:
            body = _ENVELOPES[armed.name](body, armed.options)
        text = written(body)
        if fault := armed_name(armed, JSON_DOCUMENTS):
            text = JSON_DOCUMENTS[fault](text, self.fault_fields)
        return MockResponse(text.encode())


def _check_matter(additional: str) -> None:
    try:
        matter = json.loads(additional)
    except (ValueError, RecursionError):
        matter = None
    if not isinstance(matter, dict) or not all(isinstance(text, str) for text in matter.values()):
        raise refused("additional", BAD_PARAMETERS)
    parts = {part: matter.get(part, "") for part in _MATTER}
    gap = missing_part(id_number=matter.get("accesscardId", ""), parts=parts)
    if gap:
        raise refused(gap, BAD_PARAMETERS)


def _failed(code: str, message: str | None = None) -> Callable[[Row, Options], Row]:
    return lambda _body, _options: envelope(code, "", message=message)


def _provider_envelope(body: Row, options: Options) -> Row:
    if options.get("form") == "success":
        return {**body, "datas": {"success": True, "data": body["datas"], "errorMsg": None}}
    return {**body, "datas": {"code": 200, "data": body["datas"], "message": "success"}}


def _half_escaped(body: Row, _options: Options) -> Row:
    records = "".join(
        "<ROW&gt;" + "".join(f"<{leaf}&gt;{value or ''}</{leaf}&gt;" for leaf, value in row.items()) + "</ROW&gt;"
        for row in body["datas"]
    )
    return {**body, "datas": records}


_ENVELOPES: Final[dict[str, Callable[[Row, Options], Row]]] = {
    "fault": lambda body, _: {**body, "datas": {"success": False, "data": None, "errorMsg": "系统内部错误"}},
    "provider_error": lambda body, _: {**body, "datas": {"code": 500, "data": None, "errMsg": "数据提供方服务异常"}},
    "unknown_envelope_code": _failed("77"),
    "over_quota": _failed(OVER_QUOTA),
    "out_of_hours": _failed("01", "请在工作时间段（9:00-17:00）内查询"),
    "single_object": lambda body, _: {**body, "datas": next(iter(body["datas"]), {})},
    "double_encoded_json": lambda body, _: {**body, "datas": written(body["datas"])},
    "half_escaped_xml": _half_escaped,
    "provider_envelope": _provider_envelope,
}

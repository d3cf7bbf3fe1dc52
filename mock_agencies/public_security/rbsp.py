"""
The police request service (RBSP), its XML form: a table of text, a status row first, and a plain-text refusal.
"""

import re
from typing import ClassVar, Final
from xml.sax.saxutils import escape

from lxml import etree

from mock_agencies import markup
from mock_agencies.clock import MockClock, stamp
from mock_agencies.credentials import RequesterAccount
from mock_agencies.exchange import XML, MockRequest, MockResponse, OperationRefused
from mock_agencies.faults.documents import XML_DOCUMENTS
from mock_agencies.faults.records import FaultFields, Row
from mock_agencies.faults.script import ArmedFault
from mock_agencies.officials import missing_part
from mock_agencies.operation import LookupOperation, OperationQuery, armed_name
from mock_agencies.population import SyntheticPerson
from mock_agencies.public_security.registers import HouseholdRegister

OK: Final = "000"
# Made up: the table is not public.
_BAD_MESSAGE, _BAD_CONDITION, _BAD_COLUMN, _NO_OFFICIAL = "101", "102", "103", "104"
_FAILED, _OUT_OF_HOURS, _UNKNOWN = "500", "301", "977"
_CONDITION: Final = re.compile(r"SFZH='([0-9A-Z]{15,18})'")
_END_USER: Final = ("UserName", "UserDept", "UserIp")
_HEAD: Final = ("Version", "TimeStamp")


class AddressesLookup(LookupOperation[SyntheticPerson]):
    """Household and residence by number: the columns in `RequiredItems` and no others."""

    name: ClassVar[str] = "addresses"
    paths: ClassVar[tuple[str, ...]] = ("/rbsp/request",)
    content_type: ClassVar[str] = XML
    fault_fields: ClassVar[FaultFields] = FaultFields(coded="SWBS", required="XM")
    document_faults: ClassVar[frozenset[str]] = frozenset(
        {*XML_DOCUMENTS, "fault", "unknown_envelope_code", "out_of_hours", "plain_text_refusal"}
        | {"columns_permuted", "short_row"}
    )

    def __init__(
        self, register: HouseholdRegister, account: RequesterAccount, clock: MockClock, *, precomputed: bool
    ) -> None:
        super().__init__(register, precomputed=precomputed)
        self.account = account
        self.clock = clock

    def accept(self, request: MockRequest, armed: ArmedFault | None) -> OperationQuery:  # noqa: ARG002
        root = markup.parse(request.body)
        if root is None or markup.local(root) != "RBSPMessage" or request.media_type != "text/xml":
            raise self._refused("message_unreadable", _BAD_MESSAGE)
        head = markup.texts(root)
        method = markup.child(root, "Method")
        items = _items(markup.child(method, "Items"))
        requester = head.get("RequesterID") or items.get("RequesterID", "")
        if (head.get("ServiceID"), requester) != (self.account.service_id, self.account.requester_id):
            raise OperationRefused("unknown_requester", _plain_refusal())
        if markup.texts(method).get("Name") != "Query" or not all(head.get(part) for part in _HEAD):
            raise self._refused("message_incomplete", _BAD_MESSAGE)
        parts = {part: items.get(part, "") for part in _END_USER}
        gap = missing_part(id_number=items.get("UserCardId", ""), parts=parts)
        if gap:
            raise self._refused(gap, _NO_OFFICIAL)
        condition = _CONDITION.fullmatch(items.get("Condition", ""))
        if not condition:
            raise self._refused("condition", _BAD_CONDITION)
        columns = tuple(column.strip() for column in items.get("RequiredItems", "").split(","))
        if not set(columns) <= HouseholdRegister.columns:
            raise self._refused("unknown_column", _BAD_COLUMN)
        return OperationQuery(condition[1], columns=columns)

    def write(self, query: OperationQuery, rows: list[Row], armed: ArmedFault | None) -> MockResponse:
        fault = armed.name if armed else ""
        if fault == "plain_text_refusal":
            return _plain_refusal()
        if fault in _STATUSES:
            status, message = _STATUSES[fault]
            return self._table([[status, message]])
        columns = list(rows[0]) if rows else list(query.columns)
        if fault == "columns_permuted":
            columns = columns[::-1]
        values = [[str(row[column]) for column in columns] for row in rows]
        if fault == "short_row":
            values = [row[:-1] for row in values]
        document = self._table([[OK, "成功"], columns, *values])
        if document_fault := armed_name(armed, XML_DOCUMENTS):
            text = XML_DOCUMENTS[document_fault](document.body.decode(), self.fault_fields)
            return MockResponse(text.encode(), XML)
        return document

    def _refused(self, why: str, status: str) -> OperationRefused:
        return OperationRefused(why, self._table([[status, "请求不符合要求"]]))

    def _table(self, rows: list[list[str]]) -> MockResponse:
        cells = "".join("<Row>" + "".join(f"<Data>{escape(cell)}</Data>" for cell in row) + "</Row>" for row in rows)
        text = (
            '<?xml version="1.0" encoding="UTF-8"?><RBSPMessage><Version>1.0</Version>'
            f"<ServiceID>{self.account.service_id}</ServiceID><TimeStamp>{stamp(self.clock.now_ms())}</TimeStamp>"
            "<Validity/><Security><Signature/><CheckCode/><Encrypt/></Security><Method><Name>Query</Name><Items><Item>"
            f'<Name>Result</Name><Value Type="arrayOfArrayOf_string">{cells}</Value></Item></Items></Method>'
            "</RBSPMessage>"
        )
        return MockResponse(text.encode(), XML)


_STATUSES: Final = {
    "fault": (_FAILED, "服务内部错误"),
    "unknown_envelope_code": (_UNKNOWN, "未知"),
    "out_of_hours": (_OUT_OF_HOURS, "请在工作时间段（9:00-17:00）内查询"),
}


def _plain_refusal() -> MockResponse:
    return MockResponse("SrcReceiver:无权限访问该服务".encode(), "text/plain;charset=UTF-8")


def _items(items: etree._Element | None) -> dict[str, str]:
    values = {}
    for item in items if items is not None else ():
        value = markup.child(item, "Value")
        written = (
            markup.texts(value).get("Data") if value is not None and len(value) else value is not None and value.text
        )
        values[markup.texts(item).get("Name", "")] = (written or "").strip()
    return values

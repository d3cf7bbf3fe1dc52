"""
Family 4: the police request service (请求服务, RBSP), its XML form, method Query.

The answer is a table: row 0 the status (`000` is ok), row 1 the column names, then values.  Columns are read by name:
their order changes.  Where we have no permission, a plain text starting `SrcReceiver:` comes instead of XML.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Final
from xml.sax.saxutils import escape

from lxml import etree
from pydantic import Field

from adapters.config_file import Mistake, matches
from adapters.contract import Question, RawAnswer, Rows
from adapters.errors import AgencyFault, AgencyRefused, AnswerUnreadable, UnsupportedLookup
from adapters.wire import decode
from adapters.wire.base import WireFamily
from adapters.wire.route import RouteCredentials, RouteOptions
from schemas.china_time import CHINA
from schemas.codes import Reason

OK: Final = "000"
NO_PERMISSION: Final = b"SrcReceiver:"

# The condition is a text like SQL: nothing but a number of this form may ever enter it, and never a name.
_NUMBER: Final = re.compile(r"[A-Z0-9]{15,18}")
_COLUMN: Final = r"[A-Za-z][A-Za-z0-9_]*"
_TABLE: Final = "arrayOfArrayOf_string"
_HEADERS: Final = [(b"Content-Type", b"text/xml; charset=UTF-8")]
_MESSAGE: Final = frozenset({"Version", "ServiceID", "RequesterID", "TimeStamp", "Validity", "Security", "Method"})


class RbspOptions(RouteOptions):
    """`required_items`: only the columns that are wanted, since minimisation happens here."""

    service_id: Annotated[str, matches(r"S\d{2}-\d{8}", 'write service_id = "S10-00000001"')]
    requester_id: Annotated[str, matches(r"C\d{6}-\d{8}", 'write requester_id = "C330800-00000001"')]
    version: Annotated[str, matches(r"[\w.]{1,16}", 'write version = "1.0"')] = "1.0"
    validity: Annotated[str, matches(r"[\w:+. -]{0,32}", "write up to 32 letters, digits and signs")] = ""
    required_items: Annotated[
        tuple[Annotated[str, matches(_COLUMN, 'write required_items = ["GMSFHM", "XM"]')], ...], Field(min_length=1)
    ]
    content_types: frozenset[str] = decode.XML_TYPES


class RbspWire(WireFamily[RbspOptions, RouteCredentials]):
    """
    Asks over the request service.
    """

    options_form = RbspOptions
    credentials_form = RouteCredentials

    @classmethod
    def check_parameters(cls, parameters: Mapping[str, str]) -> list[Mistake]:
        fits = re.fullmatch(_COLUMN, parameters.get("id_number", ""))
        return [] if fits else [(("id_number",), "is no column name", 'write id_number = "SFZH"')]

    def _configure(self) -> None:
        options = self._options
        self._condition = f"{self.route.parameters['id_number']}='%s'"
        self._open = (
            f'<?xml version="1.0" encoding="UTF-8"?><RBSPMessage><Version>{options.version}</Version><ServiceID>'
            f"{options.service_id}</ServiceID><RequesterID>{options.requester_id}</RequesterID><TimeStamp>"
        )
        self._middle = (
            f"</TimeStamp><Validity>{options.validity}</Validity><Security><Signature/><CheckCode/><Encrypt/></Security>"
            "<Method><Name>Query</Name><Items>"
        )
        self._close = _item("RequiredItems", ",".join(options.required_items)) + "</Items></Method></RBSPMessage>"

    async def ask(self, question: Question, capability: str, terms: Mapping[str, str]) -> Rows:
        self._agency_terms(question, terms)
        number = terms.get("id_number", "")
        if not _NUMBER.fullmatch(number):
            raise UnsupportedLookup(Reason.NOT_EXPRESSIBLE)
        until = self._attempt_deadline(question)
        raw = await self._send(question, capability, _HEADERS, self._request(question, number), until)
        records, drift = await self._decoded(raw)
        return Rows(records=records, answered_at=raw.answered_at, drift=drift)

    def _request(self, question: Question, number: str) -> bytes:
        official = question.official
        parts = (
            self._open,
            self.clock.now().astimezone(CHINA).strftime("%Y%m%d%H%M%S"),
            self._middle,
            _item("UserCardId", official.id_number),
            _item("UserName", official.name),
            _item("UserDept", official.unit_name),
            _item("UserIp", official.terminal),
            _item("Condition", self._condition % number),
            self._close,
        )
        return "".join(parts).encode()

    def _decode(self, raw: RawAnswer) -> tuple[tuple[Mapping[str, Any], ...], tuple[str, ...]]:
        self._check_error_body(raw)
        decode.check_content_type(raw.content_type, self._options.content_types, self._options.charset)
        root = decode.xml(raw.body, charset=self._options.charset)
        if decode.local_name(root) != "RBSPMessage":
            raise AnswerUnreadable(at="RBSPMessage")
        items = decode.only_child(decode.only_child(root, "Method", at="Method"), "Items", at="Method/Items")
        drift = tuple(
            f"RBSPMessage/{decode.local_name(child)}" for child in root if decode.local_name(child) not in _MESSAGE
        )
        return self._check_row_limit(_records(_table(items))), drift

    def _check_error_body(self, raw: RawAnswer) -> None:
        if raw.body.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(NO_PERMISSION):
            raise AgencyRefused


def _item(name: str, value: str) -> str:
    text = escape(value)
    return f'<Item><Name>{name}</Name><Value Type="string"><Data>{text}</Data></Value></Item>'


def _table(items: etree._Element) -> list[list[str]]:
    tables = [
        value for item in items for value in item if decode.local_name(value) == "Value" and value.get("Type") == _TABLE
    ]
    if len(tables) != 1:
        raise AnswerUnreadable(at="Method/Items/Item/Value")
    return [[decode.element_text(cell, at="Row/Data") for cell in row] for row in tables[0]]


def _records(table: list[list[str]]) -> tuple[Mapping[str, Any], ...]:
    if not table or not table[0]:
        raise AnswerUnreadable(at="Row[0]")
    if table[0][0].strip() != OK:
        raise AgencyFault(Reason.UNKNOWN_CODE)
    if len(table) < 2 or not table[1]:
        raise AnswerUnreadable(at="Row[1]")
    columns = [name.strip() for name in table[1]]
    if len(set(columns)) != len(columns) or not all(columns):
        raise AnswerUnreadable(at="Row[1]")
    if any(len(row) != len(columns) for row in table[2:]):
        # A row cut short no longer says which value belongs to which column.
        raise AnswerUnreadable(at="Row/Data")
    return tuple(dict(zip(columns, row, strict=True)) for row in table[2:])

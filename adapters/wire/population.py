"""
Family 3: the population base of the Ministry of Public Security, SOAP 1.1 over the national platform.

Services GK_JZCX_RKJCXXCX (base data) and GK_GXFW_SFHC (do number and name belong together).  The four fields of the
national platform stand in the header `tongtechheader`; the question is a PACKAGE document in CDATA, whose head names
the acting official by the official's own number and name.

    FHDM 10, 11, empty code and msg of the record   read
    another FHDM                                     AgencyFault(unknown_code)
    code or msg of the record                        AgencyFault(provider_error)
    SOAP Fault, on HTTP 200 or 500                   AgencyFault(fault)

Where the agency signs its replies (`signed_by`), only what its signature covers is read, a Fault too.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final
from uuid import uuid4
from xml.sax.saxutils import escape

from lxml import etree
from pydantic import Field

from adapters.config_file import ConfigTable, Integer, matches
from adapters.contract import Question, RawAnswer, Rows
from adapters.errors import AgencyError, AgencyFault, AnswerUnreadable
from adapters.wire import decode, soap_template
from adapters.wire.base import WireFamily
from adapters.wire.national import Platform, PlatformCredentials, PlatformOptions
from adapters.wire.ws_security import LONGEST_WINDOW, WINDOW, AgencyCertificates, Signers
from schemas.china_time import CHINA
from schemas.codes import Reason

OK: Final = frozenset({"10", "11"})

_Printable = Annotated[
    str,
    matches(r"(?:(?!]]>)[^\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]){1,256}", "remove control characters and ]]>"),
]
_HEADERS: Final = [(b"Content-Type", b"text/xml;charset=UTF-8"), (b"SOAPAction", b'""')]
_REPLY_HEAD: Final = frozenset({"FFQQBH", "FSSJ", "FHDM", "FHMS"})


@dataclass(frozen=True, slots=True)
class _Package:
    records: tuple[Mapping[str, Any], ...]
    reference: str | None
    stated_at: datetime | None
    drift: tuple[str, ...]


class PackageHead(ConfigTable):
    """
    How this court is registered: requesting ministry, source system, kind of business, business system.  In the order
    of the format.
    """

    QQBWDM: _Printable
    QQBWMC: _Printable
    SJLYXTDM: _Printable
    SJLYXTMC: _Printable
    QQYWLXDM: _Printable
    QQYWLXMC: _Printable
    QQYWXTDM: _Printable
    QQYWXTMC: _Printable


class PopulationOptions(PlatformOptions):
    """
    `signed_by` (a PEM file of the agency's certificates, if it signs its replies) and `signed_window` (seconds that a
    reply's time may be off ours).
    """

    service: soap_template.Service = "GK_JZCX_RKJCXXCX"
    namespace: soap_template.Namespace = "http://webservice.com/"
    head: PackageHead
    content_types: frozenset[str] = decode.XML_TYPES
    signed_by: AgencyCertificates = ()
    signed_window: Annotated[Integer, Field(ge=0, le=LONGEST_WINDOW)] = WINDOW


class PopulationCredentials(PlatformCredentials):
    """Those of the platform, and our account at the ministry."""

    user: _Printable
    password: _Printable


class PopulationWire(WireFamily[PopulationOptions, PopulationCredentials]):
    """
    Asks the population base.
    """

    options_form = PopulationOptions
    credentials_form = PopulationCredentials

    def _configure(self) -> None:
        options, credentials = self._options, self.route.credentials
        self._platform = Platform(self.route, self.transport, self.clock, self.store)
        self._response = f"{{{options.namespace}}}{options.service}Response"
        window = timedelta(seconds=options.signed_window)
        self._signers = Signers(options.signed_by, self.clock, window) if options.signed_by else None
        first, second, third, fourth, fifth, sixth, seventh, last = soap_template.envelope(
            options.namespace, options.service, self._platform.prefix
        )
        sid = escape(self._platform.sid)
        self._places = (first, f"{second}{sid}{third}", fourth, f"{fifth}<![CDATA[")
        self._end = f"]]>{sixth}{escape(credentials.user)}{seventh}{escape(credentials.password)}{last}"
        self._head = "".join(f"<{key}>{escape(value)}</{key}>" for key, value in options.head)

    async def ask(self, question: Question, capability: str, terms: Mapping[str, str]) -> Rows:
        package = self._package(question, self._agency_terms(question, terms))
        until = self._attempt_deadline(question)
        rid, _, rtime, signed = await self._platform.signed_fields(until)
        first, second, third, fourth = self._places
        body = f"{first}{rid}{second}{rtime}{third}{signed}{fourth}{package}{self._end}".encode()
        raw = await self._send(question, capability, _HEADERS, body, until)
        read: _Package = await self._decoded(raw)
        question.evidence.answers[-1] = replace(raw, stated_at=read.stated_at)
        return Rows(records=read.records, answered_at=raw.answered_at, reference=read.reference, drift=read.drift)

    def _package(self, question: Question, terms: Mapping[str, str]) -> str:
        official = question.official
        fields = {
            "QQRGMSFHM": official.id_number,
            "QQRXM": official.name,
            "QQRDWDM": official.unit_code,
            "QQRDWMC": official.unit_name,
        }
        sent_at = self.clock.now().astimezone(CHINA).strftime("%Y%m%d%H%M%S")
        who = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in fields.items())
        about = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in terms.items())
        return (
            f"<PACKAGE><PACKAGEHEAD><FWQQBH>{uuid4()}</FWQQBH><JLS>1</JLS><FSSJ>{sent_at}</FSSJ>{self._head}{who}"
            f'</PACKAGEHEAD><DATA><RECORD no="1">{about}</RECORD></DATA></PACKAGE>'
        )

    def _decode(self, raw: RawAnswer) -> _Package:
        decode.check_content_type(raw.content_type, self._options.content_types, self._options.charset)
        body = self._soap_body(raw)
        if len(body) != 1 or body[0].tag != self._response:
            raise AnswerUnreadable(at="Body")
        out = decode.only_child(body[0], "out", at="Body/out")
        package = _read(decode.element_text(out, at="Body/out"))
        self._check_row_limit(package.records)
        return package

    def _soap_body(self, raw: RawAnswer) -> etree._Element:
        root = decode.xml(raw.body, charset=self._options.charset)
        if root.tag != f"{{{soap_template.ENVELOPE}}}Envelope":
            raise AnswerUnreadable(at="Envelope")
        body = self._signers.body(root) if self._signers else _only_body(root)
        if body.find(f"{{{soap_template.ENVELOPE}}}Fault") is not None:
            raise AgencyFault(Reason.FAULT)
        return body

    def _check_error_body(self, raw: RawAnswer) -> None:
        # The interface does not say with which status a Fault comes.
        if raw.status != 500:
            return
        fault: AgencyError | None = None
        try:
            self._soap_body(raw)
        except AgencyFault as heard:
            fault = heard
        except AnswerUnreadable:
            pass
        if fault is not None:
            raise fault


def _only_body(envelope: etree._Element) -> etree._Element:
    bodies = envelope.findall(f"{{{soap_template.ENVELOPE}}}Body")
    if len(bodies) != 1:
        raise AnswerUnreadable(at="Body")
    return bodies[0]


def _read(document: str) -> _Package:
    root = decode.xml(document.encode(), at="out")
    if decode.local_name(root) != "PACKAGE":
        raise AnswerUnreadable(at="PACKAGE")
    head = {
        decode.local_name(child): decode.element_text(child, at="PACKAGEHEAD").strip()
        for child in decode.only_child(root, "PACKAGEHEAD", at="PACKAGEHEAD")
    }
    if not head.get("FHDM"):
        raise AnswerUnreadable(Reason.MISSING_LEAF, at="PACKAGEHEAD/FHDM")
    if head["FHDM"] not in OK:
        raise AgencyFault(Reason.UNKNOWN_CODE)
    found = decode.only_child(root, "DATA", at="DATA")
    return _Package(
        records=tuple(_record(element) for element in found),
        reference=decode.reference(head.get("FFQQBH")),
        stated_at=_stated_at(head.get("FSSJ", "")),
        drift=(
            *(f"PACKAGEHEAD/{name}" for name in head if name not in _REPLY_HEAD),
            *(
                f"PACKAGE/{decode.local_name(child)}"
                for child in root
                if decode.local_name(child) not in {"PACKAGEHEAD", "DATA"}
            ),
        ),
    )


def _record(element: etree._Element) -> Mapping[str, str]:
    if decode.local_name(element) != "RECORD":
        raise AnswerUnreadable(at="DATA")
    if (element.get("code") or "").strip() or (element.get("msg") or "").strip():
        raise AgencyFault(Reason.PROVIDER_ERROR)
    leaves = {decode.local_name(child): decode.element_text(child, at="RECORD") for child in element}
    if not leaves or len(leaves) != len(element):
        raise AnswerUnreadable(at="RECORD")
    return leaves


def _stated_at(text: str) -> datetime | None:
    if not (text.isascii() and text.isdigit() and len(text) == 14):
        return None
    try:
        return datetime.fromisoformat(f"{text[:8]}T{text[8:]}").replace(tzinfo=CHINA).astimezone(UTC)
    except (ValueError, OverflowError):
        return None

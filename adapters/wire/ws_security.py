"""
Signed SOAP replies (WS-Security): what an agency's certificate vouches for, and nothing else, is handed on to be read.

The reply must have one Body, one Timestamp and one Signature, each in its only place, and no identifier twice, so that
a signed part cannot be moved aside for a forged one.  The signature covers Body and Timestamp by SHA-256, is made by a
certificate that the route names (those in the message are not looked at), and is fresh by our clock.
"""

import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Annotated, Any, Final

from cryptography import x509
from lxml import etree
from pydantic import PlainValidator, ValidationInfo
from signxml.algorithms import DigestAlgorithm, SignatureMethod
from signxml.verifier import SignatureConfiguration, VerifyResult, XMLVerifier

from adapters.config_file import beside, broken_rule
from adapters.errors import AnswerUnreadable
from adapters.wire import soap_template, xml_parser
from adapters.wire.clock import CorrectedClock
from schemas.codes import Reason

SECURITY: Final = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
UTILITY: Final = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
SIGNATURE: Final = "http://www.w3.org/2000/09/xmldsig#"
# Seconds between their clock and ours, and how long a reply may have been under way.
WINDOW: Final = 300
LONGEST_WINDOW: Final = 3600

_ENVELOPE: Final = f"{{{soap_template.ENVELOPE}}}Envelope"
_BODY: Final = f"{{{soap_template.ENVELOPE}}}Body"
_SECURITY: Final = f"{{{soap_template.ENVELOPE}}}Header/{{{SECURITY}}}Security"
_TIMESTAMP: Final = f"{{{UTILITY}}}Timestamp"
# Each of these stands once in the whole reply, and there.
_PLACES: Final = {
    _BODY: _BODY,
    _TIMESTAMP: f"{_SECURITY}/{_TIMESTAMP}",
    f"{{{SIGNATURE}}}Signature": f"{_SECURITY}/{{{SIGNATURE}}}Signature",
}
_METHODS: Final = frozenset({SignatureMethod.RSA_SHA256, SignatureMethod.SHA256_RSA_MGF1, SignatureMethod.ECDSA_SHA256})

# The library writes what it verifies, which is about people, into its log at DEBUG.
logging.getLogger("signxml").setLevel(logging.WARNING)


def _certificates(name: Any, info: ValidationInfo) -> tuple[x509.Certificate, ...]:
    with suppress(OSError, ValueError, AttributeError):
        if certificates := tuple(x509.load_pem_x509_certificates(beside(name, info).read_bytes())):
            return certificates
    raise broken_rule("holds no usable certificate", 'write signed_by = "tls/agency.pem"')


AgencyCertificates = Annotated[tuple[x509.Certificate, ...], PlainValidator(_certificates)]
"""The certificates of a PEM file beside agencies.toml."""


@dataclass(frozen=True, slots=True)
class Signers:
    """
    Whose signature the replies of one route must bear: any of some certificates, two while one replaces the other.
    """

    certificates: Sequence[x509.Certificate]
    clock: CorrectedClock
    window: timedelta

    def body(self, envelope: etree._Element) -> etree._Element:
        """
        The Body of an envelope as it was signed.  Raises `AnswerUnreadable(signature)` if it is not what it should be.
        """
        _check_places(envelope)
        signed = self._verified(etree.tostring(envelope))
        parts = {part.tag: part for part in (one.signed_xml for one in signed) if part is not None}
        if len(signed) != 2 or set(parts) != {_BODY, _TIMESTAMP}:
            raise _unsigned("Signature/Reference")
        self._check_time(parts[_TIMESTAMP])
        return parts[_BODY]

    def _verified(self, document: bytes) -> Sequence[VerifyResult]:
        now = self.clock.now()
        rules = SignatureConfiguration(
            location=f"./{_SECURITY}/",
            expect_references=2,
            signature_methods=_METHODS,
            digest_algorithms=frozenset({DigestAlgorithm.SHA256}),
            verification_time=now,
        )
        for certificate in self.certificates:
            # Whatever stops the verification: it did not succeed, and nothing is read.
            verify = partial(
                XMLVerifier().verify,
                document,
                x509_cert=certificate,
                expect_config=rules,
                parser=xml_parser.hardened_parser(),
            )
            found = xml_parser.run_in_thread(verify)
            if found is not None:
                return found if isinstance(found, list) else [found]
        raise _unsigned("Signature")

    def _check_time(self, timestamp: etree._Element) -> None:
        now = self.clock.now()
        created = _time(timestamp, "Created")
        expires = _time(timestamp, "Expires")
        if created is None or abs(now - created) > self.window or (expires is not None and expires <= now):
            raise _unsigned("Timestamp")


def _check_places(envelope: etree._Element) -> None:
    for tag, place in _PLACES.items():
        if len(list(envelope.iter(tag))) != 1 or len(envelope.findall(place)) != 1:
            raise _unsigned(etree.QName(tag).localname)
    identifiers = [
        value
        for element in envelope.iter()
        for name, value in element.attrib.items()
        if etree.QName(name).localname.lower() == "id"
    ]
    if envelope.tag != _ENVELOPE or len(set(identifiers)) != len(identifiers):
        raise _unsigned("Envelope")


def _time(timestamp: etree._Element, name: str) -> datetime | None:
    found = timestamp.findall(f"{{{UTILITY}}}{name}")
    if not found:
        return None
    moment: datetime | None = None
    with suppress(ValueError):
        moment = datetime.fromisoformat(found[0].text or "")
    # A time without its zone has many meanings.
    if len(found) > 1 or moment is None or moment.tzinfo is None:
        raise _unsigned(f"Timestamp/{name}")
    return moment


def _unsigned(at: str) -> AnswerUnreadable:
    return AnswerUnreadable(Reason.SIGNATURE, at=at)

"""
Signed replies (WS-Security): the population base signs Body and Timestamp with a certificate that it makes at start.
"""

from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import uuid4

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from lxml import etree
from signxml.algorithms import CanonicalizationMethod, DigestAlgorithm, SignatureConstructionMethod, SignatureMethod
from signxml.signer import XMLSigner

ENVELOPE: Final = "http://schemas.xmlsoap.org/soap/envelope/"
SECURITY: Final = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
UTILITY: Final = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"

_LIFETIME: Final = timedelta(minutes=5)
_ID: Final = f"{{{UTILITY}}}Id"
_YEARS: Final = timedelta(days=3650)


class SoapSigner:
    """
    An agency's signing key with its certificate, made up when the server starts.
    """

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "population base of the demo")])
        now = datetime.now(UTC)
        self.certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(self._key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - _YEARS)
            .not_valid_after(now + _YEARS)
            .sign(self._key, hashes.SHA256())
        )

    @property
    def pem(self) -> bytes:
        """The certificate, as the agency would hand it over."""
        return self.certificate.public_bytes(Encoding.PEM)

    def signed(self, document: bytes, now_ms: int) -> bytes:
        """A SOAP envelope with its Body and a Timestamp signed."""
        envelope = etree.fromstring(document)
        body = envelope.find(f"{{{ENVELOPE}}}Body")
        assert body is not None
        body.set(_ID, f"id-{uuid4()}")
        header = etree.Element(f"{{{ENVELOPE}}}Header")
        envelope.insert(0, header)
        security = etree.SubElement(header, f"{{{SECURITY}}}Security", nsmap={"wsse": SECURITY, "wsu": UTILITY})
        stamp = etree.SubElement(security, f"{{{UTILITY}}}Timestamp", {_ID: f"TS-{uuid4()}"})
        created = datetime.fromtimestamp(now_ms / 1000, UTC)
        for name, moment in (("Created", created), ("Expires", created + _LIFETIME)):
            etree.SubElement(stamp, f"{{{UTILITY}}}{name}").text = moment.strftime("%Y-%m-%dT%H:%M:%SZ")
        signer = XMLSigner(
            method=SignatureConstructionMethod.detached,
            signature_algorithm=SignatureMethod.ECDSA_SHA256,
            digest_algorithm=DigestAlgorithm.SHA256,
            c14n_algorithm=CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0,
        )
        references = [f"#{part.get(_ID)}" for part in (stamp, body)]
        security.append(signer.sign(envelope, key=self._key, cert=[self.certificate], reference_uri=references))
        return etree.tostring(envelope, encoding="UTF-8", xml_declaration=True)

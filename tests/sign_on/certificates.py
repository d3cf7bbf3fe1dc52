"""
Certificates for a test, made on the spot: an issuer, the hub's, two services', and a stranger's of another issuer.
"""

import base64
import datetime as dt
import hashlib
import ipaddress
import ssl
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID

YEAR = dt.timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Paper:
    """A certificate and its key, in files."""

    certificate: Path
    key: Path

    @property
    def thumbprint(self) -> str:
        """As RFC 8705 spells it."""
        digest = hashlib.sha256(ssl.PEM_cert_to_DER_cert(self.certificate.read_text())).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


class Authority:
    """An issuer of certificates."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        constraints = x509.BasicConstraints(ca=True, path_length=0)
        certificate = _draft(self._name, self._name, self._key).add_extension(constraints, critical=True)
        self.certificate = folder / f"{name}.pem"
        self.certificate.write_bytes(certificate.sign(self._key, hashes.SHA256()).public_bytes(Encoding.PEM))

    def issue(self, name: str, *, password: bytes | None = None) -> Paper:
        """A certificate for this machine, or for a service of that name."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        here = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
        certificate = _draft(subject, self._name, key).add_extension(here, critical=False)
        paper = Paper(self._folder / f"{name}.pem", self._folder / f"{name}.key")
        paper.certificate.write_bytes(certificate.sign(self._key, hashes.SHA256()).public_bytes(Encoding.PEM))
        sealing: KeySerializationEncryption = BestAvailableEncryption(password) if password else NoEncryption()
        paper.key.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, sealing))
        paper.key.chmod(0o600)
        return paper

    def trusted_by(self, paper: Paper | None) -> ssl.SSLContext:
        """A client that trusts this issuer, and shows `paper` when it is asked."""
        context = ssl.create_default_context(cafile=self.certificate)
        if paper is not None:
            context.load_cert_chain(paper.certificate, paper.key)
        return context


def _draft(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(minutes=5))
        .not_valid_after(now + YEAR)
    )

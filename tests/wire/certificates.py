"""
Certificates for the servers of these tests.
"""

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


class Authority:
    """A certificate authority of one test; its own certificate ends in `days`."""

    def __init__(self, folder: Path, name: str, *, days: float = 30) -> None:
        self.now = datetime.now(UTC)
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self._certificate = (
            self._builder(self._name, self._key, days=(-9, days))
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(self._key, hashes.SHA256())
        )
        self.roots = folder / f"{name}.pem"
        self.roots.write_bytes(self._certificate.public_bytes(serialization.Encoding.PEM))

    def issue(
        self,
        file: str,
        *,
        address: str = "127.0.0.1",
        name: str | None = None,
        days: tuple[float, float] = (-1, 1),
    ) -> Path:
        """A certificate for an address, or for a name, with its key in one file; valid between these days from now."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.DNSName(name) if name else x509.IPAddress(ip_address(address))
        certificate = (
            self._builder(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, file)]), key, days=days)
            .add_extension(x509.SubjectAlternativeName([subject]), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        return self._written(file, certificate, key)

    def identity(self) -> Path:
        """The authority's own certificate with its key, as a server presents it that signed for itself."""
        return self._written("self-signed", self._certificate, self._key)

    def _written(self, file: str, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> Path:
        path = self._folder / f"{file}-identity.pem"
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM) + private)
        path.chmod(0o600)
        return path

    def _builder(
        self, name: x509.Name, key: ec.EllipticCurvePrivateKey, *, days: tuple[float, float]
    ) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(self.now + timedelta(days=days[0]))
            .not_valid_after(self.now + timedelta(days=days[1]))
        )

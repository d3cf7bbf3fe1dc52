"""
The authority itself: certificates that live as long as the process, and replies made by `openssl ts`.
"""

import asyncio
import shutil
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_LIFE = timedelta(days=30)
_CONFIGURATION = """\
[tsa]
default_tsa = mock
[mock]
serial = serial
crypto_device = builtin
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
accuracy = secs:1
"""


class TimestampAuthority:
    """
    Stamps requests.  `roots` is the PEM file of its certificate authority; everything lies in a folder of its own.
    """

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="mock-tsa-"))
        self.roots = self._folder / "ca.pem"
        self._serial = asyncio.Lock()
        root_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
        self.roots.write_bytes(_root(root_key).public_bytes(Encoding.PEM))
        (self._folder / "tsa.pem").write_bytes(_signer(key, root_key).public_bytes(Encoding.PEM))
        (self._folder / "tsa.key").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        (self._folder / "tsa.cnf").write_text(_CONFIGURATION)
        (self._folder / "serial").write_text("01\n")

    async def reply(self, query: bytes, *, chain: bool = False) -> bytes:
        """The reply to a request, granted or refused as openssl decides; with `chain` its root comes along."""
        arguments = ["-config", "tsa.cnf", "-section", "mock", "-queryfile", "query", "-out", "reply"]
        arguments += ["-signer", "tsa.pem", "-inkey", "tsa.key", *(["-chain", "ca.pem"] if chain else [])]
        # openssl counts serial numbers in a file, so one reply is made after the other.
        async with self._serial:
            (self._folder / "query").write_bytes(query)
            process = await asyncio.create_subprocess_exec(
                *("openssl", "ts", "-reply", *arguments),
                cwd=self._folder,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
            )
            if await process.wait() != 0:
                raise ValueError("not a timestamp request")
            return (self._folder / "reply").read_bytes()

    def close(self) -> None:
        """Removes keys and certificates."""
        shutil.rmtree(self._folder, ignore_errors=True)


def _root(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    # Shorter than the signer's certificate and sent behind it: the order that strict DER forbids in a set.
    return (
        _certificate("Mock timestamping root", "Mock timestamping root", key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )


def _signer(key: ec.EllipticCurvePrivateKey, root_key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    return (
        _certificate("Mock timestamping authority", "Mock timestamping root", key.public_key())
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key()),
            critical=False,
        )
        .sign(root_key, hashes.SHA256())
    )


def _certificate(subject: str, issuer: str, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    names = [x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]) for name in (subject, issuer)]
    return (
        x509.CertificateBuilder()
        .subject_name(names[0])
        .issuer_name(names[1])
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + _LIFE)
    )

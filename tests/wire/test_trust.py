"""
TLS: whom a connection to an agency trusts, and as whom we present ourselves.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from adapters.errors import AgencyError, AgencyFault
from adapters.wire.engine import Engine
from adapters.wire.port import Port, Reply
from adapters.wire.tls import Trust

pytestmark = pytest.mark.anyio

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello"


class Authority:
    """A certificate authority of one test."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self._certificate = (
            self._builder(self._name, self._key)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(self._key, hashes.SHA256())
        )
        self.roots = folder / f"{name}.pem"
        self.roots.write_bytes(self._certificate.public_bytes(serialization.Encoding.PEM))

    def issue(self, name: str) -> Path:
        """A certificate for 127.0.0.1 with its key in one file."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = (
            self._builder(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]), key)
            .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        path = self._folder / f"{name}.pem"
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM) + private)
        return path

    def _builder(self, name: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
        )


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """The authority that the agency's certificate is from."""
    return Authority(tmp_path, "government")


@asynccontextmanager
async def agency(identity: Path, *, clients: Path | None = None) -> AsyncIterator[str]:
    """A TLS server; with `clients`, it demands a certificate from that authority."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(identity)
    if clients:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(clients)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(OK)
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context)
    try:
        yield f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


async def send(address: str, trust: Trust | None) -> Reply:
    """One request."""
    port = Port(Engine(connections=1, https_only=True, trust=trust))
    try:
        until = asyncio.get_running_loop().time() + 5
        return await port.send(httpx.URL(address), [], b"", until)
    finally:
        await port.aclose()


async def test_an_agency_with_a_certificate_from_a_named_root_is_spoken_to(authority: Authority) -> None:
    """The government network has its own authority."""
    async with agency(authority.issue("agency")) as address:
        reply = await send(address, Trust(roots=authority.roots))

    assert (reply.status, reply.body) == (200, b"hello")


async def test_an_agency_that_cannot_prove_itself_is_a_fault_and_not_asked_again(authority: Authority) -> None:
    """An operator has to look; trying again would not help."""
    identity = authority.issue("agency")
    async with agency(identity) as address:
        with pytest.raises(AgencyFault) as caught:
            await send(address, None)

    assert caught.value.repeatable is False


async def test_we_present_our_own_certificate_where_it_is_demanded(authority: Authority, tmp_path: Path) -> None:
    """And are turned away without it."""
    identity = authority.issue("agency")
    courts = Authority(tmp_path, "courts")
    ours = courts.issue("court")
    async with agency(identity, clients=courts.roots) as address:
        reply = await send(address, Trust(roots=authority.roots, identity=ours))
        with pytest.raises(AgencyError):
            await send(address, Trust(roots=authority.roots))

    assert reply.status == 200

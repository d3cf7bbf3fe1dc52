"""
TLS: whom a connection to an agency trusts, and as whom we present ourselves.
"""

import asyncio
import contextlib
import os
import socket
import ssl
import struct
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from adapters.errors import AgencyFault, AgencyUnreachable, CredentialsRejected
from adapters.wire.reqwest_transport import ReqwestTransport
from adapters.wire.tls import Trust
from adapters.wire.transport import AgencyTransport, WireResponse
from schemas.codes import Reason
from tests.wire.certificates import Authority

pytestmark = pytest.mark.anyio

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello"


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """The authority that the agency's certificate is from."""
    return Authority(tmp_path, "government")


@asynccontextmanager
async def agency(identity: Path, *, newest: ssl.TLSVersion | None = None) -> AsyncIterator[str]:
    """A TLS server; `newest` is the newest version that it speaks."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(identity)
    if newest:
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = context.maximum_version = newest

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(OK)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context)
    try:
        yield f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


@contextmanager
def strict_agency(identity: Path, clients: Path, version: ssl.TLSVersion) -> Iterator[str]:
    """A server that demands a certificate of an authority, and says what is wrong with ours."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(identity)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(clients)
    context.minimum_version = context.maximum_version = version

    def answer(one: ssl.SSLSocket) -> None:
        try:
            one.do_handshake()
            one.recv(65_536)
            one.sendall(OK)
        except OSError:
            # What the client has sent already is read to its end: closing over it would cut off what it is told.
            while os.read(one.fileno(), 65_536):
                pass

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                accepted, _ = listener.accept()
                accepted.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", 5, 0))
                wrapped = context.wrap_socket(accepted, server_side=True, do_handshake_on_connect=False)
                with contextlib.suppress(OSError), wrapped as one:
                    answer(one)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        yield f"https://127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(2)
        thread.join()


async def send(address: str, trust: Trust | None, resolve: tuple[str, str] | None = None) -> WireResponse:
    """One request."""
    port = AgencyTransport(ReqwestTransport(connections=1, https_only=True, trust=trust, resolve=resolve))
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


@pytest.mark.parametrize("fault", ["another issuer", "self-signed", "expired", "not yet valid", "another name"])
async def test_an_agency_that_cannot_prove_itself_is_unavailable_and_not_asked_again(
    authority: Authority, tmp_path: Path, fault: str
) -> None:
    """An operator has to look; trying again would not help, and nothing was sent."""
    identity = {
        "another issuer": lambda: Authority(tmp_path, "other").issue("agency"),
        "self-signed": lambda: Authority(tmp_path, "agency").identity(),
        "expired": lambda: authority.issue("agency", days=(-3, -1)),
        "not yet valid": lambda: authority.issue("agency", days=(1, 3)),
        "another name": lambda: authority.issue("agency", address="127.0.0.9"),
    }[fault]()
    async with agency(identity) as address:
        with pytest.raises(AgencyFault) as caught:
            await send(address, Trust(roots=authority.roots))

    assert (caught.value.reason, caught.value.repeatable) == (Reason.CERTIFICATE, False)
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)


async def test_with_roots_of_its_own_an_agency_is_not_proved_by_the_system_s(
    authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An authority of the public network cannot vouch for an agency, unless the configuration says so."""
    public = Authority(tmp_path, "public")
    monkeypatch.setenv("SSL_CERT_FILE", str(public.roots))
    own, both = Trust(roots=authority.roots), Trust(roots=authority.roots, system_roots=True)
    async with agency(public.issue("agency")) as address, agency(authority.issue("other")) as other:
        accepted = [(await send(where, trust)).status for where, trust in ((address, None), (address, both))]
        accepted += [(await send(other, trust)).status for trust in (own, both)]
        for where, trust in ((address, own), (other, None)):
            with pytest.raises(AgencyFault):
                await send(where, trust)

    assert accepted == [200, 200, 200, 200]
    assert os.environ["SSL_CERT_FILE"] == str(public.roots)


async def test_the_system_s_roots_are_as_before_when_a_client_is_built(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What stands in the environment is the operator's."""
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.setenv("SSL_CERT_DIR", "/nonexistent")

    await ReqwestTransport(connections=1, https_only=True, trust=Trust(roots=authority.roots)).aclose()

    assert {name: os.environ.get(name) for name in ("SSL_CERT_FILE", "SSL_CERT_DIR")} == {
        "SSL_CERT_FILE": None,
        "SSL_CERT_DIR": "/nonexistent",
    }


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_we_present_our_own_certificate_where_it_is_demanded(
    authority: Authority, tmp_path: Path, version: ssl.TLSVersion
) -> None:
    """With a stranger's, with one out of its time or with none we are turned away, and know that it is ours."""
    courts = Authority(tmp_path, "courts")
    ours, late = courts.issue("court"), courts.issue("late", days=(-3, -1))
    stranger = Authority(tmp_path, "strangers").issue("stranger")
    with strict_agency(authority.issue("agency"), courts.roots, version) as address:
        reply = await send(address, Trust(roots=authority.roots, identity=ours))
        for identity in (stranger, late, None):
            # TLS 1.2 has no word for a certificate that is missing.
            unnamed = identity is None and version is ssl.TLSVersion.TLSv1_2
            with pytest.raises(AgencyUnreachable if unnamed else CredentialsRejected):
                await send(address, Trust(roots=authority.roots, identity=identity))

    assert reply.status == 200


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
async def test_an_agency_that_speaks_only_an_old_tls_is_not_spoken_to(authority: Authority) -> None:
    """TLS 1.2 is the oldest; a client that allows 1.1 shows that the server is up."""
    lenient = ssl.create_default_context(cafile=str(authority.roots))
    lenient.set_ciphers("ALL:@SECLEVEL=0")
    lenient.minimum_version = ssl.TLSVersion.TLSv1_1
    async with agency(authority.issue("agency"), newest=ssl.TLSVersion.TLSv1_1) as address:
        url = httpx.URL(address)
        _, writer = await asyncio.open_connection(url.host, url.port, ssl=lenient)
        writer.close()
        with pytest.raises(AgencyUnreachable) as caught:
            await send(address, Trust(roots=authority.roots))

    assert caught.value.sent is False


async def test_a_host_may_have_its_address_from_the_configuration(authority: Authority) -> None:
    """Then no name server is asked, and the certificate must still be for the name."""
    async with agency(authority.issue("agency", name="agency.example")) as address:
        named = address.replace("127.0.0.1", "agency.example")
        reply = await send(named, Trust(roots=authority.roots), ("agency.example", "127.0.0.1"))
        with pytest.raises(AgencyFault):
            await send(
                address.replace("127.0.0.1", "other.example"),
                Trust(roots=authority.roots),
                ("other.example", "127.0.0.1"),
            )

    assert reply.status == 200


def test_the_end_of_certificates_is_known(authority: Authority, tmp_path: Path) -> None:
    """The next to end in each file; of those that have all ended, the last."""
    courts = Authority(tmp_path, "courts")
    ours, late = courts.issue("court", days=(-1, 20)), courts.issue("late", days=(-3, -1))
    bundle = tmp_path / "bundle.pem"
    bundle.write_bytes(b"".join(path.read_bytes() for path in (late, ours, authority.roots)))

    def days(trust: Trust) -> list[tuple[str, int]]:
        return [(one.file, round((one.expires_at - authority.now) / timedelta(days=1))) for one in trust.expiries()]

    assert days(Trust(roots=authority.roots, identity=ours)) == [("roots", 30), ("identity", 20)]
    assert days(Trust(roots=bundle, identity=late)) == [("roots", 20), ("identity", -1)]
    assert days(Trust()) == []

"""
The hub's own TLS, and the client certificates of its connections, to which access tokens may be bound (RFC 8705).

Only the handshake of the connection counts; headers about certificates are ignored.
"""

import asyncio
import base64
import hashlib
import ssl
from collections.abc import Mapping
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from adapters.errors import ConfigurationError
from audit.durable_files import readable_by_others
from gateway.settings import Settings


class ClientCertificates(HttpToolsProtocol):
    """
    uvicorn's protocol, with the client's certificate in the scope of every request, as in ASGI's TLS extension.

    uvicorn does not set it yet (uvicorn pull request 3132).
    """

    _certificates: tuple[str, ...] = ()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Notes the client certificate, which TLS has verified."""
        super().connection_made(transport)
        connection = transport.get_extra_info("ssl_object")
        certificate = None if connection is None else connection.getpeercert(binary_form=True)
        if certificate is not None:
            self._certificates = (ssl.DER_cert_to_PEM_cert(certificate),)

    def on_message_begin(self) -> None:
        """Begins the scope of a request."""
        super().on_message_begin()
        if self._certificates:
            self.scope["extensions"] = {"tls": {"client_cert_chain": self._certificates}}


def thumbprint(scope: Mapping[str, Any]) -> str | None:
    """The RFC 8705 thumbprint of the client certificate of this connection, or None."""
    chain = scope.get("extensions", {}).get("tls", {}).get("client_cert_chain")
    if not chain:
        return None
    digest = hashlib.sha256(ssl.PEM_cert_to_DER_cert(chain[0])).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def tls_context(settings: Settings) -> ssl.SSLContext | None:
    """
    The TLS context of the hub itself, or None behind a proxy.  Raises `ConfigurationError`.

    With `tls_client_ca` every client is asked for a certificate: an invalid one ends the handshake, and without one the
    client may still call with an unbound token.
    """
    if settings.tls_certificate is None or settings.tls_key is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    loaded = False
    try:
        exposed = readable_by_others(settings.tls_key)
        context.load_cert_chain(settings.tls_certificate, settings.tls_key, password=_no_password)
        if settings.tls_client_ca is not None:
            context.load_verify_locations(settings.tls_client_ca)
            context.verify_mode = ssl.CERT_OPTIONAL
        loaded = True
    except (OSError, ValueError):
        pass
    if not loaded:
        raise ConfigurationError(
            "SHUNIU_TLS_CERTIFICATE, SHUNIU_TLS_KEY, SHUNIU_TLS_CLIENT_CA: could not be loaded; name PEM files, the "
            "key without a password and belonging to the certificate"
        )
    if exposed:
        raise ConfigurationError(f"{settings.tls_key}: others can read this key; run: chmod 600 {settings.tls_key}")
    return context


def _no_password() -> str:
    # Without this OpenSSL would prompt at the terminal.
    return ""

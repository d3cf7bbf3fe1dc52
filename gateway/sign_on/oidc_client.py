"""
An OIDC client: bounded JSON answers, from the issuer's own origin only.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx
from joserfc.errors import JoseError, SecurityWarning

from adapters.errors import ConfigurationError

MAX_DOCUMENT_BYTES = 262_144
FETCH_SECONDS = 5.0

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
DEFAULT_PORTS = {"http": 80, "https": 443}

# The errors that an unexpected document can cause.
UNTRUSTED = (
    httpx.HTTPError,
    JoseError,
    SecurityWarning,
    TimeoutError,
    ValueError,
    TypeError,
    KeyError,
    AttributeError,
    RecursionError,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoints:
    """
    The endpoints of sign-ins, by discovery.  `names_itself`: answers carry `iss` (RFC 9207).
    """

    authorization: str
    token: str
    names_itself: bool


class OidcClient:
    """
    The client of one sign-on server.  Follows no redirects, uses no proxy of the environment, bounds every answer.

    Every method raises one of `UNTRUSTED`, whose text may quote the answer: catch it, and raise an error of ours.
    """

    def __init__(self, address: str, *, transport: httpx.AsyncBaseTransport | None = None) -> None:
        _require_trustworthy(address)
        self.address = address
        self._http = httpx.AsyncClient(
            transport=transport, timeout=FETCH_SECONDS, follow_redirects=False, trust_env=False
        )

    async def published(self) -> tuple[dict[str, Any], Any]:
        """The discovery document, and the list of keys that it names."""
        discovered = await self._answer("GET", f"{self.address.rstrip('/')}/.well-known/openid-configuration")
        if discovered["issuer"] != self.address:
            raise ValueError("discovery is another issuer's")
        return discovered, (await self._answer("GET", self.own(discovered["jwks_uri"])))["keys"]

    def endpoints(self, discovered: Mapping[str, Any]) -> Endpoints:
        """The endpoints for sign-ins and for the exchange of codes."""
        return Endpoints(
            authorization=self.own(discovered["authorization_endpoint"]),
            token=self.own(discovered["token_endpoint"]),
            names_itself=discovered.get("authorization_response_iss_parameter_supported") is True,
        )

    async def exchange(self, address: str, form: Mapping[str, str]) -> dict[str, Any] | None:
        """The tokens for a code, or None if the server refuses it."""
        answer = await self._answer("POST", address, form=form, refusals=(400, 401))
        if answer is not None and not isinstance(answer, dict):
            raise ValueError("not a token response")
        return answer

    def own(self, address: str) -> str:
        """The address itself, if its origin is the issuer's; raises `ValueError` otherwise."""
        if _origin(address) != _origin(self.address):
            raise ValueError("discovery leads away from the issuer")
        return address

    async def aclose(self) -> None:
        """Closes the connections."""
        await self._http.aclose()

    async def _answer(
        self, method: str, address: str, *, form: Mapping[str, str] | None = None, refusals: tuple[int, ...] = ()
    ) -> Any:
        body = bytearray()
        headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
        async with self._http.stream(method, address, headers=headers, data=form) as answer:
            if answer.status_code in refusals:
                return None
            if answer.status_code != httpx.codes.OK or answer.headers.get("content-encoding", "identity") != "identity":
                raise ValueError("not a plain answer")
            async for piece in answer.aiter_bytes():
                body += piece
                if len(body) > MAX_DOCUMENT_BYTES:
                    raise ValueError("answer too large")
        return json.loads(body)


def _origin(address: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(address)
    return parts.scheme, parts.hostname, parts.port or DEFAULT_PORTS.get(parts.scheme)


def _require_trustworthy(address: str) -> None:
    parts = urlsplit(address)
    if parts.scheme == "https" and parts.hostname and not parts.query and not parts.fragment:
        return
    if parts.scheme == "http" and parts.hostname in LOOPBACK:
        return
    raise ConfigurationError(
        "SHUNIU_SIGN_ON_ISSUER: keys must not travel in clear; give the issuer's https:// address as its discovery "
        "document spells it (http:// is for a sign-on server on this machine only)"
    )

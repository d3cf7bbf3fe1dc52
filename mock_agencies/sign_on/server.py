"""
The endpoints: discovery, authorization, token, keys; and a control API for demo and tests, on loopback only.
"""

import base64
import hashlib
import json
import ssl
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from mock_agencies.sign_on.assertions import AssertionVerifier
from mock_agencies.sign_on.authorizations import AuthorizationCodes, client_of, request_of, scopes_of
from mock_agencies.sign_on.directory import ACR, CLIENTS, LOOPBACK, STAFF
from mock_agencies.sign_on.errors import OAuthError
from mock_agencies.sign_on.issuing import ALGORITHM, KeyRing, TokenIssuer
from mock_agencies.sign_on.page import refusal_page, sign_in_page

LARGEST_BODY = 16_384
NO_STORE = {"Cache-Control": "no-store"}

Endpoint = Callable[[Request], Awaitable[Response]]


def create(base_address: str, *, clock: Callable[[], float] = time.time) -> Starlette:
    """
    The sign-on server whose issuer is `base_address`.  Every call makes new signing keys.
    """
    server = SignOnServer(base_address.rstrip("/"), clock)
    return Starlette(
        routes=[
            Route("/.well-known/openid-configuration", server.counted("discovery", server.discovery)),
            Route("/authorize", server.counted("authorize", server.authorize), methods=["GET", "POST"]),
            Route("/token", server.counted("token", server.token), methods=["POST"]),
            Route("/jwks", server.counted("jwks", server.jwks)),
            Route("/_control/token", server.control(server.control_token), methods=["POST"]),
            Route("/_control/rotate", server.control(server.control_rotate), methods=["POST"]),
            Route("/_control/ledger", server.control(server.control_ledger)),
        ],
        exception_handlers={OAuthError: _refused},
    )


class SignOnServer:
    """
    One running sign-on server.  Codes, spent assertions and keys live in memory and die with it.
    """

    def __init__(self, issuer: str, clock: Callable[[], float]) -> None:
        self._issuer = issuer
        self._clock = clock
        self._ring = KeyRing()
        self._office = TokenIssuer(issuer, self._ring, clock)
        self._codes = AuthorizationCodes(clock)
        self._desk = AssertionVerifier(frozenset({issuer, f"{issuer}/token"}), clock)
        self._ledger: Counter[str] = Counter()

    async def discovery(self, _request: Request) -> Response:
        """OpenID Connect Discovery, section 3."""
        return JSONResponse(
            {
                "issuer": self._issuer,
                "authorization_endpoint": f"{self._issuer}/authorize",
                "token_endpoint": f"{self._issuer}/token",
                "jwks_uri": f"{self._issuer}/jwks",
                "response_types_supported": ["code"],
                "response_modes_supported": ["query"],
                "grant_types_supported": ["authorization_code", "client_credentials"],
                "subject_types_supported": ["public"],
                "acr_values_supported": list(ACR),
                "scopes_supported": sorted({scope for client in CLIENTS.values() for scope in client.scopes}),
                "id_token_signing_alg_values_supported": [ALGORITHM],
                "token_endpoint_auth_methods_supported": ["private_key_jwt", "none"],
                "token_endpoint_auth_signing_alg_values_supported": ["ES256"],
                "code_challenge_methods_supported": ["S256"],
                "prompt_values_supported": ["login", "select_account"],
                "authorization_response_iss_parameter_supported": True,
                "tls_client_certificate_bound_access_tokens": True,
            }
        )

    async def jwks(self, _request: Request) -> Response:
        """The published keys (RFC 7517)."""
        return JSONResponse(self._ring.published(), media_type="application/jwk-set+json")

    async def authorize(self, request: Request) -> Response:
        """Shows the page, and with a chosen person sends the browser back with a code."""
        try:
            form = await _form(request) if request.method == "POST" else _fields(request.url.query)
            _client, return_to = client_of(form)
        except OAuthError as error:
            return refusal_page(error)
        try:
            wanted = request_of(form)
        except OAuthError as error:
            return self._back(return_to, error.members(), form.get("state"))
        person = STAFF.get(form.get("user", ""))
        if request.method == "GET" or person is None:
            return sign_in_page(wanted, form)
        return self._back(return_to, {"code": self._codes.issue(wanted, person)}, wanted.state)

    async def token(self, request: Request) -> Response:
        """Exchanges a code, or a service's assertion, for tokens."""
        form = await _form(request)
        match form.get("grant_type"):
            case "authorization_code":
                self._require_proof(form)
                grant = self._codes.redeem(form)
                wanted = grant.request
                tokens = self._office.for_staff(grant.person, wanted.client, wanted.scopes, wanted.nonce, wanted.acr)
            case "client_credentials":
                client = self._desk.client(form)
                if not client.is_service:
                    raise OAuthError("unauthorized_client", "this client does not act for itself")
                tokens = self._office.for_service(client, scopes_of(client, form), _thumbprint(request))
            case _:
                raise OAuthError("unsupported_grant_type", "authorization_code or client_credentials")
        return JSONResponse(tokens, headers=NO_STORE)

    def _require_proof(self, form: Mapping[str, str]) -> None:
        client = CLIENTS.get(form.get("client_id", ""))
        if client is not None and client.confidential:
            self._desk.client(form)

    async def control_token(self, request: Request) -> Response:
        """
        The token that `{"user": …}` or `{"client": …}` would have got by the normal way `age` seconds ago; a client's
        is bound to the certificate with this `thumbprint`, if one is given.
        """
        order = await _object(request)
        person, client = STAFF.get(str(order.get("user"))), CLIENTS.get(str(order.get("client")))
        age = float(order.get("age", 0))
        office = TokenIssuer(self._issuer, self._ring, lambda: self._clock() - age)
        if person is not None:
            through = CLIENTS["shuniu-pages"]
            tokens = office.for_staff(person, through, through.scopes)
        elif client is not None and client.is_service:
            tokens = office.for_service(client, client.scopes, order.get("thumbprint"))
        else:
            raise OAuthError("invalid_request", "name a known user or a service client")
        return JSONResponse(tokens, headers=NO_STORE)

    async def control_rotate(self, request: Request) -> Response:
        """Changes the signing key; `{"withdraw": true}` unpublishes the older ones at once."""
        order = await _object(request)
        return JSONResponse({"kid": self._ring.rotate(withdraw=order.get("withdraw") is True)})

    async def control_ledger(self, _request: Request) -> Response:
        """The number of requests of each operation."""
        return JSONResponse(dict(self._ledger))

    def counted(self, operation: str, endpoint: Endpoint) -> Endpoint:
        """Notes every request of the operation in the ledger."""

        async def count(request: Request) -> Response:
            self._ledger[operation] += 1
            return await endpoint(request)

        return count

    def control(self, endpoint: Endpoint) -> Endpoint:
        """Opens the endpoint to callers on this machine only."""

        async def guard(request: Request) -> Response:
            if request.client is None or request.client.host not in LOOPBACK:
                return JSONResponse({"error": "access_denied"}, 403)
            return await endpoint(request)

        return guard

    def _back(self, return_to: str, members: Mapping[str, str], state: str | None) -> Response:
        # `iss` keeps a client of several servers from being confused about which one answered (RFC 9207).
        answer = {**members, **({"state": state} if state is not None else {}), "iss": self._issuer}
        return RedirectResponse(f"{return_to}?{urlencode(answer)}", 303, headers=NO_STORE)


def _thumbprint(request: Request) -> str | None:
    """The thumbprint of the certificate that the client shows on this connection (RFC 8705, section 3.1), or None."""
    chain = request.scope.get("extensions", {}).get("tls", {}).get("client_cert_chain", ())
    digests = [hashlib.sha256(ssl.PEM_cert_to_DER_cert(shown)).digest() for shown in chain[:1]]
    return next((base64.urlsafe_b64encode(digest).rstrip(b"=").decode() for digest in digests), None)


async def _refused(_request: Request, error: Exception) -> Response:
    assert isinstance(error, OAuthError)
    return JSONResponse(error.members(), error.status, headers=NO_STORE)


async def _form(request: Request) -> dict[str, str]:
    body = await request.body()
    if not request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        raise OAuthError("invalid_request", "the body must be application/x-www-form-urlencoded")
    if len(body) > LARGEST_BODY or not body.isascii():
        raise OAuthError("invalid_request", "the body is too large or not URL-encoded")
    return _fields(body.decode("ascii"))


def _fields(encoded: str) -> dict[str, str]:
    pairs = parse_qsl(encoded, keep_blank_values=True)
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise OAuthError("invalid_request", "a parameter is repeated")
    return fields


async def _object(request: Request) -> dict[str, Any]:
    body = await request.body()
    try:
        document = json.loads(body or b"{}")
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise OAuthError("invalid_request", "the body must be a JSON object")
    return document

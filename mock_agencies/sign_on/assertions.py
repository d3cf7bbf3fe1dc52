"""
Client authentication by a signed assertion (private_key_jwt: RFC 7523, OpenID Connect Core section 9).
"""

import json
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from joserfc import jws, jwt
from joserfc.errors import JoseError

from mock_agencies.sign_on.directory import CLIENTS, RegisteredClient, client_key
from mock_agencies.sign_on.errors import OAuthError

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
LONGEST_SECONDS = 300
SKEW_SECONDS = 30


def make_assertion(client: str, audience: str, *, now: float | None = None, **changes: Any) -> str:
    """
    The assertion by which a synthetic service authenticates at `audience`; `changes` replace claims, for attacks.
    """
    at = int(time.time() if now is None else now)
    claims = {"iss": client, "sub": client, "aud": audience, "iat": at, "exp": at + 60, "jti": secrets.token_hex(16)}
    return jwt.encode({"alg": "ES256", "typ": "JWT", "kid": client}, claims | changes, client_key(client))


@dataclass(slots=True)
class AssertionVerifier:
    """
    Checks assertions: signature, issuer, subject, audience, life and that none is shown twice.
    """

    audiences: frozenset[str]
    clock: Callable[[], float]
    seen: dict[tuple[str, str], float] = field(default_factory=dict)
    """Assertion ids until they expire; kept here alone, so that a replay is found whatever its route."""

    def client(self, form: Mapping[str, str]) -> RegisteredClient:
        """The client that authenticates in this form.  Raises `OAuthError` with `invalid_client`."""
        if form.get("client_assertion_type") != ASSERTION_TYPE or "client_assertion" not in form:
            raise _refused("a client assertion of type jwt-bearer is required")
        claims = self._claims(form["client_assertion"])
        client = CLIENTS[claims["sub"]]
        if form.get("client_id", client.id) != client.id:
            raise _refused("client_id differs from the assertion's subject")
        self._check_life(claims)
        self._spend(client.id, claims)
        return client

    def _claims(self, assertion: str) -> dict[str, Any]:
        failed = False
        claims: dict[str, Any] = {}
        try:
            # The key is that of the client which the claims name; every client has one, so that a key id says nothing.
            named = _named(jws.extract_compact(assertion.encode()).payload)
            claims = jwt.decode(assertion, client_key(named), ["ES256"]).claims
        except (JoseError, ValueError, TypeError, KeyError):
            failed = True
        if failed:
            raise _refused("the assertion is not signed by a known client")
        audience = claims.get("aud")
        shown = set(audience) if isinstance(audience, list) else {audience}
        if claims.get("iss") != claims["sub"] or not shown & self.audiences:
            raise _refused("iss and sub must be the client, aud this server")
        return claims

    def _check_life(self, claims: Mapping[str, Any]) -> None:
        now = self.clock()
        expires, since = claims.get("exp"), claims.get("nbf", 0)
        if not isinstance(expires, int) or not isinstance(since, int):
            raise _refused("exp is required, and times are whole seconds")
        if not now - SKEW_SECONDS < expires <= now + LONGEST_SECONDS + SKEW_SECONDS or since > now + SKEW_SECONDS:
            raise _refused("the assertion is expired, not yet valid, or valid for longer than five minutes")

    def _spend(self, client: str, claims: Mapping[str, Any]) -> None:
        now = self.clock()
        self.seen = {shown: expires for shown, expires in self.seen.items() if expires + SKEW_SECONDS > now}
        jti = claims.get("jti")
        if not isinstance(jti, str) or not jti:
            raise _refused("jti is required")
        if (client, jti) in self.seen:
            raise _refused("the assertion was shown before")
        self.seen[client, jti] = claims["exp"]


def _named(payload: bytes) -> str:
    client = json.loads(payload)["sub"]
    if client in CLIENTS and CLIENTS[client].has_key:
        return str(client)
    raise ValueError("unknown client")


def _refused(description: str) -> OAuthError:
    return OAuthError("invalid_client", description, status=401)

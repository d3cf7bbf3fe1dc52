"""
The authorization code flow: what a client may ask for, and codes that work once (RFC 6749, 7636, 9700).
"""

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from mock_agencies.sign_on.directory import ACR, CLIENTS, RegisteredClient, Staff
from mock_agencies.sign_on.errors import OAuthError

CODE_SECONDS = 60
CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizationRequest:
    """A valid request to sign a person in, by the class of authentication `acr`."""

    client: RegisteredClient
    return_to: str
    scopes: tuple[str, ...]
    challenge: str
    state: str | None
    nonce: str | None
    acr: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizationGrant:
    """The meaning of an authorization code, until it is used or `expires_at` (Unix time)."""

    request: AuthorizationRequest
    person: Staff
    expires_at: float


def client_of(form: Mapping[str, str]) -> tuple[RegisteredClient, str]:
    """
    The client and the address to return to.  An `OAuthError` here is shown on a page, without a redirect.
    """
    client = CLIENTS.get(form.get("client_id", ""))
    return_to = form.get("redirect_uri", "")
    if client is None or not client.may_return_to(return_to):
        raise OAuthError("invalid_request", "unknown client_id, or redirect_uri not registered for it")
    return client, return_to


def request_of(form: Mapping[str, str]) -> AuthorizationRequest:
    """A checked request.  Raises `OAuthError`, which may be told to the client's own address."""
    client, return_to = client_of(form)
    if form.get("response_type") != "code":
        raise OAuthError("unsupported_response_type", "response_type must be code")
    if form.get("code_challenge_method") != "S256" or not CHALLENGE.fullmatch(form.get("code_challenge", "")):
        raise OAuthError("invalid_request", "PKCE is required: code_challenge with code_challenge_method S256")
    if "none" in form.get("prompt", "").split():
        raise OAuthError("login_required", "this server keeps no session of its own")
    return AuthorizationRequest(
        client=client,
        return_to=return_to,
        scopes=scopes_of(client, form),
        challenge=form["code_challenge"],
        state=form.get("state"),
        nonce=form.get("nonce"),
        # A wish and no condition (OpenID Connect Core, section 3.1.2.1): what was done stands in the ID token.
        acr=next((acr for acr in form.get("acr_values", "").split() if acr in ACR), ACR[0]),
    )


def scopes_of(client: RegisteredClient, form: Mapping[str, str]) -> tuple[str, ...]:
    """The scopes asked for, all of the client's without any.  Raises `OAuthError`."""
    scopes = tuple(dict.fromkeys(form.get("scope", "").split())) or client.scopes
    if not set(scopes) <= set(client.scopes):
        raise OAuthError("invalid_scope", "a scope is not registered for this client")
    return scopes


@dataclass(slots=True)
class AuthorizationCodes:
    """
    Authorization codes that wait to be exchanged.
    """

    clock: Callable[[], float]
    waiting: dict[str, AuthorizationGrant] = field(default_factory=dict)

    def issue(self, request: AuthorizationRequest, person: Staff) -> str:
        """A new code for this person and request."""
        now = self.clock()
        self.waiting = {code: grant for code, grant in self.waiting.items() if grant.expires_at > now}
        code = secrets.token_urlsafe(32)
        self.waiting[code] = AuthorizationGrant(request=request, person=person, expires_at=now + CODE_SECONDS)
        return code

    def redeem(self, form: Mapping[str, str]) -> AuthorizationGrant:
        """
        Exchanges a code, once: the first attempt spends it, also a wrong one.  Raises `OAuthError` (`invalid_grant`).
        """
        grant = self.waiting.pop(form.get("code", ""), None)
        if (
            grant is None
            or grant.expires_at <= self.clock()
            or form.get("client_id") != grant.request.client.id
            or form.get("redirect_uri") != grant.request.return_to
            or not _proves(form.get("code_verifier", ""), grant.request.challenge)
        ):
            raise OAuthError("invalid_grant", "the code is spent or expired, or was issued for another request")
        return grant


def _proves(verifier: str, challenge: str) -> bool:
    if not VERIFIER.fullmatch(verifier):
        return False
    digest = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=")
    return hmac.compare_digest(digest, challenge.encode())

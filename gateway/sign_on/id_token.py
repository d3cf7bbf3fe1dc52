"""
What an ID token says of a person: who, how they authenticated, and when (OpenID Connect Core, sections 2 and 3.1.3.7).
"""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gateway.sign_on.caller import SKEW_SECONDS, check_standard_claims, instant, text
from gateway.sign_on.errors import NotSignedIn, SignInFailed, SignInRule, SignInStep


@dataclass(frozen=True, slots=True, kw_only=True)
class IdTokenRequirements:
    """
    The requirements of a sign-in: the client that people use, the accepted classes of authentication in order of
    preference (none: any), and the seconds since the person authenticated, at most.
    """

    client: str
    acr: tuple[str, ...]
    max_age: int


@dataclass(frozen=True, slots=True, kw_only=True)
class IdTokenIdentity:
    """The person who authenticated, and the class and methods of authentication that the server names."""

    user: str
    acr: str
    methods: tuple[str, ...]


def identity_from_claims(
    claims: Mapping[str, Any], requirements: IdTokenRequirements, *, issuer: str, nonce: str, now: float
) -> IdTokenIdentity:
    """
    The person that an authentic ID token describes.  Raises `NotSignedIn`, `SignInFailed`.
    """
    check_standard_claims(claims, issuer=issuer, audience=requirements.client, now=now)
    _check_party(claims, requirements.client)
    if not hmac.compare_digest(text(claims, "nonce").encode(), nonce.encode()):
        raise NotSignedIn(SignInRule.MALFORMED)
    acr = claims.get("acr", "")
    if not isinstance(acr, str) or (requirements.acr and acr not in requirements.acr):
        raise SignInFailed(SignInStep.TOO_WEAK)
    authenticated_at = instant(claims, "auth_time")
    if authenticated_at > now + SKEW_SECONDS:
        raise NotSignedIn(SignInRule.NOT_YET_VALID)
    if now - authenticated_at > requirements.max_age + SKEW_SECONDS:
        raise SignInFailed(SignInStep.TOO_OLD)
    return IdTokenIdentity(user=text(claims, "sub"), acr=acr, methods=_methods(claims.get("amr", [])))


def _check_party(claims: Mapping[str, Any], client: str) -> None:
    # A token for several audiences must name the client that it was issued to; if it does, that must be us.
    shared = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
    if claims.get("azp", None if shared else client) != client:
        raise NotSignedIn(SignInRule.WRONG_AUDIENCE)


def _methods(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(method, str) for method in value):
        raise NotSignedIn(SignInRule.MALFORMED)
    return tuple(value)

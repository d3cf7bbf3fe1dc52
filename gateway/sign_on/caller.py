"""
A recognised caller, and what a token must say to make one.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway.sign_on.errors import NotSignedIn, SignInRule

# Clocks of court and hub may differ by this much, either way.
SKEW_SECONDS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """
    Who calls, by a valid access token.  A service acts for itself: its `user` is its `client`.

    `expires_at` is Unix time in seconds.  The name is personal: `repr` does not show it.
    """

    user: str
    client: str
    court: str
    name: str = field(repr=False)
    unit: str
    roles: frozenset[str]
    scopes: frozenset[str]
    expires_at: float
    token_id: str


def caller_of(claims: Mapping[str, Any], *, issuer: str, audience: str, now: float) -> Caller:
    """
    The caller whom the claims of an authentic token describe.  Raises `NotSignedIn`.
    """
    if claims.get("iss") != issuer:
        raise NotSignedIn(SignInRule.WRONG_ISSUER)
    named = claims.get("aud")
    if audience not in (named if isinstance(named, list) else [named]):
        raise NotSignedIn(SignInRule.WRONG_AUDIENCE)
    expires_at = _instant(claims, "exp")
    if now >= expires_at + SKEW_SECONDS:
        raise NotSignedIn(SignInRule.EXPIRED)
    starts_at = max(_instant(claims, "iat"), _instant(claims, "nbf") if "nbf" in claims else -math.inf)
    if now < starts_at - SKEW_SECONDS:
        raise NotSignedIn(SignInRule.NOT_YET_VALID)
    return Caller(
        user=_text(claims, "sub"),
        client=_text(claims, "client_id"),
        court=_text(claims, "court"),
        name=_text(claims, "name"),
        unit=_text(claims, "unit"),
        roles=_words(claims.get("roles", [])),
        scopes=_words(claims.get("scope", "").split() if isinstance(claims.get("scope", ""), str) else None),
        expires_at=expires_at,
        token_id=_text(claims, "jti"),
    )


def _instant(claims: Mapping[str, Any], name: str) -> float:
    # Not a number would be later than nothing and earlier than nothing: such a token would never expire.
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise NotSignedIn(SignInRule.CLAIM_MISSING if value is None else SignInRule.MALFORMED)
    return value


def _text(claims: Mapping[str, Any], name: str) -> str:
    value = claims.get(name)
    if not isinstance(value, str) or not value:
        raise NotSignedIn(SignInRule.CLAIM_MISSING)
    return value


def _words(value: Any) -> frozenset[str]:
    if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
        raise NotSignedIn(SignInRule.MALFORMED)
    return frozenset(value)

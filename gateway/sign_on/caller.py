"""
An authenticated caller, built from the claims of an access token.
"""

import math
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from audit.format.event import Actor
from gateway.sign_on.errors import NotSignedIn, SignInRule

# The clocks of court and hub may differ by this much, either way.
SKEW_SECONDS = 30

# SHA-256 in base64url without padding (RFC 8705, section 3.1).
THUMBPRINT = re.compile(r"[A-Za-z0-9_-]{43}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """
    The caller behind a valid access token.  A service acts for itself: its `user` is its `client`.

    `expires_at` is Unix time in seconds.  `bound_to` is the thumbprint of the certificate to which the token is bound.
    The name is personal: `repr` does not show it.
    """

    user: str
    client: str
    court: str
    name: str = field(repr=False)
    unit: str
    scopes: frozenset[str]
    expires_at: float
    token_id: str
    bound_to: str | None = None

    def actor(
        self, *, terminal: str | None = None, unit: str | None = None, roles: Collection[str] | None = None
    ) -> Actor:
        """The caller as the actor of an audit event; `unit` and `roles` are those of the court's tree, if known."""
        return Actor(
            user=self.user,
            name=self.name,
            client=self.client,
            court=self.court,
            unit=unit or self.unit,
            role=None if roles is None else ",".join(sorted(roles)),
            terminal=terminal,
        )


def caller_from_claims(claims: Mapping[str, Any], *, issuer: str, audience: str, now: float) -> Caller:
    """
    The caller that the claims of an authentic token describe.  Raises `NotSignedIn`.
    """
    expires_at = check_standard_claims(claims, issuer=issuer, audience=audience, now=now)
    return Caller(
        user=text(claims, "sub"),
        client=text(claims, "client_id"),
        court=text(claims, "court"),
        name=text(claims, "name"),
        unit=text(claims, "unit"),
        scopes=_words(claims.get("scope", "").split() if isinstance(claims.get("scope", ""), str) else None),
        expires_at=expires_at,
        token_id=text(claims, "jti"),
        bound_to=_thumbprint(claims.get("cnf")),
    )


def check_standard_claims(claims: Mapping[str, Any], *, issuer: str, audience: str, now: float) -> float:
    """
    Checks issuer, audience and lifetime of an authentic token; returns its expiry.  Raises `NotSignedIn`.
    """
    if claims.get("iss") != issuer:
        raise NotSignedIn(SignInRule.WRONG_ISSUER)
    named = claims.get("aud")
    if audience not in (named if isinstance(named, list) else [named]):
        raise NotSignedIn(SignInRule.WRONG_AUDIENCE)
    expires_at = instant(claims, "exp")
    if now >= expires_at + SKEW_SECONDS:
        raise NotSignedIn(SignInRule.EXPIRED)
    starts_at = max(instant(claims, "iat"), instant(claims, "nbf") if "nbf" in claims else -math.inf)
    if now < starts_at - SKEW_SECONDS:
        raise NotSignedIn(SignInRule.NOT_YET_VALID)
    return expires_at


def instant(claims: Mapping[str, Any], name: str) -> float:
    """A required point in time.  Raises `NotSignedIn`."""
    # NaN compares false with every time, so such a token would never expire.
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise NotSignedIn(SignInRule.CLAIM_MISSING if value is None else SignInRule.MALFORMED)
    return value


def text(claims: Mapping[str, Any], name: str) -> str:
    """A required text that is not empty.  Raises `NotSignedIn`."""
    value = claims.get(name)
    if not isinstance(value, str) or not value:
        raise NotSignedIn(SignInRule.CLAIM_MISSING)
    return value


def _words(value: Any) -> frozenset[str]:
    if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
        raise NotSignedIn(SignInRule.MALFORMED)
    return frozenset(value)


def _thumbprint(confirmation: Any) -> str | None:
    # A token that is bound by other means, which cannot be checked here, must not pass as an unbound one.
    if confirmation is None:
        return None
    thumbprint = confirmation.get("x5t#S256") if isinstance(confirmation, dict) and len(confirmation) == 1 else None
    if not isinstance(thumbprint, str) or not THUMBPRINT.fullmatch(thumbprint):
        raise NotSignedIn(SignInRule.MALFORMED)
    return thumbprint

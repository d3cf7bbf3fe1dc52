"""
The check of one call's access token, and the short memory that makes the next one cheap.
"""

import hashlib
import hmac
import re
import time
from collections.abc import Callable, Collection

import httpx

from gateway.sign_on.caller import SKEW_SECONDS, Caller, caller_from_claims
from gateway.sign_on.errors import NotSignedIn, SignInRule
from gateway.sign_on.jwks import KeyStore
from gateway.sign_on.jws import ACCESS_TYPES, authentic_claims
from gateway.sign_on.oidc_client import OidcClient

BEARER = re.compile(r"[Bb][Ee][Aa][Rr][Ee][Rr] +([A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+)")
LONGEST_HEADER = 8_192
MAX_CACHED_TOKENS = 4_096


class TokenVerifier:
    """
    Recognises callers by the access tokens of one issuer.

    The sign-on server may be down when this is made: its keys are loaded with the first call that needs them.  Verified
    tokens are remembered under their SHA-256, a bounded number of them, until they expire or the keys change.
    `bound` names the clients whose tokens must be bound to a certificate (RFC 8705).
    `clock` gives Unix time, `ticks` a clock that is never set back.
    """

    def __init__(
        self,
        issuer: str,
        *,
        audience: str,
        bound: Collection[str] = (),
        transport: httpx.AsyncBaseTransport | None = None,
        clock: Callable[[], float] = time.time,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        self.issuer = OidcClient(issuer, transport=transport)
        self._audience = audience
        self._bound = frozenset(bound)
        self._clock = clock
        self._remembered: dict[bytes, Caller] = {}
        self.keys = KeyStore(self.issuer, clock=ticks, changed=self._remembered.clear)

    async def caller(self, authorization: str | None, *, thumbprint: Callable[[], str | None] = lambda: None) -> Caller:
        """
        Who shows this `Authorization` header.  Raises `NotSignedIn`, `SignOnUnavailable`.

        `thumbprint` gives that of the certificate which the caller showed on this connection, if any.
        """
        token = _token(authorization)
        await self.keys.keep_fresh()
        digest = hashlib.sha256(token).digest()
        known = self._remembered.get(digest)
        if known is None:
            known = self._remember(digest, await self.verify(token))
        elif self._clock() >= known.expires_at + SKEW_SECONDS:
            del self._remembered[digest]
            raise NotSignedIn(SignInRule.EXPIRED)
        if known.bound_to is not None or self._bound:
            self._check_binding(known, thumbprint())
        return known

    async def verify(self, token: bytes) -> Caller:
        """
        Whom an access token describes, checked anew and not remembered; its binding is for the caller of this to check.
        """
        claims = await authentic_claims(self.keys, token, ACCESS_TYPES)
        return caller_from_claims(claims, issuer=self.issuer.address, audience=self._audience, now=self._clock())

    async def aclose(self) -> None:
        """Closes the connection to the sign-on server."""
        await self.keys.aclose()
        await self.issuer.aclose()

    def _check_binding(self, caller: Caller, shown: str | None) -> None:
        # A bound token in other hands is worthless; which certificates are trusted at all, TLS has decided before.
        if caller.bound_to is None:
            if caller.client in self._bound:
                raise NotSignedIn(SignInRule.NOT_BOUND)
        elif shown is None or not hmac.compare_digest(caller.bound_to, shown):
            raise NotSignedIn(SignInRule.WRONG_CERTIFICATE)

    def _remember(self, digest: bytes, caller: Caller) -> Caller:
        if len(self._remembered) >= MAX_CACHED_TOKENS:
            # The oldest goes: tokens live minutes, so it is also the first to expire.
            del self._remembered[next(iter(self._remembered))]
        self._remembered[digest] = caller
        return caller


def _token(authorization: str | None) -> bytes:
    if not authorization:
        raise NotSignedIn(SignInRule.MISSING)
    shown = BEARER.fullmatch(authorization) if len(authorization) <= LONGEST_HEADER else None
    if shown is None:
        raise NotSignedIn(SignInRule.MALFORMED)
    return shown[1].encode("ascii")

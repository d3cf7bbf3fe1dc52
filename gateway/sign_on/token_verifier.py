"""
A token verifier: checks access tokens, and caches verified ones until they expire.
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
MAX_HEADER_LENGTH = 8_192
MAX_CACHED_TOKENS = 4_096


class TokenVerifier:
    """
    Authenticates callers by the access tokens of one issuer.

    The sign-on server may be down at the start: its keys are loaded with the first call that needs them.  A bounded
    number of verified tokens is cached by SHA-256 until they expire or the keys change.  `bound`: the clients whose
    tokens must be bound to a certificate (RFC 8705).  `clock` gives Unix time, `ticks` a monotonic clock.
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
        self._cache: dict[bytes, Caller] = {}
        self.keys = KeyStore(self.issuer, clock=ticks, changed=self._cache.clear)

    async def caller(self, authorization: str | None, *, thumbprint: Callable[[], str | None] = lambda: None) -> Caller:
        """
        The caller of this `Authorization` header.  Raises `NotSignedIn`, `SignOnUnavailable`.

        `thumbprint` gives the thumbprint of the connection's client certificate, if there is one.
        """
        token = _token(authorization)
        await self.keys.keep_fresh()
        digest = hashlib.sha256(token).digest()
        known = self._cache.get(digest)
        if known is None:
            known = self._store(digest, await self.verify(token))
        elif self._clock() >= known.expires_at + SKEW_SECONDS:
            del self._cache[digest]
            raise NotSignedIn(SignInRule.EXPIRED)
        if known.bound_to is not None or self._bound:
            self._check_binding(known, thumbprint())
        return known

    async def verify(self, token: bytes) -> Caller:
        """
        The caller of an access token, without the cache; the binding to a certificate is not checked.
        """
        claims = await authentic_claims(self.keys, token, ACCESS_TYPES)
        return caller_from_claims(claims, issuer=self.issuer.address, audience=self._audience, now=self._clock())

    async def aclose(self) -> None:
        """Closes the connection to the sign-on server."""
        await self.keys.aclose()
        await self.issuer.aclose()

    def _check_binding(self, caller: Caller, thumbprint: str | None) -> None:
        # TLS has verified the certificate; here it must be the one that the token is bound to.
        if caller.bound_to is None:
            if caller.client in self._bound:
                raise NotSignedIn(SignInRule.NOT_BOUND)
        elif thumbprint is None or not hmac.compare_digest(caller.bound_to, thumbprint):
            raise NotSignedIn(SignInRule.WRONG_CERTIFICATE)

    def _store(self, digest: bytes, caller: Caller) -> Caller:
        if len(self._cache) >= MAX_CACHED_TOKENS:
            # Tokens live for minutes, so the oldest is also the first to expire.
            del self._cache[next(iter(self._cache))]
        self._cache[digest] = caller
        return caller


def _token(authorization: str | None) -> bytes:
    if not authorization:
        raise NotSignedIn(SignInRule.MISSING)
    bearer = BEARER.fullmatch(authorization) if len(authorization) <= MAX_HEADER_LENGTH else None
    if bearer is None:
        raise NotSignedIn(SignInRule.MALFORMED)
    return bearer[1].encode("ascii")

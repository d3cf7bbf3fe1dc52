"""
The check of one call's access token, and the short memory that makes the next one cheap.
"""

import contextlib
import hashlib
import json
import re
import time
from collections.abc import Callable
from typing import Any

import httpx
from joserfc import jws
from joserfc.jwa import JWSAlgModel
from joserfc.jwk import Key

from gateway.sign_on.caller import SKEW_SECONDS, Caller, caller_of
from gateway.sign_on.errors import NotSignedIn, SignInRule
from gateway.sign_on.keys import UNTRUSTED, KeyStore

ALGORITHMS = ("ES256", "RS256", "EdDSA")
TYPES = frozenset({"at+jwt", "application/at+jwt"})
# What would let a token bring its own key, or change how it is read.  None of it is ever followed.
FORBIDDEN_HEADERS = frozenset({"jku", "jwk", "x5u", "x5c", "crit", "b64"})

BEARER = re.compile(r"[Bb][Ee][Aa][Rr][Ee][Rr] +([A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+)")
LONGEST_HEADER = 8_192
REMEMBERED = 4_096


class _Registry(jws.JWSRegistry):
    """joserfc's algorithms, ours only, without its advice on their names."""

    def get_alg(self, name: str) -> JWSAlgModel:
        return self.algorithms[name]


REGISTRY = _Registry(algorithms=ALGORITHMS, strict_check_header=False)


class SignOn:
    """
    Recognises callers by the access tokens of one issuer.

    The sign-on server may be down when this is made: its keys are loaded with the first call that needs them.  Verified
    tokens are remembered under their SHA-256, a bounded number of them, until they expire or the keys change.
    `clock` gives Unix time, `ticks` a clock that is never set back.
    """

    def __init__(
        self,
        issuer: str,
        *,
        audience: str,
        transport: httpx.AsyncBaseTransport | None = None,
        clock: Callable[[], float] = time.time,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        self._issuer = issuer
        self._audience = audience
        self._clock = clock
        self._remembered: dict[bytes, Caller] = {}
        self._keys = KeyStore(issuer, transport=transport, clock=ticks, changed=self._remembered.clear)

    async def caller(self, authorization: str | None) -> Caller:
        """
        Who shows this `Authorization` header.  Raises `NotSignedIn`, `SignOnUnavailable`.
        """
        token = _token(authorization)
        await self._keys.keep_fresh()
        digest = hashlib.sha256(token).digest()
        known = self._remembered.get(digest)
        if known is None:
            return self._remember(digest, await self._verified(token))
        if self._clock() < known.expires_at + SKEW_SECONDS:
            return known
        del self._remembered[digest]
        raise NotSignedIn(SignInRule.EXPIRED)

    async def aclose(self) -> None:
        """Closes the connection to the sign-on server."""
        await self._keys.aclose()

    async def _verified(self, token: bytes) -> Caller:
        signature = _read(token)
        headers = signature.headers()
        algorithm, key_id = headers.get("alg"), headers.get("kid")
        if algorithm not in ALGORITHMS:
            raise NotSignedIn(SignInRule.ALGORITHM_NOT_ALLOWED)
        if str(headers.get("typ")).lower() not in TYPES:
            raise NotSignedIn(SignInRule.WRONG_TYPE)
        if not isinstance(key_id, str) or not FORBIDDEN_HEADERS.isdisjoint(headers):
            raise NotSignedIn(SignInRule.MALFORMED)
        verifying = await self._keys.find(key_id)
        if verifying is None:
            raise NotSignedIn(SignInRule.BAD_SIGNATURE)
        if algorithm != verifying.algorithm:
            raise NotSignedIn(SignInRule.ALGORITHM_NOT_ALLOWED)
        if not _authentic(signature, verifying.key):
            raise NotSignedIn(SignInRule.BAD_SIGNATURE)
        claims = _claims(signature.payload)
        return caller_of(claims, issuer=self._issuer, audience=self._audience, now=self._clock())

    def _remember(self, digest: bytes, caller: Caller) -> Caller:
        if len(self._remembered) >= REMEMBERED:
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


def _read(token: bytes) -> jws.CompactSignature:
    # The library's errors quote what they could not read, so ours are raised outside of the except blocks.
    with contextlib.suppress(*UNTRUSTED):
        signature = jws.extract_compact(token, registry=REGISTRY)
        if isinstance(signature.headers(), dict):
            return signature
    raise NotSignedIn(SignInRule.MALFORMED)


def _authentic(signature: jws.CompactSignature, key: Key) -> bool:
    try:
        return jws.validate_compact(signature, key, registry=REGISTRY)
    except UNTRUSTED:
        return False


def _claims(payload: bytes) -> dict[str, Any]:
    claims: Any = None
    with contextlib.suppress(*UNTRUSTED):
        claims = json.loads(payload)
    if not isinstance(claims, dict):
        raise NotSignedIn(SignInRule.MALFORMED)
    return claims

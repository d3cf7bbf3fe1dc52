"""
The JWS signature of a token: the algorithm belongs to the key, and the token's header cannot name a key.
"""

import contextlib
import json
from collections.abc import Collection
from typing import Any

from joserfc import jws
from joserfc.jwa import JWSAlgModel
from joserfc.jwk import Key

from gateway.sign_on.errors import NotSignedIn, SignInRule
from gateway.sign_on.jwks import KeyStore
from gateway.sign_on.oidc_client import UNTRUSTED

ALGORITHMS = ("ES256", "RS256", "EdDSA")
# Headers by which a token would bring its own key, or change how it is read.
FORBIDDEN_HEADERS = frozenset({"jku", "jwk", "x5u", "x5c", "crit", "b64"})

ACCESS_TYPES = frozenset({"at+jwt", "application/at+jwt"})
# OpenID Connect leaves the type of an ID token open; `none` stands for a header that names no type.
IDENTITY_TYPES = frozenset({"jwt", "application/jwt", "none"})


class _Registry(jws.JWSRegistry):
    """joserfc's algorithms, ours only, without its advice on their names."""

    def get_alg(self, name: str) -> JWSAlgModel:
        return self.algorithms[name]


REGISTRY = _Registry(algorithms=ALGORITHMS, strict_check_header=False)


async def authentic_claims(keys: KeyStore, token: bytes, types: Collection[str]) -> dict[str, Any]:
    """
    The claims of a token of one of these types that the issuer signed.  Raises `NotSignedIn`, `SignOnUnavailable`.
    """
    signature = _read(token)
    headers = signature.headers()
    algorithm, key_id = headers.get("alg"), headers.get("kid")
    if algorithm not in ALGORITHMS:
        raise NotSignedIn(SignInRule.ALGORITHM_NOT_ALLOWED)
    if str(headers.get("typ")).lower() not in types:
        raise NotSignedIn(SignInRule.WRONG_TYPE)
    if not isinstance(key_id, str) or not FORBIDDEN_HEADERS.isdisjoint(headers):
        raise NotSignedIn(SignInRule.MALFORMED)
    verifying = await keys.find(key_id)
    if verifying is None:
        raise NotSignedIn(SignInRule.BAD_SIGNATURE)
    if algorithm != verifying.algorithm:
        raise NotSignedIn(SignInRule.ALGORITHM_NOT_ALLOWED)
    if not _authentic(signature, verifying.key):
        raise NotSignedIn(SignInRule.BAD_SIGNATURE)
    return _claims(signature.payload)


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

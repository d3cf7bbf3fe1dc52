"""
The JWKS of the sign-on server: found by discovery, loaded when first needed, refreshed when it ages or changes.
"""

import asyncio
import math
import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from joserfc.errors import SecurityWarning
from joserfc.jwk import ECKey, JWKRegistry, Key, OKPKey, RSAKey

from gateway.sign_on.errors import SignOnUnavailable
from gateway.sign_on.oidc_client import FETCH_SECONDS, UNTRUSTED, Endpoints, OidcClient

MAX_KEYS = 64
SMALLEST_RSA_BITS = 2048

# Refreshed in the background when older than FRESH_SECONDS, not used when older than USABLE_SECONDS: a key that was
# withdrawn after a theft expires here even if an attacker blocks the refresh.
FRESH_SECONDS = 300.0
USABLE_SECONDS = 3600.0
# Any caller can invent key ids, so unknown ones cause a refresh only this often.
UNKNOWN_KEY_SECONDS = 10.0
# After a failed refresh callers fail at once for this long; the first one afterwards tries again.
RETRY_SECONDS = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyingKey:
    """A published key with the one algorithm that it verifies, whatever a token's header says."""

    algorithm: str
    key: Key


class KeyStore:
    """
    The keys of one issuer.  Refreshes are never concurrent.
    """

    def __init__(
        self,
        issuer: OidcClient,
        *,
        clock: Callable[[], float] = time.monotonic,
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        self._issuer = issuer
        self._clock = clock
        self._changed = changed
        self._keys: Mapping[str, VerifyingKey] = {}
        self._published: Any = None
        self._discovered: Mapping[str, Any] = {}
        self._loaded_at = self._failed_at = self._unknown_key_at = -math.inf
        self._failing = False
        self._fetching: asyncio.Task[None] | None = None

    async def find(self, key_id: str) -> VerifyingKey | None:
        """
        The key of this id, or None if the issuer does not publish it.  Raises `SignOnUnavailable`.
        """
        await self.keep_fresh()
        if key_id not in self._keys and self._clock() - self._unknown_key_at >= UNKNOWN_KEY_SECONDS:
            self._unknown_key_at = self._clock()
            await self._load()
        return self._keys.get(key_id)

    async def keep_fresh(self) -> None:
        """
        Refreshes the keys if they are old; costs nothing while they are fresh.  Raises `SignOnUnavailable`.
        """
        age = self._clock() - self._loaded_at
        if age < FRESH_SECONDS:
            return
        if age >= USABLE_SECONDS:
            await self._load()
        elif self._may_try():
            self._fetch()

    async def endpoints(self) -> Endpoints:
        """Where people sign in, by the discovery document that came with the keys.  Raises `SignOnUnavailable`."""
        await self.keep_fresh()
        try:
            return self._issuer.endpoints(self._discovered)
        except UNTRUSTED:
            pass
        raise SignOnUnavailable

    async def aclose(self) -> None:
        """Cancels a refresh that is under way."""
        if self._fetching is not None:
            self._fetching.cancel()
            await asyncio.wait([self._fetching])

    def _may_try(self) -> bool:
        return self._fetching is not None or self._clock() - self._failed_at >= RETRY_SECONDS

    async def _load(self) -> None:
        if self._may_try():
            # Shielded: many callers wait for one refresh, and a cancelled one must not end it for the others.
            await asyncio.shield(self._fetch())
        if self._failing:
            raise SignOnUnavailable

    def _fetch(self) -> asyncio.Task[None]:
        if self._fetching is None:
            self._fetching = asyncio.create_task(self._renew())
        return self._fetching

    async def _renew(self) -> None:
        try:
            async with asyncio.timeout(FETCH_SECONDS):
                discovered, published = await self._issuer.published()
            keys = _usable(published)
        except UNTRUSTED:
            self._failing, self._failed_at = True, self._clock()
        else:
            self._failing, self._loaded_at = False, self._clock()
            self._discovered = discovered
            if published != self._published:
                self._keys, self._published = keys, published
                self._changed()
        finally:
            self._fetching = None


def _usable(published: Any) -> dict[str, VerifyingKey]:
    if not isinstance(published, list) or len(published) > MAX_KEYS:
        raise ValueError("not a key set")
    keys = {parameters.get("kid"): _verifying(parameters) for parameters in published}
    return {key_id: key for key_id, key in keys.items() if key and isinstance(key_id, str)}


def _verifying(parameters: dict[str, Any]) -> VerifyingKey | None:
    # A key that cannot be used is ignored (RFC 7517, section 5); the others of the set remain.
    if parameters.get("use", "sig") != "sig" or "d" in parameters:
        return None
    try:
        with warnings.catch_warnings():
            # A warning of the library (a short key) is an error here.
            warnings.simplefilter("error", SecurityWarning)
            key = JWKRegistry.import_key(parameters)
    except UNTRUSTED:
        return None
    algorithm = key_algorithm(key)
    if algorithm is None or parameters.get("alg", algorithm) != algorithm:
        return None
    return VerifyingKey(algorithm=algorithm, key=key)


def key_algorithm(key: Key) -> str | None:
    """The one algorithm of a key, or None for a key that is not accepted."""
    match key:
        case ECKey() if key.curve_name == "P-256":
            return "ES256"
        case OKPKey() if key.curve_name == "Ed25519":
            return "EdDSA"
        case RSAKey() if key.raw_value.key_size >= SMALLEST_RSA_BITS:
            return "RS256"
        case _:
            return None

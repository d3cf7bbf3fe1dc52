"""
Signing: the server's rotating keys, and the tokens that it signs with them.
"""

import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from joserfc import jwt
from joserfc.jwk import ECKey

from mock_agencies.sign_on.directory import ACR, RegisteredClient, Staff

AUDIENCE = "shuniu"
ACCESS_SECONDS = 600
ALGORITHM = "ES256"
METHODS = {ACR[0]: ("pwd",), ACR[1]: ("pin", "hwk")}


def _new_key() -> ECKey:
    return ECKey.generate_key("P-256", {"kid": secrets.token_hex(8), "use": "sig", "alg": ALGORITHM})


@dataclass(slots=True)
class KeyRing:
    """
    The published keys, newest last; the newest signs.
    """

    keys: list[ECKey] = field(default_factory=lambda: [_new_key()])

    def rotate(self, *, withdraw: bool = False) -> str:
        """
        Signs with a new key from now on, and returns its id.  With `withdraw` the older keys are unpublished at once,
        as after a theft; without it they stay published, as in an ordinary rotation.
        """
        key = _new_key()
        self.keys = [key] if withdraw else [*self.keys, key]
        return str(key.kid)

    def published(self) -> dict[str, Any]:
        """The JWK set, public parts only."""
        return {"keys": [key.as_dict(private=False) for key in self.keys]}

    def sign(self, claims: Mapping[str, Any], *, token_type: str) -> str:
        """A compact JWS of the claims by the newest key."""
        key = self.keys[-1]
        return jwt.encode({"alg": ALGORITHM, "typ": token_type, "kid": key.kid}, dict(claims), key)


@dataclass(frozen=True, slots=True)
class TokenIssuer:
    """
    Issues access tokens (RFC 9068) and ID tokens (OpenID Connect Core, section 2).  Times are seconds of Unix time.
    """

    issuer: str
    ring: KeyRing
    clock: Callable[[], float]

    def for_staff(
        self,
        person: Staff,
        client: RegisteredClient,
        scopes: Iterable[str],
        nonce: str | None = None,
        acr: str = ACR[0],
    ) -> dict[str, Any]:
        """The token response for a person who signed in through `client` by the class of authentication `acr`."""
        scopes = tuple(scopes)
        claims = {"name": person.name, "court": person.court, "unit": person.unit, "roles": list(person.roles)}
        response = self._response(person.user, client, scopes, claims)
        if "openid" in scopes:
            response["id_token"] = self._id_token(person, client, nonce, acr)
        return response

    def for_service(
        self, client: RegisteredClient, scopes: Iterable[str], thumbprint: str | None = None
    ) -> dict[str, Any]:
        """
        The token response for a service that acts for itself; with the thumbprint of a certificate the token is worth
        nothing without that certificate (RFC 8705, section 3).
        """
        claims: dict[str, Any] = {"name": client.name, "court": client.court, "unit": client.name, "roles": []}
        if thumbprint is not None:
            claims["cnf"] = {"x5t#S256": thumbprint}
        return self._response(client.id, client, tuple(scopes), claims)

    def _response(
        self, subject: str, client: RegisteredClient, scopes: tuple[str, ...], claims: dict[str, Any]
    ) -> dict[str, Any]:
        now = int(self.clock())
        access = {
            "iss": self.issuer,
            "sub": subject,
            "aud": AUDIENCE,
            "client_id": client.id,
            "iat": now,
            "exp": now + ACCESS_SECONDS,
            "jti": secrets.token_urlsafe(16),
            "scope": " ".join(scopes),
        }
        return {
            "access_token": self.ring.sign(access | claims, token_type="at+jwt"),
            "token_type": "Bearer",
            "expires_in": ACCESS_SECONDS,
            "scope": access["scope"],
        }

    def _id_token(self, person: Staff, client: RegisteredClient, nonce: str | None, acr: str) -> str:
        now = int(self.clock())
        claims = {
            "iss": self.issuer,
            "sub": person.user,
            "aud": client.id,
            "iat": now,
            "exp": now + ACCESS_SECONDS,
            "auth_time": now,
            "acr": acr,
            "amr": list(METHODS[acr]),
            "name": person.name,
        }
        return self.ring.sign(claims | ({"nonce": nonce} if nonce else {}), token_type="JWT")

"""
The hub's client key at the sign-on server, which authenticates the hub when it exchanges a code (private_key_jwt:
RFC 7523, OpenID Connect Core section 9).
"""

import contextlib
import json
import secrets
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from joserfc import jws
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey

from adapters.errors import ConfigurationError
from audit.durable_files import readable_by_others
from gateway.sign_on.jwks import key_algorithm
from gateway.sign_on.jws import REGISTRY
from gateway.sign_on.oidc_client import UNTRUSTED

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ASSERTION_SECONDS = 60


class ClientKey:
    """
    Signs the assertions of one client.
    """

    def __init__(self, key: Key, algorithm: str) -> None:
        self._key = key
        self._algorithm = algorithm

    @classmethod
    def load(cls, path: Path) -> "ClientKey":
        """Reads an owner-only key (PEM).  Raises `ConfigurationError` with the command that mends it."""
        key: Key | None = None
        with contextlib.suppress(OSError, *UNTRUSTED):
            key = _read(path.read_bytes())
        algorithm = None if key is None else key_algorithm(key)
        if key is None or algorithm is None:
            raise ConfigurationError(
                f"{path}: not a private key that signs; make one with: "
                f"openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out {path}"
            )
        if readable_by_others(path):
            raise ConfigurationError(f"{path}: others can read this key; run: chmod 600 {path}")
        return cls(key, algorithm)

    def proof(self, client: str, audience: str, now: float) -> dict[str, str]:
        """The fields of a token request that authenticate the client; valid for one request and one minute."""
        claims = {
            "iss": client,
            "sub": client,
            "aud": audience,
            "jti": secrets.token_urlsafe(16),
            "iat": int(now),
            "exp": int(now) + ASSERTION_SECONDS,
        }
        header = {"alg": self._algorithm, "typ": "JWT"}
        assertion = jws.serialize_compact(header, json.dumps(claims), self._key, registry=REGISTRY)
        return {"client_assertion_type": ASSERTION_TYPE, "client_assertion": assertion}


def _read(pem: bytes) -> Key | None:
    match load_pem_private_key(pem, password=None):
        case EllipticCurvePrivateKey() as key:
            return ECKey.import_key(key)
        case RSAPrivateKey() as key:
            return RSAKey.import_key(key)
        case Ed25519PrivateKey() as key:
            return OKPKey.import_key(key)
        case _:
            return None

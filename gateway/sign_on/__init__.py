"""
Authentication: by an access token of the court's sign-on server (OpenID Connect), or by a session that began there.

A token is an RFC 9068 JWT, checked as RFC 8725 demands: the algorithm belongs to the key and not to the token, keys
come from the issuer's own origin only, and a token's header cannot name a key.  There are no passwords, and
authorization is decided elsewhere.
"""

from gateway.sign_on.caller import Caller
from gateway.sign_on.errors import (
    NotFromOurPages,
    NotSignedIn,
    OriginRule,
    SignInFailed,
    SignInRule,
    SignInStep,
    SignOnUnavailable,
)
from gateway.sign_on.token_verifier import TokenVerifier

__all__ = [
    "Caller",
    "NotFromOurPages",
    "NotSignedIn",
    "OriginRule",
    "SignInFailed",
    "SignInRule",
    "SignInStep",
    "SignOnUnavailable",
    "TokenVerifier",
]

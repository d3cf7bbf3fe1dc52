"""
Who is calling: by an access token of the court's sign-on server (OpenID Connect), or by a session that began there.

A token is an RFC 9068 JWT, checked as RFC 8725 demands: the algorithm belongs to the key and not to the token, keys
come from the issuer's own origin only, and nothing that a token says about where its key is has any effect.  There are
no passwords here, and who may do what is decided elsewhere.
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

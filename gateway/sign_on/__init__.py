"""
Who is calling: access tokens of the court's sign-on server (OpenID Connect), and no other way in.

A token is an RFC 9068 JWT, checked as RFC 8725 demands: the algorithm belongs to the key and not to the token, keys
come from the issuer's own origin only, and nothing that a token says about where its key is has any effect.
"""

from gateway.sign_on.caller import Caller
from gateway.sign_on.desk import SignOn
from gateway.sign_on.errors import NotSignedIn, SignInRule, SignOnUnavailable

__all__ = ["Caller", "NotSignedIn", "SignInRule", "SignOn", "SignOnUnavailable"]

"""
The court's single sign-on of the demo: OpenID Connect as a real server speaks it, over synthetic staff.

People sign in by the authorization code flow with PKCE (S256 only), services by client credentials with a signed
assertion (private_key_jwt, RFC 7523).  Access tokens are RFC 9068.  There are no passwords: choosing a synthetic
person on the page is the sign-on.
"""

from mock_agencies.sign_on.assertions import make_assertion
from mock_agencies.sign_on.server import create

__all__ = ["create", "make_assertion"]

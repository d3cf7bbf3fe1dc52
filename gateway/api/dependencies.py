"""
Who is calling: the dependency of every route that is not public.

A call carries an access token or the cookie of a session, never both: which of the two counted could be argued about.
"""

from functools import partial
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPBearer

from gateway.api import browser_session
from gateway.hub import Hub
from gateway.sign_on import Caller, NotSignedIn, SignInRule
from gateway.sign_on.mtls import thumbprint
from gateway.sign_on.sessions import Session

# Only for OpenAPI; the check itself is the sign-on's.
_bearer = HTTPBearer(auto_error=False, bearerFormat="JWT", description="access token of the court's sign-on server")


def hub_of(request: Request) -> Hub:
    """The hub that serves this request."""
    hub: Hub = request.app.state.hub
    return hub


async def _hub(request: Request) -> Hub:
    # A plain function would be a dependency in a thread of its own, once for every call.
    return hub_of(request)


async def signed_in(request: Request) -> Caller:
    """
    The caller.  Raises `NotSignedIn`, `SignOnUnavailable`, and for a session `NotFromOurPages`, `DatabaseUnavailable`.
    """
    found = await identified(request)
    caller = found if isinstance(found, Caller) else found.caller
    # Whoever is refused from here on is refused by name.
    request.state.caller = caller
    return caller


async def identified(request: Request, *, extend: bool = True) -> Caller | Session:
    """
    The caller by token, or the session; with `extend` the call is a sign of life of the session.  Raises as above.
    """
    hub = hub_of(request)
    authorization, secret = (
        request.headers.get("authorization"),
        browser_session.shown(request, hub, browser_session.SESSION),
    )
    if secret is None:
        return await hub.token_verifier.caller(authorization, thumbprint=partial(thumbprint, request.scope))
    if authorization is not None:
        raise NotSignedIn(SignInRule.TWO_CALLERS)
    if request.method not in browser_session.SAFE:
        await browser_session.require_own_page(request, hub, hub.sign_in_service.sessions.csrf_token(secret))
    return await hub.sign_in_service.sessions.find(secret, browser_session.network_address(request), extend=extend)


async def _signed_in(request: Request, _shown: Annotated[object, Depends(_bearer)]) -> Caller:
    return await signed_in(request)


Signed = Annotated[Caller, Depends(_signed_in)]
TheHub = Annotated[Hub, Depends(_hub)]

"""
Who is calling: the dependency of every route that is not public.
"""

from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPBearer

from gateway.hub import Hub
from gateway.sign_on import Caller

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
    """The caller, or `NotSignedIn` / `SignOnUnavailable`."""
    return await hub_of(request).sign_on.caller(request.headers.get("authorization"))


async def _signed_in(request: Request, _shown: Annotated[object, Depends(_bearer)]) -> Caller:
    return await signed_in(request)


Signed = Annotated[Caller, Depends(_signed_in)]
TheHub = Annotated[Hub, Depends(_hub)]

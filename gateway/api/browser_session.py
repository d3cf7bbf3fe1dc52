"""
What a browser brings: the address that it knows us by, its cookies, and whether a page of ours made the call.
"""

import hmac
from typing import Final
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from gateway.hub import Hub
from gateway.sign_on import NotFromOurPages, OriginRule
from gateway.sign_on.oidc_client import LOOPBACK

SESSION: Final = "shuniu-session"
SIGN_IN: Final = "shuniu-sign-in"

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
MOST_FIELDS = 200


def own_address(request: Request, hub: Hub) -> str | None:
    """
    Scheme, host and port by which browsers know this hub.

    Without a setting it is what the call says, on this machine only: elsewhere a name could be made to lead to us.
    """
    if hub.settings.public_address is not None:
        return hub.settings.public_address
    address = f"{request.scope['scheme']}://{request.headers.get('host', '')}"
    try:
        return address if urlsplit(address).hostname in LOOPBACK else None
    except ValueError:
        return None


def network_address(request: Request) -> str:
    """Where the connection comes from; what a proxy says of it is believed nowhere."""
    return request.client.host if request.client is not None else ""


def shown(request: Request, hub: Hub, name: str) -> str | None:
    """The value of a cookie of ours, or None."""
    return request.cookies.get(_spelt(request, hub, name)) if "cookie" in request.headers else None


def give(response: Response, request: Request, hub: Hub, name: str, value: str, *, seconds: int | None = None) -> None:
    """
    Gives the browser a cookie of ours; without `seconds` it goes with the browser.

    Lax, not Strict: the first page after sign-in is reached from the sign-on server's site, and so is a link in the
    ticket system; with Strict a person would seem signed out there.  Other sites' unsafe calls do not carry it, and
    would be refused without it.
    """
    spelt = _spelt(request, hub, name)
    response.set_cookie(spelt, value, max_age=seconds, path="/", secure=spelt != name, httponly=True, samesite="lax")


def take_back(response: Response, request: Request, hub: Hub, name: str) -> None:
    """Has the browser forget a cookie of ours."""
    spelt = _spelt(request, hub, name)
    response.delete_cookie(spelt, path="/", secure=spelt != name, httponly=True, samesite="lax")


async def require_own_page(request: Request, hub: Hub, csrf_token: str) -> None:
    """
    Refuses an unsafe call that no page of this session has made.  Raises `NotFromOurPages`.
    """
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    foreign = site not in {None, "same-origin"} or (origin is not None and origin != own_address(request, hub))
    if foreign or (site is None and origin is None):
        raise NotFromOurPages(OriginRule.CROSS_SITE)
    sent = request.headers.get("x-csrf-token") or await _field(request, "csrf_token")
    if not hmac.compare_digest(sent.encode(), csrf_token.encode()):
        raise NotFromOurPages(OriginRule.CSRF_TOKEN)


def _spelt(request: Request, hub: Hub, name: str) -> str:
    # A browser keeps a `__Host-` cookie for the one host that set it, over TLS.  Over plain HTTP, which is for this
    # machine alone, browsers refuse that name.
    return f"__Host-{name}" if (own_address(request, hub) or "").startswith("https:") else name


async def _field(request: Request, name: str) -> str:
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/x-www-form-urlencoded":
        return ""
    # Not the bytes of the body: a route that takes a form has had it read before any dependency of it runs.
    values = (await request.form(max_fields=MOST_FIELDS)).getlist(name)
    return str(values[0]) if len(values) == 1 else ""

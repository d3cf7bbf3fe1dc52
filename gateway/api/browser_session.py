"""
The browser side of a session: our address as the browser knows it, cookies, and protection against other sites.
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

    Without a setting it is the address of the call, on this machine only: elsewhere any name could lead here.
    """
    if hub.settings.public_address is not None:
        return hub.settings.public_address
    address = f"{request.scope['scheme']}://{request.headers.get('host', '')}"
    try:
        return address if urlsplit(address).hostname in LOOPBACK else None
    except ValueError:
        return None


def network_address(request: Request) -> str:
    """The peer of the connection; headers of proxies are not trusted."""
    return request.client.host if request.client is not None else ""


def cookie(request: Request, hub: Hub, name: str) -> str | None:
    """The value of a cookie of ours, or None."""
    return request.cookies.get(_cookie_name(request, hub, name)) if "cookie" in request.headers else None


def set_cookie(
    response: Response, request: Request, hub: Hub, name: str, value: str, *, seconds: int | None = None
) -> None:
    """
    Sets a cookie of ours; without `seconds` it ends with the browser.

    Lax, not Strict: the first page after sign-in is reached from the sign-on server's site, and so is a link in the
    ticket system; with Strict a person would seem signed out there.  Other sites' unsafe calls do not carry it, and
    would be refused without it.
    """
    full = _cookie_name(request, hub, name)
    response.set_cookie(full, value, max_age=seconds, path="/", secure=full != name, httponly=True, samesite="lax")


def delete_cookie(response: Response, request: Request, hub: Hub, name: str) -> None:
    """Deletes a cookie of ours."""
    full = _cookie_name(request, hub, name)
    response.delete_cookie(full, path="/", secure=full != name, httponly=True, samesite="lax")


async def require_own_page(request: Request, hub: Hub, csrf_token: str) -> None:
    """
    Refuses an unsafe call that was not made by a page of this session.  Raises `NotFromOurPages`.
    """
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    foreign = site not in {None, "same-origin"} or (origin is not None and origin != own_address(request, hub))
    if foreign or (site is None and origin is None):
        raise NotFromOurPages(OriginRule.CROSS_SITE)
    sent = request.headers.get("x-csrf-token") or await _field(request, "csrf_token")
    if not hmac.compare_digest(sent.encode(), csrf_token.encode()):
        raise NotFromOurPages(OriginRule.CSRF_TOKEN)


def _cookie_name(request: Request, hub: Hub, name: str) -> str:
    # A browser keeps a `__Host-` cookie for the one host that set it, over TLS.  Over plain HTTP, which is for this
    # machine alone, browsers refuse that name.
    return f"__Host-{name}" if (own_address(request, hub) or "").startswith("https:") else name


async def _field(request: Request, name: str) -> str:
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/x-www-form-urlencoded":
        return ""
    # Not the bytes of the body: they were read for a route's form before its dependencies run.
    values = (await request.form(max_fields=MOST_FIELDS)).getlist(name)
    return str(values[0]) if len(values) == 1 else ""

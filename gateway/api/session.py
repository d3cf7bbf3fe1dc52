"""
Sign-in and sign-out with a browser, and the state of the session for its pages.
"""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, Field

from gateway.api import browser_session
from gateway.api.dependencies import TheHub, identified
from gateway.api.problems import documented
from gateway.sign_on import Caller, NotSignedIn, SignInFailed, SignInRule, SignInStep
from gateway.sign_on.pending_sign_ins import ATTEMPT_SECONDS
from gateway.sign_on.sessions import Session

router = APIRouter(tags=["session"])

COMMON = (
    "not-signed-in",
    "not-permitted",
    "sign-on-unavailable",
    "audit-unavailable",
    "database-unavailable",
    "invalid-input",
    "internal",
)

# A page of this hub: one slash, then printable ASCII; a second slash or a backslash would lead to another host.
LOCAL_PAGE = r"^/([!-.0-\[\]-~][!-\[\]-~]*)?$"
NO_STORE = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}


class SessionView(BaseModel):
    """
    The caller, and when the session ends.  A caller by access token has no session: it ends with the token.
    """

    user: str
    name: str
    court: str
    unit: str
    client: str
    started_at: datetime | None = None
    idle_at: datetime | None = Field(default=None, description="when it ends unless it is used before")
    ends_at: datetime = Field(description="when it ends in any case")
    csrf_token: str | None = Field(
        default=None, description="send it with every POST, PUT, PATCH and DELETE as `X-CSRF-Token` or `csrf_token`"
    )


# Steps of a browser, not part of the API.
@router.get("/sign-in", include_in_schema=False)
async def sign_in(
    request: Request, hub: TheHub, to: Annotated[str, Query(pattern=LOCAL_PAGE, max_length=2000)] = "/"
) -> Response:
    """Redirects the browser to the sign-on server; afterwards it goes on to our page `to`."""
    address = browser_session.own_address(request, hub)
    if address is None:
        raise SignInFailed(SignInStep.WRONG_ADDRESS)
    begun = await hub.sign_in_service.sign_in.begin(return_to=f"{address}/signed-in", to=to)
    response = RedirectResponse(begun.address, 303, headers=NO_STORE)
    browser_session.set_cookie(response, request, hub, browser_session.SIGN_IN, begun.secret, seconds=ATTEMPT_SECONDS)
    return response


@router.get("/signed-in", include_in_schema=False)
async def signed_in(request: Request, hub: TheHub) -> Response:
    """The browser's return from the sign-on server: opens a session under a new secret."""
    answer = dict(request.query_params)
    if len(answer) != len(request.query_params.multi_items()):
        raise SignInFailed(SignInStep.NOT_TRUSTED)
    who = await hub.sign_in_service.sign_in.finish(
        answer, browser_session.cookie(request, hub, browser_session.SIGN_IN)
    )
    sessions, address = hub.sign_in_service.sessions, browser_session.network_address(request)
    earlier = browser_session.cookie(request, hub, browser_session.SESSION)
    if earlier is not None:
        await sessions.end(earlier, "replaced", address)
    secret = await sessions.open(who, address)
    response = RedirectResponse(who.to, 303, headers=NO_STORE)
    browser_session.set_cookie(response, request, hub, browser_session.SESSION, secret)
    browser_session.delete_cookie(response, request, hub, browser_session.SIGN_IN)
    return response


@router.post("/sign-out", operation_id="sign_out", status_code=303, responses=documented(*COMMON, "busy"))
async def sign_out(request: Request, hub: TheHub) -> Response:
    """
    Ends the session of this browser at once, on every replica of the hub.
    """
    secret = browser_session.cookie(request, hub, browser_session.SESSION)
    if secret is None:
        raise NotSignedIn(SignInRule.NO_SESSION)
    if "authorization" in request.headers:
        raise NotSignedIn(SignInRule.TWO_CALLERS)
    await browser_session.require_own_page(request, hub, hub.sign_in_service.sessions.csrf_token(secret))
    await hub.sign_in_service.sessions.end(secret, "signed_out", browser_session.network_address(request))
    response = RedirectResponse("/", 303, headers=NO_STORE | {"Clear-Site-Data": '"cache"'})
    browser_session.delete_cookie(response, request, hub, browser_session.SESSION)
    return response


@router.get("/v1/session", operation_id="read_session", responses=documented(*COMMON))
async def read_session(request: Request, response: Response) -> SessionView:
    """
    The caller and the end of the session.  This call is no sign of life: a page may use it to warn before the end.
    """
    response.headers["Cache-Control"] = "no-store"
    return _view(await identified(request, extend=False))


@router.post("/v1/session", operation_id="extend_session", responses=documented(*COMMON, "busy"))
async def extend_session(request: Request, response: Response) -> SessionView:
    """
    A sign of life and nothing else: extends the session.
    """
    response.headers["Cache-Control"] = "no-store"
    return _view(await identified(request))


def _view(identity: Caller | Session) -> SessionView:
    session = None if isinstance(identity, Caller) else identity
    caller = identity if isinstance(identity, Caller) else identity.caller
    return SessionView(
        user=caller.user,
        name=caller.name,
        court=caller.court,
        unit=caller.unit,
        client=caller.client,
        started_at=None if session is None else session.started_at,
        idle_at=None if session is None else session.idle_at,
        ends_at=datetime.fromtimestamp(caller.expires_at, UTC),
        csrf_token=None if session is None else session.csrf_token,
    )

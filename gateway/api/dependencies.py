"""
Dependencies of the routes: the hub, the caller, and the caller's place in the court's tree.

A call carries an access token or the cookie of a session, never both: which of the two counts would be ambiguous.
"""

from functools import partial
from typing import Annotated

from fastapi import Depends, Request, Response
from fastapi.security import HTTPBearer

from audit.format.event import Actor
from gateway.access.rules import AccessRule
from gateway.api import browser_session
from gateway.api.middleware import NDJSON
from gateway.api.problems import Problem
from gateway.compliance.permissions import ComplianceRule
from gateway.hub import Hub
from gateway.organization.people import Member
from gateway.organization.roles import Role
from gateway.sign_on import Caller, NotSignedIn, SignInRule
from gateway.sign_on.mtls import thumbprint
from gateway.sign_on.sessions import Session

# Only for OpenAPI; the token verifier does the check.
_bearer = HTTPBearer(auto_error=False, bearerFormat="JWT", description="access token of the court's sign-on server")


def hub_of(request: Request) -> Hub:
    """The hub that serves this request."""
    hub: Hub = request.app.state.hub
    return hub


async def signed_in(request: Request) -> Caller:
    """
    The caller.  Raises `NotSignedIn`, `SignOnUnavailable`, and for a session `NotFromOurPages`, `DatabaseUnavailable`.
    """
    identity = await identified(request)
    caller = identity if isinstance(identity, Caller) else identity.caller
    # From here on a refusal is recorded with the caller's name.
    request.state.caller = caller
    return caller


async def identified(request: Request, *, extend: bool = True) -> Caller | Session:
    """
    The caller by token, or the session; with `extend` the call is a sign of life of the session.  Raises as above.
    """
    hub = hub_of(request)
    authorization = request.headers.get("authorization")
    secret = browser_session.cookie(request, hub, browser_session.SESSION)
    if secret is None:
        return await hub.token_verifier.caller(authorization, thumbprint=partial(thumbprint, request.scope))
    if authorization is not None:
        raise NotSignedIn(SignInRule.TWO_CALLERS)
    sessions = hub.sign_in_service.sessions
    if request.method not in browser_session.SAFE:
        await browser_session.require_own_page(request, hub, sessions.csrf_token(secret))
    return await sessions.find(secret, browser_session.network_address(request), extend=extend)


def member_actor(caller: Caller, member: Member) -> Actor:
    """The actor of an audit event, with unit and roles from the tree and not from the token."""
    return caller.actor(unit=member.position.id, roles=member.roles)


# Plain functions would run in a thread, once for every call.
async def _hub(request: Request) -> Hub:
    return hub_of(request)


async def _signed_in(request: Request, _shown: Annotated[object, Depends(_bearer)]) -> Caller:
    return await signed_in(request)


TheHub = Annotated[Hub, Depends(_hub)]
Signed = Annotated[Caller, Depends(_signed_in)]


async def _member(caller: Signed, hub: TheHub) -> Member:
    member = await hub.members.get(caller.court, caller.user)
    if member is None:
        raise Problem.from_rule(AccessRule.NOT_A_MEMBER)
    return member


CurrentMember = Annotated[Member, Depends(_member)]


async def _actor(caller: Signed, member: CurrentMember) -> Actor:
    return member_actor(caller, member)


async def auditor(caller: Signed, hub: TheHub) -> Caller:
    """The caller, who may read the audit log by their role in the tree."""
    member = await hub.members.get(caller.court, caller.user)
    if member is None or Role.AUDIT_ADMINISTRATOR not in member.roles:
        rule = ComplianceRule.AUDITOR_ONLY
        raise Problem("not-permitted", rule="role_missing", en=rule.en, zh=rule.zh)
    return caller


async def no_store(response: Response) -> None:
    """The dependency of routes whose answers are personal: no browser and no proxy stores them."""
    response.headers["Cache-Control"] = "no-store"


MemberActor = Annotated[Actor, Depends(_actor)]
Auditor = Annotated[Caller, Depends(auditor)]


async def json_body(request: Request) -> None:
    """The dependency of a route with a body: requires JSON in UTF-8, or `wrong-content-type`."""
    _require(request, "application/json")


async def ndjson_body(request: Request) -> None:
    """The dependency of a route with an NDJSON body in UTF-8."""
    _require(request, NDJSON)


def _require(request: Request, media_type: str) -> None:
    kind, _, parameters = request.headers.get("content-type", "").lower().partition(";")
    name, _, value = parameters.strip().partition("=")
    if kind.strip() != media_type or (name == "charset" and value.strip("\"' ") != "utf-8"):
        raise Problem("wrong-content-type")

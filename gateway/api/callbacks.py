"""
Receivers of callbacks over HTTP: registered, tried, paused and removed by the administrator of their court.
"""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Path
from pydantic import BaseModel, ConfigDict, StringConstraints

from gateway.access.rules import AccessRule
from gateway.api.dependencies import Signed, TheHub
from gateway.api.limits import json_body
from gateway.api.members import AMember, not_kept, refused, who
from gateway.api.problems import Problem, documented
from gateway.api.validation_errors import invalid
from gateway.api.work_orders import SCOPE
from gateway.callbacks.address_policy import LONGEST_URL, AddressRefused
from gateway.callbacks.receivers import CallbackRefused, Receiver, ReceiverNotFound
from gateway.callbacks.states import CallbackRule, ReceiverState
from gateway.organization.roles import Role

router = APIRouter(prefix="/v1/callbacks", tags=["callbacks"], dependencies=[Depends(not_kept)])

READING = ("not-signed-in", "sign-on-unavailable", "not-permitted", "not-found", "database-unavailable", "internal")
CHANGING = (*READING, "invalid-input", "audit-unavailable")
WITH_BODY = (*CHANGING, "body-too-large", "wrong-content-type", "busy")

NAME = r"^[a-z][a-z0-9-]{0,39}$"
CLIENT = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"
ReceiverName = Annotated[str, StringConstraints(pattern=NAME)]
ClientId = Annotated[str, StringConstraints(pattern=CLIENT)]


class Body(BaseModel):
    """What stands in a body of these routes."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class ReceiverBody(Body):
    """
    Where a client is told.  `internal`: the host may stand inside the house; `preferred`: for requests that name none.
    """

    client: ClientId
    url: Annotated[str, StringConstraints(min_length=8, max_length=LONGEST_URL)]
    internal: bool = False
    preferred: bool = False


class ClientBody(Body):
    """What one client is told, at one receiver or at all."""

    client: ClientId
    receiver: ReceiverName | None = None


class SeenReceiver(BaseModel):
    """A receiver as it stands.  `secret` is there once, right after it was made."""

    name: str
    client: str
    url: str
    internal: bool
    preferred: bool
    state: ReceiverState
    changed_at: datetime
    secret: str | None = None


class SeenReceivers(BaseModel):
    """Receivers of the court, as far as the caller sees them."""

    receivers: list[SeenReceiver]


class FreshSecret(BaseModel):
    """A new secret, shown once.  The last one signs beside it for a day."""

    secret: str


class Changed(BaseModel):
    """The receivers that changed."""

    receivers: list[str]


class Entered(BaseModel):
    """The webhook-id of a test delivery."""

    delivery: str


async def _sees(caller: Signed, hub: TheHub) -> str | None:
    """Whose callbacks the caller sees: those of a ticket system its own, those of its court a system administrator."""
    if SCOPE in caller.scopes:
        return caller.client
    member = await hub.members.get(caller.court, caller.user)
    if member is None:
        raise refused(AccessRule.NOT_A_MEMBER)
    if Role.SYSTEM_ADMINISTRATOR not in member.roles:
        raise refused(CallbackRule.ADMINISTRATORS_ONLY)
    return None


Sees = Annotated[str | None, Depends(_sees)]
Name = Annotated[str, Path(pattern=NAME)]


@router.get("/receivers", operation_id="list_callback_receivers", responses=documented(*READING))
async def list_receivers(caller: Signed, sees: Sees, hub: TheHub) -> SeenReceivers:
    """The registered receivers: of the court for its system administrator, its own for a ticket system."""
    found = await hub.callbacks.receivers.all(caller.court, client=sees)
    return SeenReceivers(receivers=[_seen(one) for one in found])


@router.get("/receivers/{name}", operation_id="read_callback_receiver", responses=documented(*CHANGING))
async def read_receiver(name: Name, caller: Signed, sees: Sees, hub: TheHub) -> SeenReceiver:
    """One receiver."""
    for one in await hub.callbacks.receivers.all(caller.court, client=sees):
        if one.name == name:
            return _seen(one)
    raise Problem("not-found")


@router.put(
    "/receivers/{name}",
    operation_id="register_callback_receiver",
    dependencies=[Depends(json_body)],
    responses=documented(*WITH_BODY),
)
async def register_receiver(
    name: Name, body: ReceiverBody, caller: Signed, member: AMember, hub: TheHub
) -> SeenReceiver:
    """
    Registers a receiver, or changes its address.  The answer to the first registration brings its secret, once.
    """
    rule: CallbackRule
    try:
        receiver, secret = await hub.callbacks.receivers.register(
            member, who(caller, member), name, **body.model_dump()
        )
    except CallbackRefused as error:
        rule = error.rule
    except AddressRefused as error:
        rule = error.rule
    else:
        return _seen(receiver, secret)
    if rule is CallbackRule.ADMINISTRATORS_ONLY:
        raise refused(rule)
    field = "client" if rule is CallbackRule.OTHER_CLIENT else "url"
    raise invalid(field, rule.value, rule.en, rule.zh)


@router.delete("/receivers/{name}", operation_id="remove_callback_receiver", responses=documented(*CHANGING))
async def remove_receiver(name: Name, caller: Signed, member: AMember, hub: TheHub) -> Changed:
    """Removes a receiver with its secrets; what waits for it is given up."""
    problem: Problem
    try:
        await hub.callbacks.receivers.remove(member, who(caller, member), name)
    except CallbackRefused as error:
        problem = refused(error.rule)
    except ReceiverNotFound:
        problem = Problem("not-found")
    else:
        hub.callbacks.sender.wake()
        return Changed(receivers=[name])
    raise problem


@router.post(
    "/receivers/{name}/secret",
    operation_id="rotate_callback_secret",
    responses=documented(*CHANGING, "busy"),
)
async def rotate_secret(name: Name, caller: Signed, member: AMember, hub: TheHub) -> FreshSecret:
    """Makes a new secret.  For a day both sign, so that the receiver can change over without losing anything."""
    problem: Problem
    try:
        return FreshSecret(secret=await hub.callbacks.receivers.rotate(member, who(caller, member), name))
    except CallbackRefused as error:
        problem = refused(error.rule)
    except ReceiverNotFound:
        problem = Problem("not-found")
    raise problem


@router.post(
    "/receivers/{name}/trial",
    operation_id="try_callback_receiver",
    responses=documented(*CHANGING, "busy"),
)
async def try_receiver(name: Name, caller: Signed, sees: Sees, hub: TheHub) -> Entered:
    """Sends a test delivery that tells of nobody; look it up under `GET /v1/callbacks/deliveries/{id}`."""
    for one in await hub.callbacks.receivers.all(caller.court, client=sees):
        if one.name == name:
            entered = await hub.callbacks.trials.enter(one)
            hub.callbacks.sender.wake()
            return Entered(delivery=entered)
    raise Problem("not-found")


@router.post(
    "/pause",
    operation_id="pause_callbacks",
    dependencies=[Depends(json_body)],
    responses=documented(*WITH_BODY),
)
async def pause(body: ClientBody, caller: Signed, member: AMember, hub: TheHub) -> Changed:
    """Pauses what a client is told.  Deliveries wait, each until its deadline."""
    return await _set_state(ReceiverState.PAUSED, body, caller, member, hub)


@router.post(
    "/resume",
    operation_id="resume_callbacks",
    dependencies=[Depends(json_body)],
    responses=documented(*WITH_BODY),
)
async def resume(body: ClientBody, caller: Signed, member: AMember, hub: TheHub) -> Changed:
    """Resumes what a client is told, also where the receiver had said that it was gone."""
    return await _set_state(ReceiverState.ACTIVE, body, caller, member, hub)


async def _set_state(state: ReceiverState, body: ClientBody, caller: Signed, member: AMember, hub: TheHub) -> Changed:
    problem: Problem
    try:
        changed = await hub.callbacks.receivers.set_state(
            member, who(caller, member), state, client=body.client, name=body.receiver
        )
    except CallbackRefused as error:
        problem = refused(error.rule)
    except ReceiverNotFound:
        rule = CallbackRule.UNKNOWN_RECEIVER
        problem = invalid("receiver", rule.value, rule.en, rule.zh)
    else:
        hub.callbacks.sender.wake()
        return Changed(receivers=changed)
    raise problem


def _seen(receiver: Receiver, secret: str | None = None) -> SeenReceiver:
    names = ("name", "client", "url", "internal", "preferred", "state", "changed_at")
    return SeenReceiver(**{name: getattr(receiver, name) for name in names}, secret=secret)

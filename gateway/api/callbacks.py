"""
Receivers of callbacks over HTTP: registered, tested, paused and removed by the system administrator of their court.
"""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Path
from pydantic import BaseModel, StringConstraints

from audit.format.event import Actor
from gateway.access.rules import AccessRule
from gateway.api.dependencies import CurrentMember, MemberActor, Signed, TheHub, json_body, no_store
from gateway.api.problems import CHANGING, READING, WITH_BODY, Problem, documented
from gateway.api.validation_errors import RequestModel, invalid
from gateway.api.work_orders import SCOPE
from gateway.callbacks.address_policy import LONGEST_URL, AddressRefused
from gateway.callbacks.receivers import CallbackRefused, Receiver, ReceiverNotFound
from gateway.callbacks.states import CallbackRule, ReceiverState
from gateway.hub import Hub
from gateway.organization.people import Member
from gateway.organization.roles import Role
from gateway.sign_on import Caller

router = APIRouter(prefix="/v1/callbacks", tags=["callbacks"], dependencies=[Depends(no_store)])

NAME = r"^[a-z][a-z0-9-]{0,39}$"
CLIENT = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"
ReceiverName = Annotated[str, StringConstraints(pattern=NAME)]
ClientId = Annotated[str, StringConstraints(pattern=CLIENT)]


class ReceiverBody(RequestModel):
    """
    A receiver of a client.  `internal`: its host may be in the court's network; `preferred`: the default of requests.
    """

    client: ClientId
    url: Annotated[str, StringConstraints(min_length=8, max_length=LONGEST_URL)]
    internal: bool = False
    preferred: bool = False


class ClientBody(RequestModel):
    """The deliveries of one client, to one receiver or to all."""

    client: ClientId
    receiver: ReceiverName | None = None


class SeenReceiver(BaseModel):
    """A receiver.  `secret` is shown once, in the answer to its registration."""

    name: str
    client: str
    url: str
    internal: bool
    preferred: bool
    state: ReceiverState
    changed_at: datetime
    secret: str | None = None


class SeenReceivers(BaseModel):
    """The receivers that the caller may see."""

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


async def _visible_client(caller: Signed, hub: TheHub) -> str | None:
    """The client whose callbacks the caller sees: a ticket system its own; None for all of an administrator's court."""
    if SCOPE in caller.scopes:
        return caller.client
    member = await hub.members.get(caller.court, caller.user)
    if member is None:
        raise Problem.from_rule(AccessRule.NOT_A_MEMBER)
    if Role.SYSTEM_ADMINISTRATOR not in member.roles:
        raise Problem.from_rule(CallbackRule.ADMINISTRATORS_ONLY)
    return None


VisibleClient = Annotated[str | None, Depends(_visible_client)]
Name = Annotated[str, Path(pattern=NAME)]


async def _find(name: str, caller: Caller, client: str | None, hub: Hub) -> Receiver:
    for receiver in await hub.callbacks.receivers.all(caller.court, client=client):
        if receiver.name == name:
            return receiver
    raise ReceiverNotFound


@router.get("/receivers", operation_id="list_callback_receivers", responses=documented(*READING, "not-found"))
async def list_receivers(caller: Signed, client: VisibleClient, hub: TheHub) -> SeenReceivers:
    """The registered receivers: of the court for its system administrator, its own for a ticket system."""
    receivers = await hub.callbacks.receivers.all(caller.court, client=client)
    return SeenReceivers(receivers=[_seen(receiver) for receiver in receivers])


@router.get("/receivers/{name}", operation_id="read_callback_receiver", responses=documented(*CHANGING, "not-found"))
async def read_receiver(name: Name, caller: Signed, client: VisibleClient, hub: TheHub) -> SeenReceiver:
    """One receiver."""
    return _seen(await _find(name, caller, client, hub))


@router.put(
    "/receivers/{name}",
    operation_id="register_callback_receiver",
    dependencies=[Depends(json_body)],
    responses=documented(*WITH_BODY, "not-found"),
)
async def register_receiver(
    name: Name, body: ReceiverBody, member: CurrentMember, actor: MemberActor, hub: TheHub
) -> SeenReceiver:
    """
    Registers a receiver, or changes its address.  The answer to the first registration brings its secret, once.
    """
    rule: CallbackRule
    try:
        return _seen(*await hub.callbacks.receivers.register(member, actor, name, **body.model_dump()))
    except (CallbackRefused, AddressRefused) as error:
        rule = error.rule
    if rule is CallbackRule.ADMINISTRATORS_ONLY:
        raise Problem.from_rule(rule)
    field = "client" if rule is CallbackRule.OTHER_CLIENT else "url"
    raise invalid(field, rule.value, rule.en, rule.zh)


@router.delete(
    "/receivers/{name}", operation_id="remove_callback_receiver", responses=documented(*CHANGING, "not-found")
)
async def remove_receiver(name: Name, member: CurrentMember, actor: MemberActor, hub: TheHub) -> Changed:
    """Removes a receiver with its secrets; deliveries that wait for it are given up."""
    await hub.callbacks.receivers.remove(member, actor, name)
    hub.callbacks.sender.wake()
    return Changed(receivers=[name])


@router.post(
    "/receivers/{name}/secret",
    operation_id="rotate_callback_secret",
    responses=documented(*CHANGING, "not-found", "busy"),
)
async def rotate_secret(name: Name, member: CurrentMember, actor: MemberActor, hub: TheHub) -> FreshSecret:
    """Makes a new secret.  For a day both sign, so that the receiver can change over without losing a delivery."""
    return FreshSecret(secret=await hub.callbacks.receivers.rotate(member, actor, name))


@router.post(
    "/receivers/{name}/trial",
    operation_id="try_callback_receiver",
    responses=documented(*CHANGING, "not-found", "busy"),
)
async def try_receiver(name: Name, caller: Signed, client: VisibleClient, hub: TheHub) -> Entered:
    """Sends a test delivery without personal data; look it up under `GET /v1/callbacks/deliveries/{id}`."""
    delivery = await hub.callbacks.trials.enter(await _find(name, caller, client, hub))
    hub.callbacks.sender.wake()
    return Entered(delivery=delivery)


@router.post(
    "/pause",
    operation_id="pause_callbacks",
    dependencies=[Depends(json_body)],
    responses=documented(*WITH_BODY, "not-found"),
)
async def pause(body: ClientBody, member: CurrentMember, actor: MemberActor, hub: TheHub) -> Changed:
    """Pauses the deliveries to a client.  They wait, each until its deadline."""
    return await _set_state(ReceiverState.PAUSED, body, member, actor, hub)


@router.post(
    "/resume",
    operation_id="resume_callbacks",
    dependencies=[Depends(json_body)],
    responses=documented(*WITH_BODY, "not-found"),
)
async def resume(body: ClientBody, member: CurrentMember, actor: MemberActor, hub: TheHub) -> Changed:
    """Resumes the deliveries to a client, also to a receiver that had answered 410 Gone."""
    return await _set_state(ReceiverState.ACTIVE, body, member, actor, hub)


async def _set_state(state: ReceiverState, body: ClientBody, member: Member, actor: Actor, hub: Hub) -> Changed:
    try:
        changed = await hub.callbacks.receivers.set_state(member, actor, state, client=body.client, name=body.receiver)
    except ReceiverNotFound:
        changed = None
    if changed is None:
        rule = CallbackRule.UNKNOWN_RECEIVER
        raise invalid("receiver", rule.value, rule.en, rule.zh)
    hub.callbacks.sender.wake()
    return Changed(receivers=changed)


def _seen(receiver: Receiver, secret: str | None = None) -> SeenReceiver:
    names = ("name", "client", "url", "internal", "preferred", "state", "changed_at")
    return SeenReceiver(**{name: getattr(receiver, name) for name in names}, secret=secret)

"""
Deliveries of callbacks over HTTP: administrators and ticket systems see what became of them.  What a delivery tells
stands in no answer here.
"""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel, Field, StringConstraints

from gateway.api.callbacks import CHANGING, NAME, WITH_BODY, Body, ClientId, ReceiverName, Sees
from gateway.api.dependencies import Signed, TheHub
from gateway.api.limits import json_body
from gateway.api.members import AMember, not_kept, refused, who
from gateway.api.problems import Problem, documented
from gateway.api.validation_errors import invalid
from gateway.callbacks.delivery_admin import MOST_AT_ONCE, DeliveryFilter, DeliverySummary
from gateway.callbacks.receivers import CallbackRefused
from gateway.callbacks.states import CallbackRule, DeliveryState, Failure

router = APIRouter(prefix="/v1/callbacks", tags=["callbacks"], dependencies=[Depends(not_kept)])

MOST = 500
DeliveryId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{1,80}$")]


class ResendBody(Body):
    """Which dead letters are taken up again; what is left out does not narrow the choice."""

    ids: Annotated[list[DeliveryId], Field(min_length=1, max_length=1000)] | None = None
    client: ClientId | None = None
    receiver: ReceiverName | None = None
    reason: Failure | None = None
    since: datetime | None = None
    until: datetime | None = None


class SeenDelivery(BaseModel):
    """A delivery without what it tells."""

    id: str
    client: str
    receiver: str
    event_type: str
    subject: str
    state: DeliveryState
    reason: str | None
    attempts: int
    created_at: datetime
    due_at: datetime
    deadline: datetime
    ended_at: datetime | None


class SeenDeliveries(BaseModel):
    """Deliveries in the order in which they were entered; `next` is the `after` of the next page."""

    deliveries: list[SeenDelivery]
    next: str | None


class Resent(BaseModel):
    """The deliveries that wait again; if there are `MOST_AT_ONCE` of them, there may be more.  `audit`: the record."""

    deliveries: list[str]
    audit: int


@router.get("/deliveries", operation_id="list_callback_deliveries", responses=documented(*CHANGING))
async def list_deliveries(
    caller: Signed,
    sees: Sees,
    hub: TheHub,
    state: Annotated[DeliveryState | None, Query(description="only these")] = None,
    receiver: Annotated[str | None, Query(pattern=NAME)] = None,
    reason: Annotated[Failure | None, Query(description="why it ended, or why its last attempt failed")] = None,
    after: Annotated[str | None, Query(max_length=160, description="`next` of the page before")] = None,
    most: Annotated[int, Query(ge=1, le=MOST)] = 100,
) -> SeenDeliveries:
    """What became of deliveries: of the court for its system administrator, its own for a ticket system."""
    choice = DeliveryFilter(court=caller.court, client=sees, receiver=receiver, state=state, reason=reason)
    found = await hub.callbacks.deliveries.found(choice, most=most, after=_after(after))
    more = f"{found[-1].created_at.isoformat()}~{found[-1].id}" if len(found) == most else None
    return SeenDeliveries(deliveries=[_delivery(one) for one in found], next=more)


@router.get("/deliveries/{delivery}", operation_id="read_callback_delivery", responses=documented(*CHANGING))
async def read_delivery(
    delivery: Annotated[DeliveryId, Path()], caller: Signed, sees: Sees, hub: TheHub
) -> SeenDelivery:
    """One delivery by its webhook-id."""
    choice = DeliveryFilter(court=caller.court, client=sees, ids=[delivery])
    for one in await hub.callbacks.deliveries.found(choice, most=1):
        return _delivery(one)
    raise Problem("not-found")


@router.post(
    "/resend",
    operation_id="resend_callbacks",
    dependencies=[Depends(json_body)],
    responses=documented(*WITH_BODY),
)
async def resend(body: ResendBody, caller: Signed, member: AMember, hub: TheHub) -> Resent:
    """
    Takes dead letters up again, up to 10,000 at once.  Each one's right is asked for anew before it leaves.
    """
    choice = DeliveryFilter(court=caller.court, **body.model_dump())
    rule: CallbackRule
    try:
        taken, audit = await hub.callbacks.deliveries.resend(member, who(caller, member), choice)
    except CallbackRefused as error:
        rule = error.rule
    else:
        hub.callbacks.sender.wake()
        return Resent(deliveries=taken, audit=audit)
    raise refused(rule)


def _after(said: str | None) -> tuple[datetime, str] | None:
    if said is None:
        return None
    time, _, last = said.partition("~")
    try:
        # A plus sign of an address arrives as a space.
        at = datetime.fromisoformat(time.replace(" ", "+"))
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise invalid("after", "unknown_page", "Take the member `next` of the page before.", "请使用上一页的 next。")
    return at, last


def _delivery(seen: DeliverySummary) -> SeenDelivery:
    return SeenDelivery(**{name: getattr(seen, name) for name in SeenDelivery.model_fields})


assert MOST_AT_ONCE == 10_000  # noqa: S101 - as the description of `resend` says

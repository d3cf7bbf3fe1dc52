"""
Deliveries of callbacks over HTTP: their state, for administrators and ticket systems, without their content.
"""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel, Field, StringConstraints

from gateway.api.callbacks import NAME, ClientId, ReceiverName, VisibleClient
from gateway.api.dependencies import CurrentMember, MemberActor, Signed, TheHub, json_body, no_store
from gateway.api.problems import CHANGING, WITH_BODY, Problem, documented
from gateway.api.validation_errors import RequestModel, invalid
from gateway.callbacks.delivery_admin import MOST_AT_ONCE, DeliveryFilter, DeliverySummary
from gateway.callbacks.states import DeliveryState, Failure

router = APIRouter(prefix="/v1/callbacks", tags=["callbacks"], dependencies=[Depends(no_store)])

MOST = 500
DeliveryId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{1,80}$")]


class ResendBody(RequestModel):
    """The dead letters to resend; an absent member does not narrow the choice."""

    ids: Annotated[list[DeliveryId], Field(min_length=1, max_length=1000)] | None = None
    client: ClientId | None = None
    receiver: ReceiverName | None = None
    reason: Failure | None = None
    since: datetime | None = None
    until: datetime | None = None


class SeenDeliveries(BaseModel):
    """Deliveries in the order of their creation; `next` is the `after` of the next page."""

    deliveries: list[DeliverySummary]
    next: str | None


class Resent(BaseModel):
    """The deliveries that wait again; with `MOST_AT_ONCE` of them there may be more.  `audit` is the record's index."""

    deliveries: list[str]
    audit: int


@router.get("/deliveries", operation_id="list_callback_deliveries", responses=documented(*CHANGING, "not-found"))
async def list_deliveries(
    caller: Signed,
    client: VisibleClient,
    hub: TheHub,
    state: Annotated[DeliveryState | None, Query(description="only these")] = None,
    receiver: Annotated[str | None, Query(pattern=NAME)] = None,
    reason: Annotated[Failure | None, Query(description="why it ended, or why its last attempt failed")] = None,
    after: Annotated[str | None, Query(max_length=160, description="`next` of the page before")] = None,
    most: Annotated[int, Query(ge=1, le=MOST)] = 100,
) -> SeenDeliveries:
    """The state of deliveries: of the court for its system administrator, its own for a ticket system."""
    choice = DeliveryFilter(court=caller.court, client=client, receiver=receiver, state=state, reason=reason)
    deliveries = await hub.callbacks.deliveries.found(choice, most=most, after=_after(after))
    more = f"{deliveries[-1].created_at.isoformat()}~{deliveries[-1].id}" if len(deliveries) == most else None
    return SeenDeliveries(deliveries=deliveries, next=more)


@router.get(
    "/deliveries/{delivery}", operation_id="read_callback_delivery", responses=documented(*CHANGING, "not-found")
)
async def read_delivery(
    delivery: Annotated[DeliveryId, Path()], caller: Signed, client: VisibleClient, hub: TheHub
) -> DeliverySummary:
    """One delivery by its webhook-id."""
    choice = DeliveryFilter(court=caller.court, client=client, ids=[delivery])
    for summary in await hub.callbacks.deliveries.found(choice, most=1):
        return summary
    raise Problem("not-found")


@router.post(
    "/resend",
    operation_id="resend_callbacks",
    dependencies=[Depends(json_body)],
    responses=documented(*WITH_BODY, "not-found"),
)
async def resend(body: ResendBody, member: CurrentMember, actor: MemberActor, hub: TheHub) -> Resent:
    """
    Resends dead letters, up to 10,000 at once.  The right to each one is checked again before it is sent.
    """
    choice = DeliveryFilter(court=member.court, **body.model_dump())
    resent, audit = await hub.callbacks.deliveries.resend(member, actor, choice)
    hub.callbacks.sender.wake()
    return Resent(deliveries=resent, audit=audit)


def _after(cursor: str | None) -> tuple[datetime, str] | None:
    if cursor is None:
        return None
    time, _, last = cursor.partition("~")
    try:
        # A plus sign of an address arrives as a space.
        at = datetime.fromisoformat(time.replace(" ", "+"))
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise invalid("after", "unknown_page", "Take the member `next` of the page before.", "请使用上一页的 next。")
    return at, last


assert MOST_AT_ONCE == 10_000  # noqa: S101 - as the description of `resend` says

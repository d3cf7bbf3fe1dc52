"""
Exceptions over HTTP: emergencies that people state themselves, second persons, and reviews.
"""

from collections.abc import Awaitable
from datetime import datetime
from typing import Annotated, TypeVar

from fastapi import APIRouter, Depends, Path, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from gateway.access.break_glass import EmergencyReason, EmergencyRequest
from gateway.access.emergency_rules import EmergencyRefused, WorkOrderNotFound
from gateway.access.reviews import ReviewFinding
from gateway.access.work_orders import VersionConflict, party_identifier
from gateway.api.dependencies import Signed, TheHub
from gateway.api.limits import json_body
from gateway.api.members import AMember, not_kept, refused, who
from gateway.api.problems import InputError, Problem, documented
from schemas.codes import Want
from schemas.identifiers import Identifier, IdentifierError, parse_case_number
from schemas.work_order import WORK_ORDER_ID, PartyStatement

T = TypeVar("T")

router = APIRouter(prefix="/v1", tags=["exceptions"], dependencies=[Depends(not_kept)])

COMMON = ("not-signed-in", "sign-on-unavailable", "not-permitted", "database-unavailable", "internal")
RECORDED = (*COMMON, "invalid-input", "audit-unavailable")
WITH_BODY = (*RECORDED, "body-too-large", "wrong-content-type", "busy")

OrderId = Annotated[str, Path(pattern=WORK_ORDER_ID)]
Note = Annotated[str, StringConstraints(min_length=1, max_length=2000, strip_whitespace=True)]


class _EmergencyBody(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    def __repr_args__(self) -> tuple[tuple[str, object], ...]:
        """Nothing: the body tells of people."""
        return ()


class EmergencyBody(_EmergencyBody):
    """One party of one case, what is asked about it, and why that cannot wait."""

    case_number: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    party: PartyStatement
    want: Annotated[list[Want], Field(min_length=1, max_length=len(Want))]
    reason: EmergencyReason
    note: Note


class EmergencyReceipt(BaseModel):
    """The task that waits for its second person."""

    work_order: str
    version: int
    ends_at: datetime
    review_due_at: datetime
    audit: int


class ConfirmationBody(_EmergencyBody):
    """The version that is confirmed."""

    version: Annotated[int, Field(ge=1, le=2**53)]


class ConfirmationReceipt(BaseModel):
    """The index of the record; none if this version was confirmed before."""

    audit: int | None
    replayed: bool


class SeenReview(BaseModel):
    """An emergency that nobody has reviewed yet."""

    work_order: str
    holder: str
    due_at: datetime
    overdue: bool


class ReviewBody(_EmergencyBody):
    """What the review found."""

    finding: ReviewFinding
    note: Note


class ReviewReceipt(BaseModel):
    """The index of the record."""

    audit: int


@router.post(
    "/emergencies",
    operation_id="begin_emergency",
    status_code=201,
    dependencies=[Depends(json_body)],
    responses=documented(*WITH_BODY),
)
async def begin_emergency(body: EmergencyBody, caller: Signed, member: AMember, hub: TheHub) -> EmergencyReceipt:
    """
    States a task that cannot wait for the ticket system.  It grants nothing until a second person has confirmed it.
    """
    asked = EmergencyRequest(
        case_number=body.case_number,
        party=body.party,
        identifier=_checked(body),
        want=tuple(sorted(set(body.want))),
        reason=body.reason,
        note=body.note,
    )
    begun = await _told(hub.break_glass.begin(member, caller, who(caller, member), asked))
    return EmergencyReceipt(
        work_order=begun.work_order,
        version=begun.version,
        ends_at=begun.ends_at,
        review_due_at=begun.review_due_at,
        audit=begun.audit,
    )


@router.delete(
    "/emergencies/{work_order}",
    operation_id="end_emergency",
    status_code=204,
    response_class=Response,
    responses=documented(*RECORDED, "not-found"),
)
async def end_emergency(work_order: OrderId, caller: Signed, member: AMember, hub: TheHub) -> None:
    """Ends an emergency before its time; no answer leaves under it any more."""
    await _told(hub.break_glass.end(member, caller, who(caller, member), work_order))


@router.post(
    "/work-orders/{work_order}/confirmations",
    operation_id="confirm_work_order",
    dependencies=[Depends(json_body)],
    responses=documented(*WITH_BODY, "not-found", "version-conflict"),
)
async def confirm_work_order(
    work_order: OrderId, body: ConfirmationBody, caller: Signed, member: AMember, hub: TheHub
) -> ConfirmationReceipt:
    """Confirms another's task, where its kind needs a second person; exactly the version that is named."""
    index = await _told(hub.confirmations.confirm(member, who(caller, member), work_order, body.version))
    return ConfirmationReceipt(audit=index, replayed=index is None)


@router.get("/reviews", operation_id="list_reviews", responses=documented(*COMMON))
async def list_reviews(member: AMember, hub: TheHub) -> list[SeenReview]:
    """The emergencies of the caller's court that nobody has reviewed yet, the most urgent first."""
    return [
        SeenReview(work_order=one.work_order, holder=one.holder, due_at=one.due_at, overdue=one.overdue)
        for one in await _told(hub.emergency_reviews.due(member))
    ]


@router.post(
    "/reviews/{work_order}",
    operation_id="review_emergency",
    dependencies=[Depends(json_body)],
    responses=documented(*WITH_BODY, "not-found"),
)
async def review_emergency(
    work_order: OrderId, body: ReviewBody, caller: Signed, member: AMember, hub: TheHub
) -> ReviewReceipt:
    """Says whether an emergency was justified; by somebody who had no part in it."""
    index = await _told(hub.emergency_reviews.review(member, who(caller, member), work_order, body.finding, body.note))
    return ReviewReceipt(audit=index)


async def _told(call: Awaitable[T]) -> T:
    """What comes of a call; its refusals become problems."""
    try:
        return await call
    except EmergencyRefused as error:
        problem = refused(error.rule)
    except WorkOrderNotFound:
        problem = Problem("not-found")
    except VersionConflict as error:
        problem = Problem("version-conflict", current=error.current)
    raise problem


def _checked(body: EmergencyBody) -> Identifier:
    """The party's identifier; it and the case number must be well formed."""
    errors: list[InputError] = []
    identifier: Identifier | None = None
    try:
        identifier = party_identifier(body.party)
    except IdentifierError as error:
        errors.append(InputError(field="party.id_number", rule=str(error.rule), detail=error.help("en")))
    try:
        parse_case_number(body.case_number)
    except IdentifierError as error:
        errors.append(InputError(field="case_number", rule=str(error.rule), detail=error.help("en")))
    if errors or identifier is None:
        raise Problem("invalid-input", errors=errors)
    return identifier

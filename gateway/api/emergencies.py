"""
Emergency access over HTTP: emergencies that staff declare themselves, confirmations by a second person, and reviews.
"""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Response
from pydantic import BaseModel, Field, StringConstraints

from gateway.access.break_glass import EmergencyReason, EmergencyRequest, PendingEmergency
from gateway.access.reviews import DueReview, ReviewFinding
from gateway.access.work_orders import party_identifier
from gateway.api.dependencies import CurrentMember, MemberActor, Signed, TheHub, json_body, no_store
from gateway.api.problems import CHANGING, READING, WITH_BODY, InputError, Problem, documented
from gateway.api.validation_errors import RequestModel, identifier_error
from schemas.codes import Want
from schemas.identifiers import Identifier, IdentifierError, parse_case_number
from schemas.work_order import WORK_ORDER_ID, PartyStatement

router = APIRouter(prefix="/v1", tags=["exceptions"], dependencies=[Depends(no_store)])

OrderId = Annotated[str, Path(pattern=WORK_ORDER_ID)]
Note = Annotated[str, StringConstraints(min_length=1, max_length=2000, strip_whitespace=True)]


class EmergencyBody(RequestModel):
    """One party of one case, the wanted data, and why they cannot wait."""

    case_number: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    party: PartyStatement
    want: Annotated[list[Want], Field(min_length=1, max_length=len(Want))]
    reason: EmergencyReason
    note: Note


class ConfirmationBody(RequestModel):
    """The confirmed version."""

    version: Annotated[int, Field(ge=1, le=2**53)]


class ConfirmationReceipt(BaseModel):
    """The index of the record; null if this version was confirmed before."""

    audit: int | None
    replayed: bool


class ReviewBody(RequestModel):
    """The outcome of a review."""

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
async def begin_emergency(
    body: EmergencyBody, caller: Signed, member: CurrentMember, actor: MemberActor, hub: TheHub
) -> PendingEmergency:
    """
    States a work order that cannot wait for the ticket system.  It grants nothing until a second person confirms it.
    """
    emergency = EmergencyRequest(
        case_number=body.case_number,
        party=body.party,
        identifier=_identifier(body),
        want=tuple(sorted(set(body.want))),
        reason=body.reason,
        note=body.note,
    )
    return await hub.break_glass.begin(member, caller, actor, emergency)


@router.delete(
    "/emergencies/{work_order}",
    operation_id="end_emergency",
    status_code=204,
    response_class=Response,
    responses=documented(*CHANGING, "not-found"),
)
async def end_emergency(
    work_order: OrderId, caller: Signed, member: CurrentMember, actor: MemberActor, hub: TheHub
) -> None:
    """Ends an emergency before its time; no answer is released under it any more."""
    await hub.break_glass.end(member, caller, actor, work_order)


@router.post(
    "/work-orders/{work_order}/confirmations",
    operation_id="confirm_work_order",
    dependencies=[Depends(json_body)],
    responses=documented(*WITH_BODY, "not-found", "version-conflict"),
)
async def confirm_work_order(
    work_order: OrderId, body: ConfirmationBody, member: CurrentMember, actor: MemberActor, hub: TheHub
) -> ConfirmationReceipt:
    """Confirms exactly this version of another person's work order, where its kind needs a second person."""
    index = await hub.confirmations.confirm(member, actor, work_order, body.version)
    return ConfirmationReceipt(audit=index, replayed=index is None)


@router.get("/reviews", operation_id="list_reviews", responses=documented(*READING))
async def list_reviews(member: CurrentMember, hub: TheHub) -> list[DueReview]:
    """The emergencies of the caller's court that wait for their review, the most urgent first."""
    return await hub.emergency_reviews.due(member)


@router.post(
    "/reviews/{work_order}",
    operation_id="review_emergency",
    dependencies=[Depends(json_body)],
    responses=documented(*WITH_BODY, "not-found"),
)
async def review_emergency(
    work_order: OrderId, body: ReviewBody, member: CurrentMember, actor: MemberActor, hub: TheHub
) -> ReviewReceipt:
    """Records whether an emergency was justified; by a person without a part in it."""
    index = await hub.emergency_reviews.review(member, actor, work_order, body.finding, body.note)
    return ReviewReceipt(audit=index)


def _identifier(body: EmergencyBody) -> Identifier:
    """The party's identifier.  Raises `Problem` unless it and the case number are well formed."""
    errors: list[InputError] = []
    identifier: Identifier | None = None
    try:
        identifier = party_identifier(body.party)
    except IdentifierError as error:
        errors.append(identifier_error("party.id_number", error))
    try:
        parse_case_number(body.case_number)
    except IdentifierError as error:
        errors.append(identifier_error("case_number", error))
    if errors or identifier is None:
        raise Problem("invalid-input", errors=errors)
    return identifier

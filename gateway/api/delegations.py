"""
Standing in over HTTP: a group leader, or the absent person, says who takes their work orders and for how long.
"""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, StringConstraints

from gateway.api.dependencies import Signed, TheHub
from gateway.api.limits import json_body
from gateway.api.members import AMember, not_kept, refused, who
from gateway.api.problems import Problem, documented
from gateway.organization.delegations import Delegation, DelegationRefused
from gateway.organization.people import MAX_USER_LENGTH, USER_ID

router = APIRouter(prefix="/v1/delegations", tags=["organization"], dependencies=[Depends(not_kept)])

READING = ("not-signed-in", "sign-on-unavailable", "not-permitted", "database-unavailable", "internal")
CHANGING = (*READING, "invalid-input", "audit-unavailable")

UserId = Annotated[str, StringConstraints(pattern=USER_ID, max_length=MAX_USER_LENGTH)]


class DelegationBody(BaseModel):
    """Who stands in for whom, from when until when (with an offset from UTC)."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    absent: UserId
    deputy: UserId
    starts_at: AwareDatetime
    ends_at: AwareDatetime


class SeenDelegation(BaseModel):
    """Who stands in for whom; `audit` is the index of the record, where it has just been made."""

    id: UUID
    absent: str
    deputy: str
    starts_at: datetime
    ends_at: datetime
    audit: int | None = None


@router.post(
    "",
    operation_id="delegate",
    status_code=201,
    dependencies=[Depends(json_body)],
    responses=documented(*CHANGING, "body-too-large", "wrong-content-type", "busy"),
)
async def delegate(body: DelegationBody, caller: Signed, member: AMember, hub: TheHub) -> SeenDelegation:
    """
    Lets somebody of a group stand in for another of the same group, for at most 30 days.
    """
    try:
        made, audit = await hub.delegations.create(
            member,
            who(caller, member),
            absent=body.absent,
            deputy=body.deputy,
            starts_at=body.starts_at,
            ends_at=body.ends_at,
        )
    except DelegationRefused as error:
        rule = error.rule
    else:
        return _seen(made, audit)
    raise refused(rule)


@router.get("", operation_id="list_delegations", responses=documented(*READING))
async def list_delegations(member: AMember, hub: TheHub) -> list[SeenDelegation]:
    """Those that are not over and concern the caller, or the group that they lead."""
    return [_seen(one) for one in await hub.delegations.list_for(member)]


@router.delete(
    "/{delegation}",
    operation_id="end_delegation",
    status_code=204,
    response_class=Response,
    responses=documented(*CHANGING, "not-found"),
)
async def end_delegation(delegation: UUID, caller: Signed, member: AMember, hub: TheHub) -> None:
    """Ends it now, by either of the two or their group leader; no answer leaves on its strength any more."""
    if not await hub.delegations.end(member, who(caller, member), delegation):
        raise Problem("not-found")


def _seen(one: Delegation, audit: int | None = None) -> SeenDelegation:
    return SeenDelegation(
        id=one.id,
        absent=one.absent,
        deputy=one.deputy,
        starts_at=one.starts_at,
        ends_at=one.ends_at,
        audit=audit,
    )
